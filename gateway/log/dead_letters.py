"""Dead letters by REST: the newest of each queue, one whole, and what becomes of it (`runtime.dlq`).

A letter is given back from here where this process may write its topic (`schemas.acls`): jobs, reports, and for the
change log the scan that stands for it. It may write no change, no media update and no cover, for it is what the world can
reach: letters of those are the command line's. Every queue may be looked at, and its letters discarded.
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
from runtime.dlq.redriving import Asked, Outcome, discard, redrive
from runtime.errors import NotProvisioned
from runtime.kafka import Kafka
from schemas.acls import NEEDS
from schemas.dead_letters import Letter
from schemas.topics import GUARDED, Topic

REACH = 2_000
"""Newest offsets of a queue whose letters are listed."""
KEPT_SECONDS = 2.0
READ_SECONDS = 20.0
DEED_SECONDS = 60.0
GIVEN_BACK = tuple(topic for topic in GUARDED if topic in NEEDS[COMPONENT].writes)
"""Topics whose letters are given back from here."""


class NotFromHere(GatewayError):
    """Letters of this topic are given back at the command line."""

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        super().__init__(f"a gateway writes no record of {topic.name}: catalogizer dlq redrive {topic.name}")


class QueueTaken(GatewayError):
    """Somebody else sees to the same queue."""

    retryable = True


class DeadLetterQueues:
    """Reads them, a few at once, and sees to one letter at a time."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._listed: Briefly[dict[Topic, list[Letter]]] = Briefly(KEPT_SECONDS)
        self._reading = asyncio.Semaphore(2)
        self._doing = asyncio.Lock()

    def name(self, topic: Topic) -> str:
        """The topic's name on the installation."""
        return self._kafka.name(topic)

    async def newest(self, topics: tuple[Topic, ...] = GUARDED) -> dict[Topic, list[Letter]]:
        """Letters among the newest REACH offsets of each queue that is there, without their values, the oldest first;
        `KEPT_SECONDS` old at most. Raises LogUnavailable."""

        async def make() -> dict[Topic, list[Letter]]:
            async with _answering(READ_SECONDS):
                return await queues(self._kafka, topics, REACH)

        return await self._listed.get(topics, make)

    async def letter(self, topic: Topic, offset: int) -> Letter | None:
        """One with its value. Raises LogUnavailable."""
        async with _answering(READ_SECONDS), self._reading:
            return await letter_at(self._kafka, topic, offset)

    async def redrive(self, topic: Topic, offset: int, by: str) -> Outcome:
        """Give it back, or ask for the scan that stands for it; once, however often it is asked. Raises NoLetter,
        NotFromHere, QueueTaken, LogUnavailable."""
        if topic not in GIVEN_BACK:
            raise NotFromHere(topic)
        async with self._seeing_to():
            (outcome,) = await redrive(self._kafka, _asked(topic, offset, by))
        return outcome

    async def discard(self, topic: Topic, offset: int, by: str, reason: str) -> Outcome:
        """Mark it as seen to. Raises NoLetter, QueueTaken, LogUnavailable."""
        async with self._seeing_to():
            (outcome,) = await discard(self._kafka, _asked(topic, offset, by), reason)
        return outcome

    @asynccontextmanager
    async def _seeing_to(self) -> AsyncIterator[None]:
        """One at a time: who opens a queue's ledger takes it from whoever has it."""
        try:
            async with _answering(DEED_SECONDS), self._doing:
                yield
        except LedgerTaken as error:
            raise QueueTaken(str(error)) from error
        finally:
            self._listed.forget()


def _asked(topic: Topic, offset: int, by: str) -> Asked:
    return Asked(topic, (offset,), execute=True, by=by, source=f"urn:catalogizer:{COMPONENT}")


@asynccontextmanager
async def _answering(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except (KafkaError, OSError, NotProvisioned, QueueSilent, TimeoutError) as error:
        raise LogUnavailable(str(error) or type(error).__name__) from error
