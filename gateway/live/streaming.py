"""The only access to the hub: carries out its decisions, so that nothing else touches a subscriber's state.

Live writes go first and are made in the step in which the tail passes its batch on. Subscribers that are behind take turns
of 64 KiB, a millisecond of them per step of the event loop, and only while their sockets drain.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any, cast

from gateway import metrics
from gateway.core.due import Delivery, Ending
from gateway.core.framing import shared_text_frames, text_frame
from gateway.core.hub import NOWHERE, Hub, Starts
from gateway.core.inheritance import Marks
from gateway.core.memory import ChannelPartition, MemoryView, Rings, TailBatch
from gateway.core.standing import Standing
from gateway.core.subscriber import Options, Subscriber, Viewer
from gateway.live import fast_list
from gateway.live.fast_list import Outlet
from gateway.log.reader import LogReader, LogUnavailable
from runtime import log
from runtime.waits import REPLAY

TURN_BYTES = 65_536
TURN_SECONDS = 0.001
TICK_SECONDS = 1.0

_log = log.get(__name__)


def now_ms() -> int:
    """The wall clock in milliseconds."""
    return time.time_ns() // 1_000_000


class Streaming:
    """The hub with an event loop around it; used in one loop only."""

    def __init__(
        self, everybody: Iterable[str], log_reader: LogReader, ring_bytes: int, ring_seconds: int
    ) -> None:
        """`everybody`: channels delivered to every subscriber; the others limit the memory per partition."""
        self._memory = Rings(ring_bytes)
        self._hub = Hub(everybody, self._memory)
        self._log_reader = log_reader
        self._ring_ms = ring_seconds * 1_000
        self._runnable: dict[Subscriber, None] = {}
        self._turning = False
        self._reads: set[asyncio.Task[None]] = set()
        self._waiting: dict[tuple[ChannelPartition, int], set[Subscriber]] = {}

    @property
    def memory(self) -> MemoryView:
        """This process's position in the log, read-only."""
        return self._memory

    @property
    def behind(self) -> int:
        """Subscribers that are not live."""
        return len(self._hub.behind)

    # The tail's side.

    def open(self, channel: str, epoch: str, starts: Mapping[int, int]) -> None:
        """Begin to follow a channel's topic: per partition the offset at which its reader starts."""
        self._hub.open(channel, epoch, starts)

    def publish(self, batches: Sequence[TailBatch]) -> None:
        """Take what the tail read: into memory, to live subscribers, then turns for the others."""
        self._deliver(self._hub.publish(batches, now_ms()))
        for subscriber in self._hub.behind:
            self._serve(subscriber)

    def reopen(self, channel: str, epoch: str, starts: Mapping[int, int]) -> None:
        """A channel's topic was recreated."""
        self._deliver(self._hub.reopen(channel, epoch, starts, now_ms()))

    def extend(self, channel: str, starts: Mapping[int, int]) -> None:
        """A channel's topic has more partitions now, which begin at `starts`."""
        self._hub.extend(channel, starts)

    # The sockets' side.

    def connect(self, outlet: Outlet, viewer: Viewer, starts: Starts = NOWHERE) -> Subscriber:
        """A new subscriber; no event is sent to it before `release`. `starts`: where it begins in channels that everybody
        gets, if that is not the end."""
        return self._hub.join(outlet, viewer, starts)

    def marks(self, subscriber: Subscriber) -> Marks:
        """Its position in each channel that it gets."""
        return self._hub.marks(subscriber)

    def see_as(self, subscriber: Subscriber, viewer: Viewer) -> None:
        """Its rights have changed; it gets `unsubscribed` for the channels that it has lost."""
        for payload in self._hub.see_as(subscriber, viewer, now_ms()):
            self.send(subscriber, payload)
        self._serve(subscriber)

    def send(self, subscriber: Subscriber, payload: bytes) -> None:
        """Write one of the gateway's own messages; ignored if the subscriber is gone."""
        if subscriber.standing is not Standing.ENDED:
            subscriber.write(text_frame(payload))

    def release(self, subscriber: Subscriber) -> None:
        """It has had its first answer, or its first second is over."""
        self._hub.release(subscriber)
        self._serve(subscriber)

    def subscribe(
        self,
        subscriber: Subscriber,
        channel: str,
        starts: Mapping[int, int],
        options: Options,
        *,
        until: Mapping[int, int] | None = None,
        since: int | None = None,
        ends_at: int | None = None,
    ) -> None:
        """Follow a channel from `starts`; its events come after this step of the event loop, so that messages sent in this
        step come first."""
        heads = self._memory.heads(channel)
        if any(start < heads.get(partition, 0) for partition, start in starts.items()):
            metrics.REPLAYS.labels(channel).inc()
        self._hub.subscribe(subscriber, channel, starts, options, until=until, since=since, ends_at=ends_at)
        self._serve(subscriber)

    def unsubscribe(self, subscriber: Subscriber, channel: str) -> bool:
        """Stop following a channel; False if it was not followed."""
        found = self._hub.unsubscribe(subscriber, channel)
        self._serve(subscriber)
        return found

    def give_credit(self, subscriber: Subscriber, channel: str, events: int) -> bool:
        """Allow so many more events to be sent; False if the channel is not followed with credit."""
        given = self._hub.give_credit(subscriber, channel, events)
        self._serve(subscriber)
        return given

    def live_start(self, subscriber: Subscriber, channel: str) -> dict[int, int]:
        """Where "now" is for it in a channel."""
        return self._hub.live_start(subscriber, channel)

    def next_offsets(self, subscriber: Subscriber, channel: str) -> dict[int, int]:
        """Its next offset per partition of a channel that it follows."""
        return self._hub.next_offsets(subscriber, channel)

    def send_positions(self, subscriber: Subscriber) -> None:
        """Send its positions, before a close by the server."""
        for payload in self._hub.positions(subscriber, now_ms()):
            self.send(subscriber, payload)

    def filled(self, subscriber: Subscriber) -> bool:
        """Its socket's buffer is full; True if its client requested disconnection in that case."""
        for payload in self._hub.filled(subscriber, now_ms()):
            self.send(subscriber, payload)
        return subscriber.to_disconnect

    def drained(self, subscriber: Subscriber) -> None:
        """Its socket has room again."""
        self._hub.drained(subscriber)
        self._serve(subscriber)

    def leave(self, subscriber: Subscriber) -> None:
        """The subscriber is gone."""
        self._runnable.pop(subscriber, None)
        self._hub.leave(subscriber)

    # The process's side.

    async def tick(self) -> None:
        """Every second for ever: evict old events from memory, send positions."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = now_ms()
            self._hub.evict(now - self._ring_ms)
            self._deliver(self._hub.positions_due(now))
            for ending in self._hub.ends_due(now):
                self._start_read(self._find_end(ending))
            metrics.RING_BYTES.set(self._memory.size)
            metrics.SHELF_BYTES.set(self._memory.shelved)
            metrics.BEHIND.set(self.behind)

    async def stop(self) -> None:
        """End the reads under way."""
        for task in self._reads:
            task.cancel()
        await asyncio.gather(*self._reads, return_exceptions=True)

    # Steps of the above.

    def _serve(self, subscriber: Subscriber) -> None:
        """Give it a turn if it is behind."""
        if not subscriber.servable:
            return
        self._runnable[subscriber] = None
        if not self._turning:
            self._turning = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _deliver(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            frames = [bundle.text_frames() for bundle in delivery.bundles]
            data = frames[0] if len(frames) == 1 else b"".join(frames)
            fast_list.deliver(data, cast("Sequence[Outlet]", delivery.writes))  # `connect` accepts only these
            metrics.DELIVERIES.inc(len(delivery.writes))

    def _turn(self) -> None:
        end = time.monotonic() + TURN_SECONDS
        while self._runnable:
            subscriber = next(iter(self._runnable))
            del self._runnable[subscriber]
            self._take_turn(subscriber)
            if time.monotonic() >= end:
                break
        if self._runnable:
            asyncio.get_running_loop().call_soon(self._turn)
        else:
            self._turning = False

    def _take_turn(self, subscriber: Subscriber) -> None:
        pumped = self._hub.pump(subscriber, TURN_BYTES, now_ms())
        if pumped.payloads:
            data = shared_text_frames(tuple(pumped.payloads))
            subscriber.write(data)
            metrics.REPLAYED_BYTES.inc(len(data))
        for place, start in pumped.needs:
            self._wait_for(subscriber, place, start)
        if pumped.more and subscriber.servable:
            self._runnable[subscriber] = None

    def _start_read(self, read: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(read)
        self._reads.add(task)
        task.add_done_callback(self._read_ended)

    def _read_ended(self, task: asyncio.Task[None]) -> None:
        self._reads.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("replay ended with an error", error=repr(error))

    def _wait_for(self, subscriber: Subscriber, place: ChannelPartition, start: int) -> None:
        """It continues when the log was read from `start`: one read, however many subscribers wait for it."""
        waiting = self._waiting.get((place, start))
        if waiting is None:
            self._waiting[place, start] = {subscriber}
            self._start_read(self._read(place, start))
        else:
            waiting.add(subscriber)

    async def _read(self, place: ChannelPartition, start: int) -> None:
        """Read until the log answers or nobody wants it any more. However it ends, no subscriber is left waiting for an
        answer that will not come."""
        waiting = self._waiting[place, start]
        try:
            while any(self._hub.wants(subscriber, place, start) for subscriber in waiting):
                epoch = self._memory.epoch(place.channel)
                try:
                    stretch = await self._log_reader.read(place, start)
                except LogUnavailable as error:
                    _log.warning("replay waits for the log", channel=place.channel, error=str(error))
                    await asyncio.sleep(REPLAY.first)
                    continue
                self._hub.shelve(place, epoch, stretch)
                break
        finally:
            del self._waiting[place, start]
            for subscriber in waiting:
                self._hub.read_ended(subscriber, place)
        for subscriber in waiting:
            self._serve(subscriber)

    async def _find_end(self, ending: Ending) -> None:
        """Look up in the log where the time is at which a subscription ends; repeated at the next tick if that fails."""
        partitions = tuple(self._memory.heads(ending.channel))
        answered = False
        try:
            ends = await self._log_reader.since(ending.channel, partitions, ending.at) if partitions else {}
            answered = True
        except LogUnavailable as error:
            _log.warning("the end of a replay waits for the log", channel=ending.channel, error=str(error))
            return
        finally:
            if not answered:
                self._hub.end_lookup_failed(ending)
        self._hub.end_at(ending, ends)
        self._serve(ending.subscriber)
