"""Sessions resume where they were although their clients keep no position: the decisions of `core.inheritance`, exchanged
with the other gateways through a topic.

Records are published without waiting, except that a session has a socket here: if this gateway is killed a moment later, the
others must know that it had one. While the topic cannot be written, sessions resume at this gateway only.
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
"""How often sessions that have sockets here are published again: the topic keeps an hour."""

SESSIONS_AT_ONCE = 500
PUBLISH_SECONDS = 1.0
FIRST_SECONDS, AGAIN_SECONDS = 15.0, 0.1
"""No socket is accepted before the others can know of it, but for at most this time; retried this often."""

_codec: Codec[ResumeRecord] = Codec(ResumeRecord)
_log = log.get(__name__)


class Resumption:
    """One per gateway process. `known` is set when all earlier records are read and the others can know of this gateway."""

    def __init__(self, kafka: Kafka, name: str, memory: MemoryView, publishing: Publishing) -> None:
        self.known = asyncio.Event()
        self._caught_up = asyncio.Event()
        self._kafka = kafka
        self._inheritance = Inheritance(name)
        self._memory = memory
        self._publishing = publishing
        self._tasks: set[asyncio.Task[None]] = set()
        self._next = 0
        self._sessions_published_at = time.monotonic()

    # Sockets.

    async def opened(self, session: str) -> OpenSocket:
        """A socket of the session is about to be accepted."""
        socket, records = self._inheritance.opened(session)
        with contextlib.suppress(NotPublished, TimeoutError):
            async with asyncio.timeout(PUBLISH_SECONDS):
                for record in records:
                    await self._publishing.resuming(record)
        return socket

    def start(self, socket: OpenSocket, channel: str) -> dict[int, int]:
        """Where it begins in a channel."""
        head = self._memory.mark(channel)
        return dict(self._inheritance.start(socket, channel, head, now_ms()).next)

    def proves(self, socket: OpenSocket, marks: Marks) -> None:
        """The socket has received everything before these."""
        self._publish(self._inheritance.proves(socket, marks))

    def ended(self, socket: OpenSocket, *, clean: bool, revoked: bool) -> None:
        """The socket is gone."""
        self._publish(self._inheritance.ended(socket, now_ms(), clean=clean, revoked=revoked))

    # The topic.

    async def run(self, stop: Stop, followed: asyncio.Event) -> None:
        """Read the others' records and publish to them, until requested to stop. `followed`: memory has reached the heads of
        the channels."""
        publishing = asyncio.create_task(self._publish_floors(stop, followed))
        try:
            while not stop.requested:
                try:
                    await self._follow(stop)
                except (KafkaError, OSError, TimeoutError) as error:
                    _log.warning("positions of clients cannot be read", error=f"{type(error).__name__}: {error}")
                    await stop.wait(POSITIONS.first)
        finally:
            publishing.cancel()
            await asyncio.gather(publishing, return_exceptions=True)

    async def leave(self) -> None:
        """The process ends, its sockets have ended: wait a moment for what is being published."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=PUBLISH_SECONDS)

    async def _follow(self, stop: Stop) -> None:
        partition = TopicPartition(self._kafka.name(RESUMING), 0)
        consumer: AIOKafkaConsumer = self._kafka.tail_consumer()
        try:
            await consumer.start()
            consumer.assign([partition])
            end = (await consumer.end_offsets([partition]))[partition]
            first = (await consumer.beginning_offsets([partition]))[partition]
            consumer.seek(partition, min(max(first, self._next), end))
            while not stop.requested:
                for record in (await consumer.getmany(timeout_ms=200)).get(partition, ()):
                    with contextlib.suppress(SchemaError):  # of a newer program: nothing here depends on it
                        self._inheritance.receive(_codec.decode(record.value), record.offset, record.timestamp)
                self._next = await consumer.position(partition)
                if self._next >= end:
                    self._caught_up.set()
        finally:
            await stop_client(consumer)

    async def _publish_floors(self, stop: Stop, followed: asyncio.Event) -> None:
        await self._caught_up.wait()
        await followed.wait()
        began = time.monotonic()
        while not stop.requested:
            self._inheritance.forget(now_ms())
            published = await self._publish_all(self._floors())
            if not self.known.is_set():
                if not published and time.monotonic() - began < FIRST_SECONDS:
                    await stop.wait(AGAIN_SECONDS)
                    continue
                if not published:
                    _log.warning(
                        "positions of clients cannot be published: events while this gateway is away may be lost to them"
                    )
                self.known.set()
            await stop.wait(FLOOR_SECONDS)

    async def _publish_all(self, records: Iterable[ResumeRecord]) -> bool:
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
        if time.monotonic() - self._sessions_published_at >= SESSIONS_SECONDS:
            self._sessions_published_at = time.monotonic()
            sessions = self._inheritance.sessions()
            for first in range(0, len(sessions), SESSIONS_AT_ONCE):
                some = tuple(sessions[first : first + SESSIONS_AT_ONCE])
                yield GatewayFloor(gateway=floor.gateway, floors=floor.floors, sessions=some)

    def _publish(self, records: list[ResumeRecord]) -> None:
        for record in records:
            task = asyncio.get_running_loop().create_task(self._publish_one(record))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _publish_one(self, record: ResumeRecord) -> None:
        with contextlib.suppress(NotPublished):
            await self._publishing.resuming(record)
