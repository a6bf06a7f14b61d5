"""Performs what the hub decides: live writes, turns for clients that are behind, reads of the log for them.

Live writes go first and are made in the step in which the tail hands its batch over. Clients that are behind
take turns of 64 KiB, a millisecond of them per step of the event loop, and only while their sockets drain.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence

from gateway import metrics
from gateway.core.hub import Batch, Delivery, Hub
from gateway.core.replay import Chunk
from gateway.core.session import Place, Session, Write
from gateway.log.reader import LogReader, LogUnavailable
from runtime import log

TURN_BYTES = 65_536
TURN_SECONDS = 0.001
TICK_SECONDS = 1.0
RETRY_SECONDS = 1.0

_log = log.get(__name__)


def now_ms() -> int:
    """The wall clock in milliseconds."""
    return time.time_ns() // 1_000_000


class Streaming:
    """The hub with an event loop around it; lives in one loop."""

    def __init__(self, hub: Hub, log_reader: LogReader, ring_seconds: int) -> None:
        self.hub = hub
        self._log_reader = log_reader
        self._ring_ms = ring_seconds * 1_000
        self._runnable: dict[Session, None] = {}
        self._turning = False
        self._reads: set[asyncio.Task[None]] = set()

    def publish(self, batches: Sequence[Batch]) -> None:
        """What the tail read: into the rings, to live clients, then turns for the others."""
        self._deliver(self.hub.publish(batches, now_ms()))
        for session in self.hub.behind:
            self.serve(session)

    def reopen(self, channel: str, epoch: str, starts: dict[int, int]) -> None:
        """A channel's topic is another one now."""
        self._deliver(self.hub.reopen(channel, epoch, starts, now_ms()))

    def connect(self, write: Write) -> Session:
        """A new client; nothing is sent to it before `release`."""
        return self.hub.join(write)

    def release(self, session: Session) -> None:
        """It had its first answer, or its first second."""
        if session.held:
            session.held = False
            self.serve(session)

    def paused(self, session: Session) -> None:
        """Its socket's buffer is full."""
        if told := self.hub.pause(session, now_ms()):
            session.write(told)

    def drained(self, session: Session) -> None:
        """Its socket has room again."""
        session.paused = False
        self.serve(session)

    def leave(self, session: Session) -> None:
        """It is gone."""
        self._runnable.pop(session, None)
        self.hub.leave(session)

    def serve(self, session: Session) -> None:
        """Give it a turn if it is behind."""
        if not session.servable:
            return
        self._runnable[session] = None
        if not self._turning:
            self._turning = True
            asyncio.get_running_loop().call_soon(self._turn)

    async def tick(self) -> None:
        """Every second for ever: old events leave memory, positions are told."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = now_ms()
            self.hub.evict(now - self._ring_ms)
            self._deliver(self.hub.positions_due(now))
            metrics.RING_BYTES.set(sum(ring.size for ring in self.hub.rings.values()))
            metrics.BEHIND.set(len(self.hub.behind))

    async def stop(self) -> None:
        """End the reads under way."""
        for task in self._reads:
            task.cancel()
        await asyncio.gather(*self._reads, return_exceptions=True)

    def _deliver(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            data = delivery.data
            for write in delivery.writes:
                write(data)
            metrics.DELIVERIES.inc(len(delivery.writes))

    def _turn(self) -> None:
        end = time.monotonic() + TURN_SECONDS
        while self._runnable:
            session = next(iter(self._runnable))
            del self._runnable[session]
            pumped = self.hub.pump(session, TURN_BYTES, now_ms())
            if pumped.data:
                session.write(pumped.data)
                metrics.REPLAYED_BYTES.inc(len(pumped.data))
            for place, start in pumped.needs:
                self._read_for(session, place, start)
            if pumped.more and session.servable:
                self._runnable[session] = None
            if time.monotonic() >= end:
                break
        if self._runnable:
            asyncio.get_running_loop().call_soon(self._turn)
        else:
            self._turning = False

    def _read_for(self, session: Session, place: Place, start: int) -> None:
        task = asyncio.get_running_loop().create_task(self._read(session, place, start))
        self._reads.add(task)
        task.add_done_callback(self._read_ended)

    def _read_ended(self, task: asyncio.Task[None]) -> None:
        self._reads.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("replay ended with an error", error=repr(error))

    async def _read(self, session: Session, place: Place, start: int) -> None:
        """Read until the log answers or the client is gone or elsewhere. However it ends, the client is not left
        waiting for an answer that nobody is going to give."""
        answered = False
        try:
            while place in session.positions and session.positions[place].next == start:
                try:
                    stretch = await self._log_reader.read(place, start)
                except LogUnavailable as error:
                    _log.warning("replay waits for the log", channel=place.channel, error=str(error))
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                answered = True
                frames = deque((offset, frame) for offset, _, frame in stretch.records)
                if self.hub.supply(session, place, start, Chunk(frames, stretch.end)):
                    self.serve(session)
                return
        finally:
            if not answered:
                self.hub.unask(session, place)
        self.serve(session)
