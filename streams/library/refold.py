"""The same fold over a past range of the change log, without any effect on the live one: no group, no producer, no position.

State is folded silently from 0 to the start of the range, or from a snapshot if the log has lost its beginning; what is then
yielded is what the live fold wrote for that range, byte for byte.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

from aiokafka import TopicPartition

from runtime.kafka import Kafka
from runtime.log_reading import bounds, reader, stretch
from schemas.log_record import LogRecord
from schemas.places import Offset
from schemas.topics import RAW
from streams.core.emit import Output
from streams.core.fold import Fold
from streams.library.beginning import Begun, beginning

MAX_RECORDS = 2_000
FETCH_BYTES = 4_194_304


async def refold(
    kafka: Kafka, lane: int, start: Offset, end: Offset | None = None, max_records: int = MAX_RECORDS
) -> AsyncGenerator[Output, None]:
    """The outputs of the change log's records [start, end) of a lane; `end` None: the head as it is now;
    `max_records`: how many are read at once at most (this affects only the speed).

    Raises LogTruncated when the log no longer begins at 0 and no snapshot covers what is missing before the start. Memory:
    the fold's state, one batch of records, and one part of a record's outputs.
    """
    partition = TopicPartition(kafka.name(RAW), lane)
    async with reader(kafka, max_partition_fetch_bytes=FETCH_BYTES) as consumer:
        within = await bounds(consumer, [partition])
        first, head = within.earliest[partition], within.end[partition]
        stop = head if end is None else min(end, head)
        begun = await beginning(kafka, lane, first, start) if first else Begun(Fold(lane))
        starts, ends = {partition: Offset(begun.next_offset)}, {partition: stop}
        async with aclosing(stretch(consumer, starts, ends, max_records)) as batches:
            async for records in batches:
                for record in records:
                    for output in _outputs(begun.fold, record, start):
                        yield output


def _outputs(fold: Fold, record: LogRecord, start: Offset) -> Iterator[Output]:
    """Fold a record; yields its outputs if it is in the range."""
    for part in fold.parts(record.offset, record.timestamp, record.key, record.value, record.headers):
        if record.offset >= start:
            yield from part
