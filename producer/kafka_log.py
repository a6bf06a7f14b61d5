"""The change log in Kafka behind the port `Log`: idempotent, one batch in flight per caller. The Kafka producer is replaced
when it can no longer be used.

aiokafka never gives up an idempotent batch while it knows the leader, so each append has a deadline of its own; and a
fatal sequence error makes a Kafka producer unusable. In both cases it is replaced, and the caller sends the same records
again: the fold drops those whose `seq` it has seen."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from producer import spans
from producer.errors import NotAcknowledged
from producer.ports import Outgoing, Points, no_points
from runtime import traces
from runtime.errors import NotProvisioned
from runtime.kafka import Kafka, stop_client
from runtime.rights import check_topics, not_allowed
from schemas.headers import raw_headers
from schemas.topics import RAW
from schemas.trace import begun

BATCH_BYTES = 900_000
CONFIRM_SECONDS = 30.0
STOP_SECONDS = 3.0
RENEW_RECORDS = 1_000_000_000
"""aiokafka's sequence numbers wrap wrongly after 2^31 records of a partition: replace the Kafka producer long before."""


class KafkaLog:
    """One Kafka producer for all roots of the process."""

    def __init__(
        self, kafka: Kafka, *, points: Points = no_points, confirm_seconds: float = CONFIRM_SECONDS
    ) -> None:
        self._kafka = kafka
        self._topic = kafka.name(RAW)
        self._points = points
        self._confirm_seconds = confirm_seconds
        self._producer: AIOKafkaProducer | None = None
        self._building = asyncio.Lock()
        self._sent = 0

    async def append(self, lane: int, key: bytes, records: Sequence[Outgoing]) -> None:
        """See the port."""
        producer = await self._ready()
        try:
            rest = list(records)
            while rest:
                rest = rest[await self._batch(producer, lane, key, rest) :]
        except TopicAuthorizationFailedError as error:
            await self._discard(producer)
            raise NotAcknowledged(str(not_allowed(self._kafka, "Write", RAW))) from error
        except (KafkaError, TimeoutError, AssertionError) as error:  # aiokafka asserts that a partition exists
            await self._discard(producer)
            raise NotAcknowledged(f"{type(error).__name__}: {error}") from error
        self._sent += len(records)
        if self._sent >= RENEW_RECORDS:
            self._sent = 0
            await self._discard(producer)

    async def start(self) -> None:
        """Connect. Raises NotAcknowledged where no broker answers."""
        await self._ready()

    async def stop(self) -> None:
        """Stop the Kafka producer; records that are not acknowledged by now are still in their outboxes."""
        if self._producer is not None:
            await self._discard(self._producer)

    async def _ready(self) -> AIOKafkaProducer:
        async with self._building:
            if self._producer is None:
                producer = self._kafka.producer(linger_ms=0, max_batch_size=BATCH_BYTES)
                try:
                    async with asyncio.timeout(self._confirm_seconds):
                        await producer.start()
                        await check_topics(self._kafka, producer.client, "Write", RAW)
                except NotProvisioned as error:
                    await stop_client(producer, STOP_SECONDS)
                    raise NotAcknowledged(str(error)) from error
                except (KafkaError, TimeoutError, OSError) as error:
                    await stop_client(producer, STOP_SECONDS)
                    raise NotAcknowledged(f"{type(error).__name__}: {error}") from error
                self._producer = producer
            return self._producer

    async def _batch(self, producer: AIOKafkaProducer, lane: int, key: bytes, records: list[Outgoing]) -> int:
        """Send as many records as fit into one batch; returns how many, once they are acknowledged."""
        batch = producer.create_batch()
        count = 0
        for record in records:
            headers = raw_headers(record.kind, begun(record.value))
            added = batch.append(timestamp=None, key=key, value=record.value, headers=headers)
            if added is None:
                break
            count += 1
        batch.close()
        async with asyncio.timeout(self._confirm_seconds):
            confirmed = await producer.send_batch(batch, self._topic, partition=lane)
            self._points("after_send")
            await confirmed
        if (exporter := traces.exporter()) is not None:
            spans.observed(exporter, key, lane, records[:count])
        return count

    async def _discard(self, producer: AIOKafkaProducer) -> None:
        if self._producer is producer:
            self._producer = None
        await stop_client(producer, STOP_SECONDS)
