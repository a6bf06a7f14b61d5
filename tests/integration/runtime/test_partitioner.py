"""Another vendor's client, configured to partition as Kafka's own does, puts every key where we expect it."""

from __future__ import annotations

import random

from confluent_kafka import KafkaError, Message, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from runtime.kafka import Kafka
from schemas.lanes import partition_of

PARTITIONS = 12
SECONDS = 30


def test_an_independent_client_partitions_as_we_compute(kafka: Kafka) -> None:
    servers: dict[str, str | int | float | bool] = {"bootstrap.servers": kafka.settings.bootstrap_servers or ""}
    topic = f"{kafka.settings.topic_prefix}partitioned"
    admin = AdminClient(servers)
    for made in admin.create_topics([NewTopic(topic, PARTITIONS, 1)]).values():
        made.result(SECONDS)
    chance = random.Random(7)
    keys = [b"home", "Ünïcode".encode(), *(chance.randbytes(1 + n % 40) for n in range(200))]
    found: dict[bytes, int | None] = {}

    def delivered(error: KafkaError | None, message: Message) -> None:
        assert error is None, error
        found[message.key() or b""] = message.partition()

    producer = Producer({**servers, "partitioner": "murmur2_random"})
    for key in keys:
        producer.produce(topic, b"", key, on_delivery=delivered)
    assert producer.flush(SECONDS) == 0
    assert found == {key: partition_of(key, PARTITIONS) for key in keys}
    assert len(set(found.values())) == PARTITIONS
    admin.delete_topics([topic])[topic].result(SECONDS)
