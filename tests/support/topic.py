"""Topics for tests: written through our own producers, read by an independent client."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from runtime.kafka import Kafka
from schemas.headers import find
from schemas.topics import Topic
from tests.support.committed import Read, read_all


@dataclass(frozen=True, slots=True)
class NewRecord:
    """One record to be written."""

    topic: Topic
    value: bytes | None
    key: bytes | None = None
    partition: int = 0
    headers: tuple[tuple[str, bytes], ...] = ()


def write(kafka: Kafka, *records: NewRecord) -> None:
    """Append, in order, and wait for the acknowledgements."""

    async def main() -> None:
        producer = kafka.producer()
        await producer.start()
        try:
            for record in records:
                await producer.send_and_wait(
                    kafka.name(record.topic), record.value, key=record.key, partition=record.partition,
                    headers=list(record.headers),
                )  # fmt: skip
        finally:
            await producer.stop()

    asyncio.run(main())


def pour(kafka: Kafka, records: Iterable[NewRecord]) -> None:
    """Append very many, in order, and wait for the last acknowledgement."""

    async def main() -> None:
        producer = kafka.producer()
        await producer.start()
        try:
            sent = [
                await producer.send(
                    kafka.name(record.topic), record.value, key=record.key, partition=record.partition,
                    headers=list(record.headers),
                )
                for record in records
            ]  # fmt: skip
            await asyncio.gather(*sent)
        finally:
            await producer.stop()

    asyncio.run(main())


def write_in_transactions(kafka: Kafka, *transactions: tuple[bool, NewRecord]) -> None:
    """Each record in a transaction of its own: committed where True, aborted where False."""

    async def main() -> None:
        producer = kafka.transactional_producer("tests")
        await producer.start()
        try:
            for committed, record in transactions:
                await producer.begin_transaction()
                await producer.send_and_wait(
                    kafka.name(record.topic), record.value, key=record.key, partition=record.partition
                )
                await (producer.commit_transaction() if committed else producer.abort_transaction())
        finally:
            await producer.stop()

    asyncio.run(main())


def read(kafka: Kafka, topic: Topic) -> list[Read]:
    """All of a topic, partition after partition."""
    partitions = range(topic.partition_count(kafka.lanes))
    return read_all(kafka.settings, kafka.name(topic), *partitions)


def decoded(records: list[Read]) -> list[dict[str, object]]:
    """Their values as JSON objects."""
    return [msgspec.json.decode(record.value or b"{}") for record in records]


def header(record: Read, name: str) -> str:
    """A header's text; empty where there is none."""
    return (find(record.headers, name) or b"").decode()


def group_offsets(kafka: Kafka, group: str) -> dict[tuple[str, int], int]:
    """Committed next offsets of a group, by topic and partition."""

    async def main() -> dict[tuple[str, int], int]:
        admin = kafka.admin()
        await admin.start()
        try:
            offsets = await admin.list_consumer_group_offsets(group)
        finally:
            await admin.close()
        return {(partition.topic, partition.partition): found.offset for partition, found in offsets.items()}

    return asyncio.run(main())
