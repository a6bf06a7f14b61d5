"""What positions and snapshots have in common: a topic that is read through a consumer of its own, without a group."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from aiokafka import AIOKafkaConsumer

from runtime.kafka import Kafka
from runtime.log_reading import reader
from schemas.topics import Topic


class Lookup:
    """Connected from `start` to `stop`, which its owner calls; one that was not started may be stopped."""

    def __init__(self, kafka: Kafka, topic: Topic, **options: Any) -> None:
        self._kafka = kafka
        self._topic = kafka.name(topic)
        self._options = options
        self._connected = AsyncExitStack()
        self._consumer: AIOKafkaConsumer
        self._lock = asyncio.Lock()  # one assignment at a time

    async def start(self) -> None:
        """Connect. Raises KafkaError."""
        self._consumer = await self._connected.enter_async_context(reader(self._kafka, **self._options))

    async def stop(self) -> None:
        """Disconnect."""
        await self._connected.aclose()
