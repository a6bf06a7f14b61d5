"""Writes records and holes at exact offsets.

Records keep their times: the topics have `message.timestamp.type=CreateTime` meanwhile. A hole is an aborted transaction: a
transaction's marker takes one offset in each of its partitions, also where nothing was written, so a hole of n offsets is a
transaction of n - 1 filler records. `read_committed` readers see nothing of it, as they saw nothing of the markers, aborted
records and removed records that were there in the source.

An interrupted writer leaves each partition at its end or inside a hole, because a transaction has only partitions that
are at one, and the next writer ends it: the copy can be continued at the end of each partition.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import RecordMetadata

from cli.moving.errors import Disturbed, TimesNotKept
from runtime.kafka import Kafka, stop_client
from runtime.log_reading import bounds, reader
from schemas.log_record import LogRecord

BATCH_BYTES = 524_288
LARGER_BYTES = 65_536
"""How much larger a batch may be here than the topic allows: compressed anew, a large record may need some bytes more."""
FILLERS = 20_000
"""The most fillers in a transaction."""
FILLER_KEY = b"-"
ANSWER_SECONDS = 120.0
"""The longest wait for the brokers to store what was sent."""
_LOOK_SECONDS = 0.001
_CREATE_TIME = 0


class Writer:
    """Writes to the end of partitions; `topics` exist and are as `target` configures them."""

    def __init__(self, records: AIOKafkaProducer, holes: AIOKafkaProducer, ends: AIOKafkaConsumer) -> None:
        self._records = records
        self._holes = holes
        self._ends = ends

    async def ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Where these partitions end now. Raises KafkaError."""
        return dict((await bounds(self._ends, partitions)).end)

    async def append(self, stretches: Mapping[TopicPartition, Sequence[LogRecord]]) -> None:
        """Write records to the ends of their partitions, where each must get its own offset again. The keys are the target's
        partitions. Raises Disturbed, KafkaError, TimeoutError."""
        async with asyncio.timeout(ANSWER_SECONDS):
            await asyncio.gather(*(self._append(p, records) for p, records in stretches.items()))

    async def leave_holes(self, holes: Mapping[TopicPartition, tuple[int, int, int]]) -> None:
        """Leave out offsets: the first, how many (at most FILLERS), and a time for the fillers, by partition; each must end
        there. Raises Disturbed, KafkaError, TimeoutError."""
        async with asyncio.timeout(ANSWER_SECONDS):
            await self._holes.begin_transaction()
            await asyncio.gather(*(_fill(self._holes, p, size - 1, at) for p, (_, size, at) in holes.items()))
            await self._holes.abort_transaction()
            await self._reached({p: first + size for p, (first, size, _) in holes.items()})

    async def _append(self, partition: TopicPartition, records: Sequence[LogRecord]) -> None:
        sent, batch, first = [], self._records.create_batch(), 0
        for number, record in enumerate(records):
            if not _add(batch, record):
                sent.append((first, await self._send(batch, partition)))
                batch, first = self._records.create_batch(), number
                _add(batch, record)
        sent.append((first, await self._send(batch, partition)))
        for first, future in sent:
            _check(partition, records[first].offset, await future)

    async def _send(self, batch: object, partition: TopicPartition) -> asyncio.Future[RecordMetadata]:
        future: asyncio.Future[RecordMetadata] = await self._records.send_batch(
            batch, partition.topic, partition=partition.partition
        )
        return future

    async def _reached(self, expected: Mapping[TopicPartition, int]) -> None:
        """Return when the partitions end there. The markers are written only after the end of the transaction was
        acknowledged, and a record must not come before them."""
        while True:
            ends = await self.ends(expected)
            for partition, end in ends.items():
                if end > expected[partition]:
                    raise Disturbed(partition.topic, partition.partition, expected[partition], end)
            if ends == expected:
                return
            await asyncio.sleep(_LOOK_SECONDS)


@asynccontextmanager
async def writer(kafka: Kafka, partitions: Sequence[TopicPartition]) -> AsyncIterator[Writer]:
    """A writer for the block; transactions that an interrupted one left are ended first. Raises KafkaError."""
    async with AsyncExitStack() as stack:
        size = {"max_batch_size": BATCH_BYTES}
        topics = {partition.topic for partition in partitions}
        holes = await _started(stack, kafka.transactional_producer("move-log", **size), topics)
        records = await _started(stack, kafka.producer(linger_ms=0, **size), topics)
        ends = await stack.enter_async_context(ends_reader(kafka, partitions))
        yield Writer(records, holes, ends)


@asynccontextmanager
async def ends_reader(kafka: Kafka, partitions: Sequence[TopicPartition]) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer that is asked for true ends (not those of committed records), and reads nothing. Raises KafkaError."""
    async with reader(kafka, isolation_level="read_uncommitted") as consumer:
        consumer.assign(list(partitions))
        consumer.pause(*partitions)
        yield consumer


async def _started(stack: AsyncExitStack, producer: AIOKafkaProducer, topics: Iterable[str]) -> AIOKafkaProducer:
    stack.push_async_callback(stop_client, producer)
    await producer.start()
    await producer.client.set_topics(topics)  # metadata by one request, and not by one for each topic
    return producer


async def _fill(writer: AIOKafkaProducer, partition: TopicPartition, count: int, at: int) -> None:
    """Add the partition to the transaction, and `count` fillers."""
    writer._txn_manager.maybe_add_partition_to_txn(partition)
    futures, batch, left = [], writer.create_batch(), count
    while left:
        if batch.append(timestamp=at, key=FILLER_KEY, value=None) is None:
            futures.append(await writer.send_batch(batch, partition.topic, partition=partition.partition))
            batch = writer.create_batch()
        else:
            left -= 1
    if count:
        futures.append(await writer.send_batch(batch, partition.topic, partition=partition.partition))
    for future in futures:
        await future


def _add(batch: object, record: LogRecord) -> bool:
    added = batch.append(  # type: ignore[attr-defined]  # aiokafka has no types
        timestamp=record.timestamp, key=record.key, value=record.value, headers=list(record.headers)
    )
    return added is not None


def _check(partition: TopicPartition, expected: int, stored: RecordMetadata) -> None:
    """Raise unless a batch got its offset and kept its times."""
    if stored.offset not in (expected, -1):  # -1: it was sent twice and stored once; `_reached` verifies that
        raise Disturbed(partition.topic, partition.partition, expected, stored.offset)
    if stored.timestamp_type != _CREATE_TIME:
        raise TimesNotKept(partition.topic)
