"""Reading the log without a group: places become offsets, ranges become records. Touches nothing live."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TypeAlias, assert_never

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from cli.places import At, AtEach, AtTime, Earliest, Head, Last, Place
from runtime.epochs import NotProvisioned
from runtime.kafka import Kafka

Offsets: TypeAlias = dict[TopicPartition, int]
"""The next offset wanted, per partition."""

POLL_MS = 200


@asynccontextmanager
async def reader(kafka: Kafka) -> AsyncIterator[AIOKafkaConsumer]:
    """A `read_committed` consumer without a group."""
    consumer = kafka.tail_consumer()
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


async def partitions_of(consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
    """The partitions of a topic (its name on the installation). Raises NotProvisioned."""
    if topic not in await consumer.topics():
        raise NotProvisioned(topic)
    # The client knows the partitions only of topics that it reads: it begins to read the first.
    first = TopicPartition(topic, 0)
    consumer.assign([first])
    await consumer.beginning_offsets([first])
    return [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]


async def resolve(
    consumer: AIOKafkaConsumer, place: Place, beginnings: Mapping[TopicPartition, int], heads: Offsets
) -> Offsets:
    """The offsets of a place, within what the log has; partitions that it leaves out are not in the answer. Of
    `Last` it is a place so far back that at least so many would fit if every offset were a record."""
    match place:
        case Earliest():
            wanted = dict(beginnings)
        case Head():
            wanted = dict(heads)
        case At(offset):
            wanted = dict.fromkeys(heads, offset)
        case AtEach(offsets):
            wanted = {p: offsets[p.partition] for p in heads if p.partition in offsets}
        case AtTime(at):
            wanted = await offsets_at(consumer, at, heads)
        case Last(count):
            wanted = {partition: head - count for partition, head in heads.items()}
        case _:
            assert_never(place)
    return {p: min(max(offset, beginnings[p]), heads[p]) for p, offset in wanted.items()}


async def offsets_at(consumer: AIOKafkaConsumer, at: int, heads: Offsets) -> Offsets:
    """The first offset appended at `at` (milliseconds) or later, per partition; the head where there is none."""
    found = await consumer.offsets_for_times(dict.fromkeys(heads, at))
    return {p: heads[p] if found.get(p) is None else found[p].offset for p in heads}


async def read(
    consumer: AIOKafkaConsumer, starts: Offsets, ends: Offsets | None
) -> AsyncGenerator[ConsumerRecord, None]:
    """The records from `starts` to before `ends`, in order within a partition; without `ends` for ever."""
    left = {p: start for p, start in starts.items() if ends is None or start < ends[p]}
    consumer.assign(list(left))
    for partition, start in left.items():
        consumer.seek(partition, start)
    while left:
        batches = await consumer.getmany(*left, timeout_ms=POLL_MS)
        for partition, records in batches.items():
            for record in records:
                if ends is None or record.offset < ends[partition]:
                    yield record
        if ends is not None:
            for partition in list(left):
                if await consumer.position(partition) >= ends[partition]:
                    consumer.pause(partition)
                    del left[partition]


async def newest(
    consumer: AIOKafkaConsumer, count: int, beginnings: Offsets, heads: Offsets
) -> list[ConsumerRecord]:
    """The newest `count` records over all partitions by append time, oldest first. Offsets have holes (markers of
    transactions, compaction), so it looks further back until there are enough."""
    reach = count
    while True:
        starts = {p: max(beginnings[p], head - reach) for p, head in heads.items()}
        found = [record async for record in read(consumer, starts, heads)]
        short = len(found) < count or any(
            sum(1 for r in found if r.partition == p.partition) < count and starts[p] > beginnings[p]
            for p in heads
        )
        if not short or starts == beginnings:
            found.sort(key=lambda record: (record.timestamp, record.partition, record.offset))
            return found[-count:]
        reach *= 4
