"""Epochs of topics: the random id that tells a topic from one of the same name recreated after it."""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime.kafka import Kafka, stop_client
from schemas.admin import TopicEpoch
from schemas.codec import Codec
from schemas.topics import META

_codec: Codec[TopicEpoch] = Codec(TopicEpoch)
READ_SECONDS = 30.0


class NotProvisioned(Exception):
    """The topics have not been made on this installation; `missing` names what was looked for."""

    retryable = True

    def __init__(self, missing: str) -> None:
        self.missing = missing
        super().__init__(f"{missing} is not there: run `catalogizer topics apply`")


async def read_epochs(kafka: Kafka) -> dict[str, TopicEpoch]:
    """The newest epoch record of each topic, by the topic's declared name. Raises NotProvisioned, KafkaError,
    TimeoutError."""
    consumer = kafka.tail_consumer()
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await _read(kafka, consumer)
    finally:
        await stop_client(consumer)


async def _read(kafka: Kafka, consumer: AIOKafkaConsumer) -> dict[str, TopicEpoch]:
    await consumer.start()
    partition = TopicPartition(kafka.name(META), 0)
    if not consumer.partitions_for_topic(partition.topic) and partition.topic not in await consumer.topics():
        raise NotProvisioned(partition.topic)
    consumer.assign([partition])
    await consumer.seek_to_beginning(partition)
    end = (await consumer.end_offsets([partition]))[partition]
    found: dict[str, TopicEpoch] = {}
    while await consumer.position(partition) < end:
        batches = await consumer.getmany(partition, timeout_ms=50)  # short: markers wake nobody
        for record in batches.get(partition, ()):
            if record.value is None:  # withdrawn: the topic had vanished
                found.pop((record.key or b"").decode(errors="replace"), None)
                continue
            epoch = _codec.decode(record.value)
            found[epoch.topic] = epoch
    return found
