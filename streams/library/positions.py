"""Where a lane stands: the last record of its partition of the positions topic.

It must be read after the lane's transactional producer was initialised: only then the last transaction of a
former owner is decided (in the other order a group's offset was stale 189 times of 500, measured).
"""

from __future__ import annotations

import asyncio

from aiokafka import TopicPartition

from runtime.kafka import Kafka
from schemas.admin import Position
from schemas.codec import Codec
from schemas.topics import POSITIONS

_codec: Codec[Position] = Codec(Position)
FIRST_STEP_BACK = 16


class Positions:
    """Reads positions through one consumer without a group; its owner starts and stops it."""

    def __init__(self, kafka: Kafka) -> None:
        self._topic = kafka.name(POSITIONS)
        self._consumer = kafka.tail_consumer()
        self._lock = asyncio.Lock()  # one assignment at a time

    async def start(self) -> None:
        """Connect."""
        await self._consumer.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()

    async def read(self, lane: int) -> Position | None:
        """The lane's position; None when it never committed anything."""
        async with self._lock:
            partition = TopicPartition(self._topic, lane)
            self._consumer.assign([partition])
            first = (await self._consumer.beginning_offsets([partition]))[partition]
            end = (await self._consumer.end_offsets([partition]))[partition]
            step = FIRST_STEP_BACK
            while end > first:
                start = max(first, end - step)
                found = await self._last(partition, start, end)
                if found is not None or start == first:
                    return found
                step *= 8  # only transaction markers and aborted records there: look further back
            return None

    async def _last(self, partition: TopicPartition, start: int, end: int) -> Position | None:
        self._consumer.seek(partition, start)
        last = None
        while await self._consumer.position(partition) < end:
            for record in (await self._consumer.getmany(partition, timeout_ms=500)).get(partition, ()):
                if record.value is not None and record.offset < end:
                    last = record.value
        return None if last is None else _codec.decode(last)
