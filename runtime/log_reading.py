"""Reads ranges of the log without a group: from and to an offset, from a time, the newest n, to the present end.

This is the only module that requests a consumer's bounds and reads from one offset to another. A consumer here is one of
`Kafka.tail_consumer`: `read_committed`, and its end is the last stable offset. Offsets have holes (transaction markers,
aborted records, compaction), so a range is complete when the consumer's position reaches its end, not when a record does.

Other read loops are elsewhere. Members of groups continue at the group's offsets, and their consumers pause and seek for
other reasons too: the projector, the gaps of roots, and a lane, which must also be able to stop between two records. The
gateway's tail never ends and is rebuilt when its log changes; the gateway's replay reader reads one chunk and keeps its
consumer for the next.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias

from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime.errors import NotProvisioned
from runtime.kafka import Kafka, stop_client
from schemas import places
from schemas.log_record import LogRecord
from schemas.places import AtTime, Bounds, Offset, Place
from schemas.times import Millis
from schemas.topics import Topic

Offsets: TypeAlias = dict[TopicPartition, Offset]
"""The next offset to read, by partition."""

LogBounds: TypeAlias = Bounds[TopicPartition]


class First(NamedTuple):
    """The first record at or after a time: its offset, and when it was appended (ms)."""

    offset: Offset
    at: Millis


WHOLE_SECONDS = 30.0
FETCH_MS = 50
"""Poll time-out for a range with an end: short, because transaction markers at its end do not wake the consumer."""
FOLLOW_MS = 200
FIRST_REACH = 16
"""How far back the newest record is looked for first: a transaction of one record takes two offsets."""

number: Callable[[TopicPartition], int] = attrgetter("partition")


@asynccontextmanager
async def reader(kafka: Kafka, **options: Any) -> AsyncIterator[AIOKafkaConsumer]:
    """A `read_committed` consumer without a group. Raises KafkaError."""
    consumer = kafka.tail_consumer(**options)
    try:
        await consumer.start()
        yield consumer
    finally:
        await stop_client(consumer)


async def partitions_of(consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
    """The partitions of a topic (its name on the installation). Raises NotProvisioned."""
    if topic not in await consumer.topics():
        raise NotProvisioned(topic)
    # The client has metadata only of topics that it reads, so it is assigned the first partition.
    first = TopicPartition(topic, 0)
    consumer.assign([first])
    await consumer.beginning_offsets([first])
    return [TopicPartition(topic, n) for n in sorted(consumer.partitions_for_topic(topic) or ())]


async def bounds(consumer: AIOKafkaConsumer, partitions: Iterable[TopicPartition]) -> LogBounds:
    """The earliest and the end offset of these partitions now."""
    wanted = list(partitions)
    if not wanted:  # aiokafka would request those of all its partitions
        return Bounds({}, {})
    earliest, end = await consumer.beginning_offsets(wanted), await consumer.end_offsets(wanted)
    return Bounds({p: Offset(earliest[p]) for p in wanted}, {p: Offset(end[p]) for p in wanted})


async def times(
    consumer: AIOKafkaConsumer, at: int, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, Offset | None]:
    """The first offset appended at `at` (ms) or later; None if there is none yet."""
    found = await firsts(consumer, at, partitions)
    return {p: None if first is None else first.offset for p, first in found.items()}


async def firsts(
    consumer: AIOKafkaConsumer, at: int, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, First | None]:
    """The same with the time of the record."""
    wanted = list(partitions)
    found = await consumer.offsets_for_times(dict.fromkeys(wanted, at)) if wanted else {}
    return {
        p: None if (first := found.get(p)) is None else First(Offset(first.offset), Millis(first.timestamp))
        for p in wanted
    }


async def resolve(consumer: AIOKafkaConsumer, place: Place, within: LogBounds) -> Offsets:
    """The offsets of a place, within bounds that were read before. A time for which there is no record yet resolves to the
    end in these bounds, so records appended since then are not skipped."""
    at_time = await times(consumer, place.at, within.end) if isinstance(place, AtTime) else None
    return places.resolve(place, within, number, at_time)


async def stretch(
    consumer: AIOKafkaConsumer,
    starts: Mapping[TopicPartition, Offset],
    ends: Mapping[TopicPartition, Offset] | None,
    max_records: int | None = None,
) -> AsyncGenerator[list[LogRecord], None]:
    """The records from `starts` to before `ends`, as they arrive: each list is of one partition, in order. Without `ends` it
    never stops. `max_records`: the most that are read at once."""
    left = [p for p, start in starts.items() if ends is None or start < ends[p]]
    consumer.assign(left)
    for partition in left:
        consumer.seek(partition, starts[partition])
    wait = FOLLOW_MS if ends is None else FETCH_MS
    while left:
        for partition, records in (
            await consumer.getmany(*left, timeout_ms=wait, max_records=max_records)
        ).items():
            yield records if ends is None else [r for r in records if r.offset < ends[partition]]
        if ends is not None:
            for partition in tuple(left):
                if await consumer.position(partition) >= ends[partition]:
                    consumer.pause(partition)
                    left.remove(partition)


async def newest(
    consumer: AIOKafkaConsumer,
    count: int,
    within: LogBounds,
    wanted: Callable[[LogRecord], bool] = lambda record: True,
) -> list[LogRecord]:
    """The newest `count` records that match `wanted`, over all partitions by append time, oldest first. Within a partition
    the order is the log's, whatever the broker's clock did. It reads further back until every partition has enough, or has
    no more."""
    reach = max(count, FIRST_REACH)
    while True:
        starts = {p: Offset(max(within.earliest[p], end - reach)) for p, end in within.end.items()}
        found: dict[TopicPartition, list[LogRecord]] = {p: [] for p in starts}
        async for records in stretch(consumer, starts, within.end):
            for record in filter(wanted, records):
                found[TopicPartition(record.topic, record.partition)].append(record)
        if all(starts[p] == within.earliest[p] or len(of) >= count for p, of in found.items()):
            tails = (of[-count:] for of in found.values())
            return list(heapq.merge(*tails, key=lambda r: (r.timestamp, r.partition, r.offset)))[-count:]
        reach *= 4


async def read_whole(kafka: Kafka, topic: Topic) -> list[LogRecord]:
    """All records of partition 0 of a small topic, to its present end, in order. Raises NotProvisioned, KafkaError, OSError,
    TimeoutError."""
    async with reader(kafka) as consumer:
        return await whole(consumer, kafka.name(topic))


async def whole(consumer: AIOKafkaConsumer, topic: str) -> list[LogRecord]:
    """The same, with an existing consumer. `topic`: its name on the installation."""
    async with asyncio.timeout(WHOLE_SECONDS):
        await partitions_of(consumer, topic)
        within = await bounds(consumer, [TopicPartition(topic, 0)])
        found: list[LogRecord] = []
        async for records in stretch(consumer, dict(within.earliest), within.end):
            found += records
        return found
