"""What a `read_committed` reader that is not ours finds in a topic (librdkafka)."""

from __future__ import annotations

import time
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from runtime.settings import KafkaSettings

AWAY = (KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT)
_PASSING = (
    *AWAY, KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE, KafkaError._UNKNOWN_PARTITION,
    KafkaError._UNKNOWN_TOPIC, KafkaError._DESTROY_BROKER,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Read:
    """One record as it was read."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


def connection(brokers: str | KafkaSettings) -> dict[str, str]:
    """How librdkafka connects: by an address, or with the credentials of settings."""
    if isinstance(brokers, str):
        return {"bootstrap.servers": brokers}
    found = {"bootstrap.servers": brokers.bootstrap_servers or "", "security.protocol": brokers.security_protocol}
    if brokers.sasl_password is not None:
        found |= {
            "sasl.mechanism": brokers.sasl_mechanism,
            "sasl.username": brokers.sasl_username or "",
            "sasl.password": brokers.sasl_password.get_secret_value(),
        }
    if brokers.ssl_cafile is not None:
        found["ssl.ca.location"] = str(brokers.ssl_cafile)
    return found


def read_all(
    brokers: str | KafkaSettings, topic: str, *partitions: int, isolation: str = "read_committed"
) -> list[Read]:
    """Everything in these partitions from their beginning to their end as of now, partition after partition."""
    consumer = Consumer(
        {
            **connection(brokers),
            "group.id": "tests-independent-reader",
            "enable.auto.commit": False,
            "isolation.level": isolation,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "fetch.wait.max.ms": 10,
            "fetch.error.backoff.ms": 10,
        }
    )
    found: dict[int, list[Read]] = {partition: [] for partition in partitions}
    open_ = set(partitions)
    try:
        for partition in partitions:
            watermarks(consumer, TopicPartition(topic, partition))  # they are known
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])
        while open_:
            for message in consumer.consume(1_000, timeout=0.05):
                error = message.error()
                if error is None:
                    found[message.partition() or 0].append(_read(message))
                elif error.code() == KafkaError._PARTITION_EOF:
                    open_.discard(message.partition())
                else:
                    raise RuntimeError(str(error))
    finally:
        consumer.close()
    return [read for partition in partitions for read in found[partition]]


def watermarks(consumer: Consumer, partition: TopicPartition, seconds: float = 60.0) -> tuple[int, int]:
    """Where a partition begins and ends. One that was just made has no leader yet, and a broker that has just come back
    does not know for a moment what it leads, nor that it has it: librdkafka does not wait. Nor can its beginning be
    believed then: where the broker names an end alone, librdkafka takes that for both."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            low, high = consumer.get_watermark_offsets(partition, timeout=seconds)
            return int(low), int(high)
        except KafkaException as error:
            is_passing = error.args[0].retriable() or error.args[0].code() in _PASSING
            if not is_passing or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _read(message: Message) -> Read:
    return Read(
        message.topic() or "",
        message.partition() or 0,
        message.offset() or 0,
        message.timestamp()[1],
        message.key(),
        message.value(),
        tuple(message.headers() or ()),  # type: ignore[arg-type]  # a list of pairs when read
    )
