"""Reads one lane of the change log in several steps, and the positions of the fold."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing

from aiokafka import AIOKafkaConsumer, TopicPartition

from cli.answering import answering
from runtime.kafka import Kafka
from runtime.log_reading import bounds, newest, stretch
from schemas.admin import Position
from schemas.codec import Codec
from schemas.log_record import LogRecord
from schemas.places import Offset
from schemas.topics import CHANGES, POSITIONS, RAW, Topic

FETCH_BYTES = 4_194_304
AT_ONCE = 2_000
_positions: Codec[Position] = Codec(Position)


class LaneReading:
    """One lane. `first`: where its log begins, 0 unless records were deleted; `next`: the next offset to read."""

    def __init__(self, kafka: Kafka, consumer: AIOKafkaConsumer, lane: int) -> None:
        self._kafka = kafka
        self._consumer = consumer
        self._lane = lane
        self._raw = TopicPartition(kafka.name(RAW), lane)
        self.first = self.next = Offset(0)

    async def read_on(self, *readers: Callable[[LogRecord], None], read: Callable[[int], None]) -> None:
        """Read from `next` to the present end. `read` is called with the number of further records. Raises LogSilent,
        KafkaError."""
        within = await bounds(self._consumer, [self._raw])
        if not self.next:
            self.first = self.next = within.earliest[self._raw]
        await self._stretch(self.next, within.end[self._raw], readers, read)
        self.next = max(self.next, within.end[self._raw])

    async def read_again(self, *readers: Callable[[LogRecord], None], read: Callable[[int], None]) -> None:
        """Read everything up to `next` once more. Raises LogSilent, KafkaError."""
        await self._stretch(self.first, self.next, readers, read)

    async def left(self) -> int:
        """The number of offsets up to the present end. Raises KafkaError."""
        within = await bounds(self._consumer, [self._raw])
        return within.end[self._raw] - max(self.next, within.earliest[self._raw])

    async def fold_position(self) -> int:
        """The next record that the fold will read; 0: it has never read any. Raises KafkaError."""
        found = await self._newest(POSITIONS)
        return 0 if found is None else _positions.decode(found.value).next_offset

    async def last_change(self) -> int:
        """Offset of the lane's newest change; -1: there is none. Raises KafkaError."""
        found = await self._newest(CHANGES)
        return -1 if found is None else found.offset

    async def _newest(self, topic: Topic) -> LogRecord | None:
        partition = TopicPartition(self._kafka.name(topic), self._lane)
        within = await bounds(self._consumer, [partition])
        found = await newest(self._consumer, 1, within, lambda record: record.value is not None)
        return found[-1] if found else None

    async def _stretch(
        self, start: Offset, end: Offset, readers: tuple[Callable[[LogRecord], None], ...],
        read: Callable[[int], None],
    ) -> None:  # fmt: skip
        if start >= end:
            return
        wanted = stretch(self._consumer, {self._raw: start}, {self._raw: end}, AT_ONCE)
        async with aclosing(answering(wanted)) as batches:
            async for records in batches:
                for record in records:
                    for reader in readers:
                        reader(record)
                read(len(records))
