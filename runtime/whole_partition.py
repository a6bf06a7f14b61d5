"""All records of a small topic's partition, from its beginning to its present end."""

from __future__ import annotations

import asyncio

from aiokafka import TopicPartition

from runtime.kafka import Kafka, stop_client
from schemas.log_record import LogRecord
from schemas.topics import Topic

READ_SECONDS = 30.0
FETCH_MS = 50
"""Short, because a transaction's marker at the end does not wake a fetch."""


class NotProvisioned(Exception):
    """The topics have not been created on this installation; `missing`: the topic that was looked for."""

    retryable = True

    def __init__(self, missing: str) -> None:
        self.missing = missing
        super().__init__(f"{missing} is not there: run `catalogizer topics apply`")


async def read_whole(kafka: Kafka, topic: Topic) -> list[LogRecord]:
    """All records of partition 0 in their order. Raises NotProvisioned, KafkaError, OSError, TimeoutError."""
    partition = TopicPartition(kafka.name(topic), 0)
    consumer = kafka.tail_consumer()
    try:
        async with asyncio.timeout(READ_SECONDS):
            await consumer.start()
            if (
                not consumer.partitions_for_topic(partition.topic)
                and partition.topic not in await consumer.topics()
            ):
                raise NotProvisioned(partition.topic)
            consumer.assign([partition])
            await consumer.seek_to_beginning(partition)
            end = (await consumer.end_offsets([partition]))[partition]
            found: list[LogRecord] = []
            while await consumer.position(partition) < end:
                found += (await consumer.getmany(partition, timeout_ms=FETCH_MS)).get(partition, ())
            return found
    finally:
        await stop_client(consumer)
