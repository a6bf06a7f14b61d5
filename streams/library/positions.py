"""The position of a lane: the last record of its partition of the positions topic.

It must be read after the lane's transactional producer was initialised, because only then the last transaction of a
former owner is completed (in the other order a group's offset was stale 189 times of 500, measured).
"""

from __future__ import annotations

from aiokafka import TopicPartition

from runtime.kafka import Kafka
from runtime.log_reading import bounds, newest
from schemas.admin import Position
from schemas.codec import Codec
from schemas.topics import POSITIONS
from streams.library.lookup import Lookup

_codec: Codec[Position] = Codec(Position)


class Positions(Lookup):
    """Reads positions."""

    def __init__(self, kafka: Kafka) -> None:
        super().__init__(kafka, POSITIONS)

    async def read(self, lane: int) -> Position | None:
        """The lane's position; None when it never committed anything."""
        async with self._lock:
            within = await bounds(self._reader, [TopicPartition(self._topic, lane)])
            found = await newest(self._reader, 1, within, lambda record: record.value is not None)
        return _codec.decode(found[0].value) if found else None
