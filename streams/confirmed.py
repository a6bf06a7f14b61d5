"""Confirmed publishing: one idempotent producer; every send waits for its acknowledgement.

NotConfirmed   the record may or may not be in the log (retryable: sending again gives a record of the same id)
"""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from runtime.kafka import Kafka
from runtime.rights import REFUSED
from schemas.headers import Headers
from schemas.topics import Topic
from streams.errors import StreamsError

CONFIRM_SECONDS = 20.0


class NotConfirmed(StreamsError):
    """No acknowledgement came. `retryable` false: the broker rejected the record permanently. `refused`: we lack a
    permission; nothing is wrong with the record itself."""

    def __init__(self, topic: str, cause: Exception) -> None:
        self.topic = topic
        self.refused = isinstance(cause, REFUSED)
        self.retryable = not isinstance(cause, KafkaError) or bool(cause.retriable)
        super().__init__(f"{topic}: not confirmed: {cause!r}")


class Confirmed:
    """Writes through a producer that its owner starts and stops."""

    def __init__(self, kafka: Kafka, producer: AIOKafkaProducer) -> None:
        self._kafka = kafka
        self._producer = producer

    async def put(self, topic: Topic, value: bytes, *, key: bytes, partition: int, headers: Headers) -> None:
        """Write one record; returns when the broker has it. Raises NotConfirmed."""
        try:
            async with asyncio.timeout(CONFIRM_SECONDS):
                future = await self._producer.send(
                    self._kafka.name(topic), value, key=key, partition=partition, headers=headers
                )
                await asyncio.shield(future)
        except (KafkaError, TimeoutError) as error:
            raise NotConfirmed(topic.name, error) from error
