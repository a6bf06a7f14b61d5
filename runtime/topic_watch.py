"""Whether the topics of a process are still those that were made for it: looked at when it starts and every minute.

An operator's tools can make a topic anew, add partitions to it and delete records from it, and nothing in the flow of
records shows it: a reader goes on in the new topic as if it were the old one. What was found is a check of health; what
follows from it is the process's own affair.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from runtime import log
from runtime.epochs import TopicLife, lives_by
from runtime.errors import NotProvisioned
from runtime.kafka import Kafka
from runtime.log_reading import bounds, reader
from schemas.acls import NEEDS, Component
from schemas.topics import RAW

EVERY_SECONDS = 60.0

_log = log.get(__name__)
Lives = Mapping[str, TopicLife]


class TopicWatch:
    """Of the topics that a component uses. `problem` is for its health."""

    def __init__(self, kafka: Kafka, component: Component) -> None:
        needs = NEEDS[component]
        self._kafka = kafka
        self._topics = tuple(dict.fromkeys((*needs.reads, *needs.writes)))
        self._problems: tuple[str, ...] = ()

    def problem(self) -> str | None:
        """What is wrong with the topics, as last looked at."""
        return "; ".join(self._problems) or None

    async def look(self) -> Lives:
        """The life of each topic now, by its declared name. Raises NotProvisioned, KafkaError, OSError, TimeoutError."""
        async with reader(self._kafka) as consumer:
            lives = await lives_by(consumer, self._kafka)
            found = [*self._wrong(lives), *await self._truncated(consumer, lives)]
        for problem in found:
            if problem not in self._problems:
                _log.error("a topic is not as it was made", problem=problem)
        self._problems = tuple(found)
        return lives

    async def run(self, looked: Callable[[Lives], None] = lambda lives: None) -> None:
        """Look for ever; to be cancelled. `looked` is given what was found. While Kafka does not answer, nothing is
        concluded."""
        while True:
            try:
                looked(await self.look())
            except (KafkaError, NotProvisioned, OSError, TimeoutError) as error:
                _log.warning("topics not looked at", error=str(error) or type(error).__name__)
            await asyncio.sleep(EVERY_SECONDS)

    def _wrong(self, lives: Lives) -> list[str]:
        found = []
        for topic in self._topics:
            name, life = self._kafka.name(topic), lives.get(topic.name)
            if life is None:
                found.append(f"{name} is not there: run `catalogizer topics apply`")
                continue
            if life.anew:
                found.append(f"{name} was made anew by other means: run `catalogizer topics apply`")
            if life.partitions != (declared := topic.partition_count(self._kafka.lanes)):
                found.append(
                    f"{name} has {life.partitions} partitions and was declared with {declared}: what others write into"
                    " partitions of its own is not in order with the rest; make it anew"
                )
        return found

    async def _truncated(self, consumer: AIOKafkaConsumer, lives: Lives) -> list[str]:
        """The change log is needed whole: the fold's state is computed from its beginning."""
        if RAW not in self._topics or RAW.name not in lives:
            return []
        name = self._kafka.name(RAW)
        places = [TopicPartition(name, lane) for lane in range(lives[RAW.name].partitions)]
        earliest = (await bounds(consumer, places)).earliest
        return [
            f"records of {name} were deleted: lane {place.partition} begins at {first}, and the fold needs it from 0 when"
            " it starts"
            for place, first in earliest.items()
            if first > 0
        ]
