"""Dead letters: a record that a stage cannot process is published to its topic's dead letter queue, and acknowledged
only after the broker has acknowledged that.

If the queue cannot be written, the process ends at once: no record may be lost silently.
"""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from runtime import log, metrics
from runtime.kafka import Kafka
from runtime.lifecycle import end_hard
from runtime.log_fields import fields
from schemas.headers import dead_value, dlq_headers
from schemas.log_record import LogRecord
from schemas.topics import dlq_of

_log = log.get(__name__)
CONFIRM_SECONDS = 30.0


class DeadLetters:
    """Writes dead letters through an idempotent producer that its owner starts and stops."""

    def __init__(self, kafka: Kafka, producer: AIOKafkaProducer) -> None:
        self._kafka = kafka
        self._producer = producer

    async def put(self, record: LogRecord, error: Exception, attempt: int = 1) -> None:
        """Publish and wait for the acknowledgement; without one the process ends and this does not return."""
        declared = self._kafka.topic(record.topic)
        headers = dlq_headers(
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            timestamp=record.timestamp,
            error=error,
            attempt=attempt,
            size=len(record.value or b""),
        )
        headers += record.headers  # after our own, whatever their names: the record can be restored exactly
        try:
            future = await self._producer.send(
                self._kafka.name(dlq_of(declared)),
                value=dead_value(record.value),
                key=record.key,
                partition=0,
                headers=headers,
            )
            await asyncio.wait_for(future, CONFIRM_SECONDS)
        except (KafkaError, TimeoutError) as failure:
            end_hard(f"dead letter of {record.topic}:{record.partition}:{record.offset} not written: {failure}")
        metrics.DEAD_LETTERS.labels(declared.name).inc()
        _log.warning("dead letter", **fields(record), error=str(error))
