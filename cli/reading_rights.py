"""Whether topics can be read, asked before they are: a client that may not reads on without a word."""

from __future__ import annotations

from aiokafka import AIOKafkaConsumer

from runtime.errors import NotProvisioned
from runtime.kafka import Kafka
from runtime.rights import not_allowed
from runtime.topic_ids import look
from schemas.topics import Topic


async def check_readable(kafka: Kafka, consumer: AIOKafkaConsumer, *topics: Topic) -> None:
    """Raises NotAllowed, which names principal and topic; NotProvisioned; KafkaError."""
    seen = await look(consumer._client, [kafka.name(topic) for topic in topics])
    for topic in topics:
        name = kafka.name(topic)
        there = seen.topics.get(name)
        if name in seen.hidden or (there is not None and "Read" not in there.allowed):
            raise not_allowed(kafka, "Read", topic)
        if name in seen.topics and there is None:
            raise NotProvisioned(name)
