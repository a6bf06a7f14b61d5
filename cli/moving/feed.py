"""Reads many partitions at once, each in its own order and at its own speed.

Unlike `runtime.log_reading.stretch`, a reader here decides for each partition when it takes the next record: a partition
that has to wait does not stop the others.
"""

from __future__ import annotations

from collections import deque

from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime.log_reading import FETCH_MS, Offsets
from schemas.log_record import LogRecord

FETCH_WAIT_MS = 10
"""For the consumers here: a fetch is not held at the broker for partitions that are read to their end."""
AT_ONCE = 10_000
"""Records that are taken from the consumer at once."""


class Feed:
    """The records of partitions from `starts` up to `ends`. `buffers`: what was read and not yet taken."""

    def __init__(self, consumer: AIOKafkaConsumer, starts: Offsets, ends: Offsets) -> None:
        self.buffers: dict[TopicPartition, deque[LogRecord]] = {p: deque() for p in starts}
        self._consumer = consumer
        self._ends = ends
        self._open = {p for p, start in starts.items() if start < ends[p]}
        consumer.assign(list(self._open))
        for partition in self._open:
            consumer.seek(partition, starts[partition])

    def exhausted(self, partition: TopicPartition) -> bool:
        """True if there are no further records behind the buffer."""
        return partition not in self._open

    async def fill(self, *, wait: bool) -> None:
        """Read on where the buffer is empty. `wait`: for a moment, until something arrives. Raises KafkaError."""
        hungry = [p for p in self._open if not self.buffers[p]]
        if not hungry:
            return
        read = await self._consumer.getmany(*hungry, timeout_ms=FETCH_MS if wait else 0, max_records=AT_ONCE)
        for partition, records in read.items():
            self.buffers[partition].extend(r for r in records if r.offset < self._ends[partition])
        for partition in hungry:
            # transaction markers behind the last record move the position, too
            if await self._consumer.position(partition) >= self._ends[partition]:
                self._consumer.pause(partition)
                self._open.discard(partition)
