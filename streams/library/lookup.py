"""What positions and snapshots have in common: a topic that is read through a consumer of its own, without a group."""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer

from runtime.kafka import Kafka, stop_client
from schemas.topics import Topic


class Lookup:
    """Connected from `start` to `stop`, which its owner calls; one that was not started may be stopped."""

    def __init__(self, kafka: Kafka, topic: Topic, **options: Any) -> None:
        self._kafka = kafka
        self._topic = kafka.name(topic)
        self._options = options
        self._consumer: AIOKafkaConsumer | None = None
        self._lock = asyncio.Lock()  # one assignment at a time

    async def start(self) -> None:
        """Connect. Raises KafkaError."""
        consumer = self._kafka.tail_consumer(**self._options)
        try:
            await consumer.start()
        except BaseException:
            await stop_client(consumer)
            raise
        self._consumer = consumer

    async def stop(self) -> None:
        """Disconnect."""
        if self._consumer is not None:
            await self._consumer.stop()

    @property
    def _reader(self) -> AIOKafkaConsumer:
        assert self._consumer is not None, "not started"
        return self._consumer
