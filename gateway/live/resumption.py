"""Sessions go on where they stood although their clients keep no position: what `core.inheritance` decides, told to the
other gateways and heard from them through a topic.

What is told is not waited for, but that a session has a socket here: a gateway that is killed a moment later must be known
to have had it. While the topic cannot be written, sessions go on at this gateway as they would, and no further.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from gateway.core.inheritance import Inheritance, Marks, OpenSocket
from gateway.core.memory import MemoryView
from gateway.live.streaming import now_ms
from gateway.log.publishing import NotPublished, Publishing
from runtime import log
from runtime.kafka import Kafka, stop_client
from runtime.lifecycle import Stop
from runtime.waits import POSITIONS
from schemas.channels import CHANNELS
from schemas.codec import Codec
from schemas.errors import SchemaError
from schemas.resuming import GatewayFloor, ResumeRecord
from schemas.topics import RESUMING

FLOOR_SECONDS = 5.0
SESSIONS_SECONDS = 600.0
"""So often sessions are told again that have sockets here: the topic keeps an hour."""

SESSIONS_AT_ONCE = 500
TELL_SECONDS = 1.0
FIRST_SECONDS, AGAIN_SECONDS = 15.0, 0.1
"""No socket is taken before the others could know of it, but for so long; tried so often."""

_codec: Codec[ResumeRecord] = Codec(ResumeRecord)
_log = log.get(__name__)


class Resumption:
    """One a gateway process. `known` is set once what others have said before is known, and they can know of this one."""

    def __init__(self, kafka: Kafka, name: str, memory: MemoryView, publishing: Publishing) -> None:
        self.known = asyncio.Event()
        self._heard = asyncio.Event()
        self._kafka = kafka
        self._inheritance = Inheritance(name)
        self._memory = memory
        self._publishing = publishing
        self._telling: set[asyncio.Task[None]] = set()
        self._next = 0
        self._sessions_told = time.monotonic()

    # Sockets.

    async def opened(self, session: str) -> OpenSocket:
        """A socket of the session is about to be accepted."""
        socket, told = self._inheritance.opened(session)
        with contextlib.suppress(NotPublished, TimeoutError):
            async with asyncio.timeout(TELL_SECONDS):
                for record in told:
                    await self._publishing.resuming(record)
        return socket

    def start(self, socket: OpenSocket, channel: str) -> dict[int, int]:
        """Where it begins in a channel."""
        head = self._memory.mark(channel)
        return dict(self._inheritance.start(socket, channel, head, now_ms()).next)

    def proves(self, socket: OpenSocket, marks: Marks) -> None:
        """It has received all before these."""
        self._tell(self._inheritance.proves(socket, marks))

    def ended(self, socket: OpenSocket, *, clean: bool, revoked: bool) -> None:
        """It is gone."""
        self._tell(self._inheritance.ended(socket, now_ms(), clean=clean, revoked=revoked))

    # The topic.

    async def run(self, stop: Stop, followed: asyncio.Event) -> None:
        """Hear the others and tell them, until asked to stop. `followed`: memory stands where the channels do."""
        telling = asyncio.create_task(self._tell_floors(stop, followed))
        try:
            while not stop.asked:
                try:
                    await self._follow(stop)
                except (KafkaError, OSError, TimeoutError) as error:
                    _log.warning("where clients stand cannot be read", error=f"{type(error).__name__}: {error}")
                    await stop.wait(POSITIONS.first)
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)

    async def leave(self) -> None:
        """The process ends, its sockets have ended: what is under way is waited for, a moment."""
        if self._telling:
            await asyncio.wait(self._telling, timeout=TELL_SECONDS)

    async def _follow(self, stop: Stop) -> None:
        partition = TopicPartition(self._kafka.name(RESUMING), 0)
        consumer: AIOKafkaConsumer = self._kafka.tail_consumer()
        try:
            await consumer.start()
            consumer.assign([partition])
            end = (await consumer.end_offsets([partition]))[partition]
            first = (await consumer.beginning_offsets([partition]))[partition]
            consumer.seek(partition, min(max(first, self._next), end))
            while not stop.asked:
                for record in (await consumer.getmany(timeout_ms=200)).get(partition, ()):
                    with contextlib.suppress(SchemaError):  # of a newer program: it is owed nothing by this one
                        self._inheritance.hear(_codec.decode(record.value), record.offset, record.timestamp)
                self._next = await consumer.position(partition)
                if self._next >= end:
                    self._heard.set()
        finally:
            await stop_client(consumer)

    async def _tell_floors(self, stop: Stop, followed: asyncio.Event) -> None:
        await self._heard.wait()
        await followed.wait()
        began = time.monotonic()
        while not stop.asked:
            self._inheritance.forget(now_ms())
            told = await self._tell_all(self._floors())
            if not self.known.is_set():
                if not told and time.monotonic() - began < FIRST_SECONDS:
                    await stop.wait(AGAIN_SECONDS)
                    continue
                if not told:
                    _log.warning(
                        "where clients stand cannot be written: what comes while this gateway is away may be lost to them"
                    )
                self.known.set()
            await stop.wait(FLOOR_SECONDS)

    async def _tell_all(self, records: Iterable[ResumeRecord]) -> bool:
        try:
            for record in records:
                await self._publishing.resuming(record)
        except NotPublished:
            return False
        return True

    def _floors(self) -> Iterable[GatewayFloor]:
        heads = {name: self._memory.mark(name) for name, channel in CHANNELS.items() if channel.topic is not None}
        floor = self._inheritance.floor(heads)
        yield floor
        if time.monotonic() - self._sessions_told >= SESSIONS_SECONDS:
            self._sessions_told = time.monotonic()
            sessions = self._inheritance.sessions()
            for first in range(0, len(sessions), SESSIONS_AT_ONCE):
                some = tuple(sessions[first : first + SESSIONS_AT_ONCE])
                yield GatewayFloor(gateway=floor.gateway, floors=floor.floors, sessions=some)

    def _tell(self, records: list[ResumeRecord]) -> None:
        for record in records:
            task = asyncio.get_running_loop().create_task(self._told(record))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _told(self, record: ResumeRecord) -> None:
        with contextlib.suppress(NotPublished):
            await self._publishing.resuming(record)
