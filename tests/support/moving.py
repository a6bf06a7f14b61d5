"""Logs with every kind of history, and what an independent reader finds of a log at its brokers; as a program: moves a log,
for tests that kill it."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import RecordsToDelete
from aiokafka.structs import OffsetAndMetadata
from confluent_kafka import Consumer
from confluent_kafka import TopicPartition as Partition

from cli.moving.moving import move
from cli.moving.target import COPIED
from cli.progress import Stages
from cli.provisioning.topics import administration, apply, existing_topics, set_configs
from runtime.kafka import Kafka, stop_client
from runtime.log_reading import bounds, reader
from runtime.settings import KafkaSettings
from schemas.topics import Topic
from tests.support.committed import Read, connection, read_all, watermarks

LARGE = 1_048_400
"""Bytes of a record that nothing compresses and its topic just accepts."""


@dataclass(frozen=True, slots=True)
class Log:
    """Everything that a copy must have. `bounds`: beginning and end of each partition."""

    records: dict[str, list[Read]]
    bounds: dict[tuple[str, int], tuple[int, int]]


def log_of(kafka: Kafka) -> Log:
    """A log by librdkafka, under the topics' declared names."""
    consumer = Consumer({**connection(kafka.settings), "group.id": "tests-bounds", "enable.auto.commit": False})
    records: dict[str, list[Read]] = {}
    ends: dict[tuple[str, int], tuple[int, int]] = {}
    for topic in COPIED:
        name, partitions = kafka.name(topic), range(topic.partition_count(kafka.lanes))
        found = read_all(kafka.settings, name, *partitions)
        records[topic.name] = [
            Read(topic.name, r.partition, r.offset, r.timestamp, r.key, r.value, r.headers) for r in found
        ]
        ends |= {(topic.name, n): _bounds(consumer, Partition(name, n)) for n in partitions}
    consumer.close()
    return Log(records, ends)


def _bounds(consumer: Consumer, partition: Partition) -> tuple[int, int]:
    """As they were read twice in a row: one answer of librdkafka's cannot be believed (`watermarks`)."""
    before = watermarks(consumer, partition)
    while (now := watermarks(consumer, partition)) != before:
        before = now
    return now


async def invent(kafka: Kafka, seed: int, steps: int, *, transactions: int = 0) -> None:
    """Make the topics, and write a history into each partition: records alone and in transactions over several of them,
    aborted ones and empty ones, large records, tombstones, times of years ago in any order, beginnings that were removed.
    `transactions`: further ones with a record in each partition of some topics."""
    draw = random.Random(seed)
    await apply(kafka)
    await _with_old_times(kafka)
    partitions = [
        (t, TopicPartition(kafka.name(t), n)) for t in COPIED for n in range(t.partition_count(kafka.lanes))
    ]
    draw.shuffle(partitions)
    empty, used = partitions[:3], partitions[3:]
    alone, together = (
        kafka.producer(linger_ms=0, max_batch_size=2_000_000),
        kafka.transactional_producer("inventor"),
    )
    await alone.start()
    await together.start()
    try:
        for producer in (alone, together):
            await producer.client.set_topics({partition.topic for _, partition in partitions})
        for _ in range(steps):
            chosen = draw.sample(used, draw.randint(1, 8))
            if draw.random() < 0.3:
                await asyncio.gather(*(_write(alone, draw, t, p, large=draw.random() < 0.05) for t, p in chosen))
                continue
            await together.begin_transaction()
            for topic, partition in chosen:
                if draw.random() < 0.2:
                    together._txn_manager.maybe_add_partition_to_txn(partition)
                else:
                    await _write(together, draw, topic, partition)
            await (together.abort_transaction() if draw.random() < 0.4 else together.commit_transaction())
        for _ in range(transactions):
            await together.begin_transaction()
            for topic, partition in used[:6]:
                await _write(together, draw, topic, partition)
            await together.commit_transaction()
    finally:
        await stop_client(alone)
        await stop_client(together)
    await _remove_beginnings(kafka, draw, [p for t, p in used if t.cleanup == "delete"])
    await _commit(kafka, [p for _, p in (*empty, *used[:5])])


async def _with_old_times(kafka: Kafka) -> None:
    async with administration(kafka) as admin:
        found = await existing_topics(kafka, admin)
        late = {"message.timestamp.type": "CreateTime", "retention.ms": "-1"}
        await set_configs(admin, {name: there.config | late for name, there in found.items()})
    await asyncio.sleep(0.5)


async def _write(
    producer: AIOKafkaProducer,
    draw: random.Random,
    topic: Topic,
    partition: TopicPartition,
    *,
    large: bool = False,
) -> None:
    batch = producer.create_batch()
    for _ in range(1 if large else draw.choice((1, 1, 2, 5, 40))):
        is_compact = topic.cleanup == "compact"
        key = b"key-%d" % draw.randrange(9) if is_compact or draw.random() < 0.7 else None
        value = None if key and draw.random() < 0.2 else draw.randbytes(LARGE if large else draw.randrange(300))
        headers = [(f"h{n}", draw.randbytes(draw.randrange(9))) for n in range(draw.randrange(3))]
        at = 1_500_000_000_000 + draw.randrange(200_000_000_000)
        assert batch.append(timestamp=at, key=key, value=value, headers=headers) is not None
    await (await producer.send_batch(batch, partition.topic, partition=partition.partition))


async def _remove_beginnings(kafka: Kafka, draw: random.Random, partitions: Sequence[TopicPartition]) -> None:
    async with reader(kafka, isolation_level="read_uncommitted") as consumer:
        consumer.assign(list(partitions))
        consumer.pause(*partitions)
        ends = (await bounds(consumer, partitions)).end
    whole, part = draw.sample([p for p in partitions if ends[p] > 3], 6), draw.random()
    before = {p: end if n == 0 else 1 + int((end - 2) * part) for n, p in enumerate(whole) for end in (ends[p],)}
    async with administration(kafka) as admin:
        await admin.delete_records({p: RecordsToDelete(offset) for p, offset in before.items()})


async def _commit(kafka: Kafka, partitions: Sequence[TopicPartition]) -> None:
    for component, metadata in (("library", "catalogizer:1"), ("projector", "")):
        consumer = kafka.group_consumer(kafka.group(component))
        await consumer.start()
        consumer.assign(list(partitions))
        consumer.pause(*partitions)
        await consumer.commit({p: OffsetAndMetadata(7 + n, metadata) for n, p in enumerate(partitions)})
        await stop_client(consumer)


async def committed(kafka: Kafka) -> dict[str, dict[tuple[str, int], tuple[int, str]]]:
    """What the groups have committed, under declared names."""
    prefix = kafka.settings.topic_prefix
    async with administration(kafka) as admin:
        return {
            component: {
                (p.topic.removeprefix(prefix), p.partition): (offset.offset, offset.metadata)
                for p, offset in (await admin.list_consumer_group_offsets(kafka.group(component))).items()
            }
            for component in ("library", "projector")
        }


def main() -> None:
    """Move the log between two installations, whose settings are the arguments (JSON)."""
    source, target = (Kafka(KafkaSettings.model_validate_json(text), "move-log") for text in sys.argv[1:3])
    asyncio.run(move(source, target, Stages(hidden=True), lambda: None))


if __name__ == "__main__":
    main()
