"""The same fold over a past range of the change log, touching nothing live: no group, no producer, no position.

State is folded silently from 0 to the start of the range; what is then yielded is what the live fold wrote for
that range, byte for byte.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiokafka import TopicPartition

from runtime.kafka import Kafka
from schemas.topics import RAW
from streams.core.emit import Output
from streams.core.fold import Fold
from streams.library.errors import LogTruncated

MAX_RECORDS = 2_000


async def refold(
    kafka: Kafka, lane: int, start: int, end: int | None = None, max_records: int = MAX_RECORDS
) -> AsyncIterator[Output]:
    """The outputs of the change log's records [start, end) of a lane; `end` None: the head as it is now;
    `max_records`: read at once at most (it changes nothing but the speed).

    Raises LogTruncated when the log no longer begins at 0. Memory: the fold's state, one batch of records, and one
    part of a record's outputs.
    """
    partition = TopicPartition(kafka.name(RAW), lane)
    consumer = kafka.tail_consumer(max_partition_fetch_bytes=4_194_304)
    await consumer.start()
    try:
        consumer.assign([partition])
        first = (await consumer.beginning_offsets([partition]))[partition]
        if first > 0:
            raise LogTruncated(lane, first)
        head = (await consumer.end_offsets([partition]))[partition]
        stop = head if end is None else min(end, head)
        consumer.seek(partition, 0)
        fold = Fold(lane)
        while await consumer.position(partition) < stop:
            batches = await consumer.getmany(partition, timeout_ms=1_000, max_records=max_records)
            for record in batches.get(partition, ()):
                if record.offset >= stop:
                    return
                parts = fold.parts(record.offset, record.timestamp, record.key, record.value, record.headers)
                for part in parts:
                    for output in part if record.offset >= start else ():
                        yield output
    finally:
        await consumer.stop()
