"""Checks, when a process starts and every 20 s, that its topics are still the ones created for it, and that it still has the
rights it needs.

An operator's tools can recreate a topic, add partitions, delete records and revoke rights, and nothing in the flow of
records shows it: a reader continues in the new topic as if it were the old one, or waits forever. The findings are health
checks; the process decides what follows from them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from runtime import log
from runtime.epochs import TopicLife, lives_by
from runtime.errors import NotAllowed, NotProvisioned
from runtime.kafka import Kafka
from runtime.log_reading import bounds, reader
from runtime.rights import Rights, describe
from schemas.acls import NEEDS, Acl, Component
from schemas.ids import MAX_SAFE
from schemas.topics import RAW, Topic

EVERY_SECONDS = 20.0
"""A change is reported within a minute, even if one check fails or is slow."""
AGAIN_SECONDS = 5.0
"""The interval while a right is missing: how soon a restored right is noticed."""

_log = log.get(__name__)
Lives = Mapping[str, TopicLife]


def made_anew(before: Lives, now: Lives, topics: Iterable[Topic]) -> tuple[str, str, str] | None:
    """The first of these topics that was recreated: its declared name, its epoch before and now."""
    for name in (topic.name for topic in topics):
        if name in before and name in now and now[name].epoch != before[name].epoch:
            return name, before[name].epoch, now[name].epoch
    return None


class TopicWatch:
    """Watches the topics that a component uses. `problem` and `unmet` are health checks. `ends`: as in Rights."""

    def __init__(self, kafka: Kafka, component: Component, ends: Mapping[str, str] | None = None) -> None:
        needs = NEEDS[component]
        self._kafka = kafka
        self._topics = tuple(dict.fromkeys((*needs.reads, *needs.writes)))
        self._rights = Rights(kafka, component, ends or {})
        self._problems: tuple[str, ...] = ()
        self._absent: tuple[str, ...] = ()
        self._missing: tuple[Acl, ...] = ()
        self._soon = asyncio.Event()
        self.covered: Callable[[int], int] = lambda _lane: MAX_SAFE
        """The offset up to which a lane's state no longer needs the change log; by default the whole log is unneeded."""

    def problem(self) -> str | None:
        """What was wrong with the topics at the last check."""
        return "; ".join(self._problems) or None

    def unmet(self) -> str | None:
        """The topics and rights that were missing at the last check. Without them the component cannot work."""
        rights = (describe(self._missing),) if self._missing else ()
        return "; ".join((*self._absent, *rights)) or None

    async def look(self) -> Lives:
        """Check now; the life of each topic by its declared name. Raises NotAllowed if a topic that must be read may not be
        read, NotProvisioned, KafkaError, OSError, TimeoutError."""
        async with reader(self._kafka) as consumer:
            self._note_missing(await self._rights.missing(consumer._client))
            self._require(self._unreadable())
            lives = await lives_by(consumer, self._kafka)
            absent = [str(NotProvisioned(self._kafka.name(t))) for t in self._topics if t.name not in lives]
            found = [*absent, *self._wrong(lives), *await self._truncated(consumer, lives)]
        for problem in found:
            if problem not in self._problems:
                _log.error("a topic is not as it was made", problem=problem)
        self._problems, self._absent = tuple(found), tuple(absent)
        return lives

    async def look_and_require(self) -> Lives:
        """The same for a process that needs all its rights. Raises NotAllowed if one is missing."""
        lives = await self.look()
        self._require(self._missing)
        return lives

    async def run(self, looked: Callable[[Lives], None] = lambda lives: None, *, demanding: bool = False) -> None:
        """Check until cancelled. `looked` is called with the result. While Kafka does not answer, nothing is concluded.
        `demanding`: raise NotAllowed if a right is missing; such a process has made its first check before, so this one
        waits before it checks."""
        if demanding:
            await self._rest()
        while True:
            self._soon.clear()
            try:
                looked(await (self.look_and_require() if demanding else self.look()))
            except NotAllowed:
                if demanding:
                    raise
            except (KafkaError, NotProvisioned, OSError, TimeoutError) as error:
                _log.warning("topics not looked at", error=str(error) or type(error).__name__)
            await self._rest()

    def look_soon(self) -> None:
        """Check now instead of at the next interval, because a client was refused."""
        self._soon.set()

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._soon.wait(), AGAIN_SECONDS if self._missing else EVERY_SECONDS)

    def _note_missing(self, missing: list[Acl]) -> None:
        if new := [acl for acl in missing if acl not in self._missing]:
            _log.error("a right is missing", missing=describe(new))
        if self._missing and not missing:
            _log.info("every right is there again")
        self._missing = tuple(missing)

    def _unreadable(self) -> list[Acl]:
        return [acl for acl in self._missing if (acl.resource, acl.operation) == ("topic", "Read")]

    def _require(self, missing: Iterable[Acl]) -> None:
        if words := describe(missing):
            raise NotAllowed(words)

    def _wrong(self, lives: Lives) -> list[str]:
        found = []
        for topic in self._topics:
            name, life = self._kafka.name(topic), lives.get(topic.name)
            if life is None:
                continue
            if life.anew:
                found.append(f"{name} was recreated by other means: run `catalogizer topics apply`")
            if life.partitions != (declared := topic.partition_count(self._kafka.lanes)):
                found.append(
                    f"{name} has {life.partitions} partitions and was declared with {declared}: what others write into"
                    " partitions of its own is not in order with the rest; recreate it"
                )
        return found

    async def _truncated(self, consumer: AIOKafkaConsumer, lives: Lives) -> list[str]:
        """Problems for lanes whose change log begins after the offset from which the fold still needs it."""
        if RAW not in self._topics or RAW.name not in lives:
            return []
        name = self._kafka.name(RAW)
        places = [TopicPartition(name, lane) for lane in range(lives[RAW.name].partitions)]
        earliest = (await bounds(consumer, places)).earliest
        return [
            f"records of {name} were deleted: lane {place.partition} begins at {first}, and the fold needs it from {needed}"
            " when it starts"
            for place, first in earliest.items()
            if first > (needed := self.covered(place.partition))
        ]
