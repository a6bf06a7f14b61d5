"""Dead letters by REST: the newest of each queue, a single one, and redriving or discarding it (`runtime.dlq`).

A letter is redriven from here if this process may write its topic (`schemas.acls`): jobs, reports, and for the change log
the scan that replaces the record. The gateway may write no change, media update or cover, because it is reachable from
outside: letters of those are redriven at the command line. Every queue may be read, and its letters discarded.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.errors import KafkaError

from gateway.errors import GatewayError
from gateway.log.briefly import Briefly
from gateway.log.publishing import COMPONENT
from gateway.log.reader import LogUnavailable
from runtime.dlq.errors import LedgerTaken, QueueSilent
from runtime.dlq.reading import letter_at, queues
from runtime.dlq.redriving import Outcome, RedriveRequest, discard, redrive
from runtime.errors import NotProvisioned
from runtime.kafka import Kafka
from schemas.acls import NEEDS
from schemas.dead_letters import Letter
from schemas.topics import GUARDED, Topic

REACH = 2_000
"""Newest offsets of a queue whose letters are listed."""
KEPT_SECONDS = 2.0
READ_SECONDS = 20.0
ACTION_SECONDS = 60.0
REDRIVABLE = tuple(topic for topic in GUARDED if topic in NEEDS[COMPONENT].writes)
"""Topics whose letters are redriven from here."""


class NotFromHere(GatewayError):
    """Letters of this topic are redriven at the command line."""

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        super().__init__(f"a gateway writes no record of {topic.name}: catalogizer dlq redrive {topic.name}")


class QueueTaken(GatewayError):
    """Somebody else works on the same queue."""

    retryable = True


class DeadLetterQueues:
    """Reads queues, a few at once, and redrives or discards one letter at a time."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._listed: Briefly[dict[Topic, list[Letter]]] = Briefly(KEPT_SECONDS)
        self._reading = asyncio.Semaphore(2)
        self._doing = asyncio.Lock()

    def name(self, topic: Topic) -> str:
        """The topic's name on the installation."""
        return self._kafka.name(topic)

    async def newest(self, topics: tuple[Topic, ...] = GUARDED) -> dict[Topic, list[Letter]]:
        """Letters among the newest REACH offsets of each existing queue, without their values, the oldest first; at most
        `KEPT_SECONDS` old. Raises LogUnavailable."""

        async def make() -> dict[Topic, list[Letter]]:
            async with _answering(READ_SECONDS):
                return await queues(self._kafka, topics, REACH)

        return await self._listed.get(topics, make)

    async def letter(self, topic: Topic, offset: int) -> Letter | None:
        """One letter with its value. Raises LogUnavailable."""
        async with _answering(READ_SECONDS), self._reading:
            return await letter_at(self._kafka, topic, offset)

    async def redrive(self, topic: Topic, offset: int, by: str) -> Outcome:
        """Redrive a letter, or request the scan that replaces it; once, however often this is called. Raises NoLetter,
        NotFromHere, QueueTaken, LogUnavailable."""
        if topic not in REDRIVABLE:
            raise NotFromHere(topic)
        async with self._exclusive():
            (outcome,) = await redrive(self._kafka, _request(topic, offset, by))
        return outcome

    async def discard(self, topic: Topic, offset: int, by: str, reason: str) -> Outcome:
        """Close a letter without redriving it. Raises NoLetter, QueueTaken, LogUnavailable."""
        async with self._exclusive():
            (outcome,) = await discard(self._kafka, _request(topic, offset, by), reason)
        return outcome

    @asynccontextmanager
    async def _exclusive(self) -> AsyncIterator[None]:
        """One at a time: opening a queue's ledger takes it from its present owner."""
        try:
            async with _answering(ACTION_SECONDS), self._doing:
                yield
        except LedgerTaken as error:
            raise QueueTaken(str(error)) from error
        finally:
            self._listed.forget()


def _request(topic: Topic, offset: int, by: str) -> RedriveRequest:
    return RedriveRequest(topic, (offset,), execute=True, by=by, source=f"urn:catalogizer:{COMPONENT}")


@asynccontextmanager
async def _answering(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except (KafkaError, OSError, NotProvisioned, QueueSilent, TimeoutError) as error:
        raise LogUnavailable(str(error) or type(error).__name__) from error
