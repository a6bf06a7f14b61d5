"""Exclusive access to one dead letter queue: the records written for letters, and the marks that close them, are committed
in one transaction.

Opening the ledger of a queue fences the previous owner (they share the queue's transactional id). It then reads to the end
of the queue, beyond the last stable offset: everything the previous owner committed is seen, and it can commit nothing more.
So a letter is redriven exactly once, even if a process is killed at any point. All readers are `read_committed`: they see
a transaction as a whole or not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import IllegalOperation, InvalidProducerEpoch, ProducerFenced
from msgspec import structs

from runtime.dlq.errors import LedgerTaken, QueueSilent
from runtime.dlq.reading import place_of, queue
from runtime.kafka import Kafka, stop_client
from runtime.log_reading import bounds, partitions_of, reader
from runtime.reports import now_iso
from schemas.codec import encode
from schemas.dead_letters import How, Letter, LetterClosed, mark_headers
from schemas.headers import Headers
from schemas.topics import Topic

COMMIT_SECONDS = 30.0

Points = Callable[[str], None]
"""Called with named points of a transaction; tests kill the process there."""


def nowhere(_point: str) -> None:
    """The default: does nothing."""


@dataclass(frozen=True, slots=True)
class Deliverable:
    """A record to write. `topic`: its name on the installation."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Ledger:
    """Created by `opened`. `letters`: the queue's letters, without their values."""

    def __init__(
        self, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer, queue_name: str, letters: list[Letter],
        by: str, points: Points,
    ) -> None:  # fmt: skip
        self._producer = producer
        self.consumer = consumer
        self._queue = queue_name
        self.letters = letters
        self._by = by
        self._points = points

    async def close(
        self, letters: Sequence[Letter], how: How, reason: str, written: Sequence[Deliverable] = ()
    ) -> None:
        """Write the records and close these letters in one transaction. Raises LedgerTaken, QueueSilent, KafkaError."""
        at = now_iso()
        marks = [
            Deliverable(
                self._queue, 0, b"%d" % letter.offset, encode(_mark(letter, how, by=self._by, at=at, reason=reason)),
                mark_headers(letter.offset),
            )
            for letter in letters
        ]  # fmt: skip
        try:
            async with asyncio.timeout(COMMIT_SECONDS), self._producer.transaction():
                self._points("before_send")
                await self._write((*written, *marks))
                self._points("before_commit")
        except (ProducerFenced, InvalidProducerEpoch) as error:
            raise LedgerTaken(self._queue) from error
        except TimeoutError:
            raise QueueSilent(self._queue, COMMIT_SECONDS) from None
        self._points("after_commit")

    async def _write(self, records: Sequence[Deliverable]) -> None:
        """Raises the error of the first that is refused. Once one is, the client takes no more, and says only that."""
        sent: list[asyncio.Future[object]] = []
        stopped: IllegalOperation | None = None
        try:
            for record in records:
                sent.append(await self._send(record))
        except IllegalOperation as error:
            stopped = error
        for outcome in await asyncio.gather(*sent, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
        if stopped is not None:
            raise stopped

    async def _send(self, record: Deliverable) -> asyncio.Future[object]:
        future: asyncio.Future[object] = await self._producer.send(
            record.topic, record.value, key=record.key, partition=record.partition, headers=record.headers
        )
        return future


@asynccontextmanager
async def opened(kafka: Kafka, topic: Topic, by: str, points: Points = nowhere) -> AsyncIterator[Ledger]:
    """The ledger of a topic's queue, for the block. `by`: who works on it, shown to people. Raises NotProvisioned,
    KafkaError, QueueSilent."""
    place = place_of(kafka, topic)
    async with reader(kafka, isolation_level="read_uncommitted") as consumer:
        await partitions_of(consumer, place.topic)  # before anything is fenced
    producer = kafka.transactional_producer(f"catalogizer.dlq.{topic.name}")
    try:
        await producer.start()
        async with reader(kafka, isolation_level="read_uncommitted") as consumer:
            await partitions_of(consumer, place.topic)
            end = (await bounds(consumer, [place])).end[place]
        async with reader(kafka) as consumer:
            letters = await queue(consumer, place, end)
            yield Ledger(producer, consumer, place.topic, letters, by, points)
    finally:
        await stop_client(producer)


def _mark(letter: Letter, how: How, *, by: str, at: str, reason: str) -> LetterClosed:
    closed = LetterClosed(letter=letter.offset, how=how, by=by, at=at, reason=reason)
    if (origin := letter.origin) is None:
        return closed
    return structs.replace(
        closed, topic=origin.topic, partition=origin.partition, offset=origin.offset, timestamp=origin.timestamp
    )
