"""The present state of the log's topics: the ends of their partitions, and the positions of the groups that read them.

Their size in bytes is missing: a broker reports it only to principals that may describe the whole cluster.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from gateway.log.briefly import Briefly
from gateway.log.reader import LogUnavailable
from runtime.errors import NotProvisioned
from runtime.kafka import Kafka
from runtime.log_reading import LogBounds, bounds, reader
from runtime.topic_ids import SeenTopics, look
from schemas.topics import ALL_TOPICS, Topic

KEPT_SECONDS = 2.0
SECONDS = 10.0

Committed = dict[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class GroupAt:
    """A group's position in a topic: the next offset by partition, and its lag in offsets."""

    group: str
    next_offsets: dict[int, int]
    lag: int


@dataclass(frozen=True, slots=True)
class TopicNow:
    """`earliest`, `end`: by partition; empty if the topic does not exist, or we may not see it."""

    topic: Topic
    earliest: dict[int, int]
    end: dict[int, int]
    groups: tuple[GroupAt, ...]


class LogTopics:
    """Reads the state of topics."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._answers: Briefly[list[TopicNow]] = Briefly(KEPT_SECONDS)

    async def now(self) -> list[TopicNow]:
        """All declared topics, at most `KEPT_SECONDS` old. Raises LogUnavailable."""
        return await self._answers.get(None, self._read)

    async def _read(self) -> list[TopicNow]:
        try:
            async with asyncio.timeout(SECONDS), reader(self._kafka) as consumer:
                names = [self._kafka.name(topic) for topic in ALL_TOPICS]
                within = await _within(consumer, await look(consumer._client, names))
                groups = await self._groups()
        except (KafkaError, OSError, NotProvisioned, TimeoutError) as error:
            raise LogUnavailable(str(error)) from error
        return [_now(topic, self._kafka.name(topic), within, groups) for topic in ALL_TOPICS]

    async def _groups(self) -> dict[str, Committed]:
        """The committed offsets of this installation's groups."""
        admin = self._kafka.admin()
        await admin.start()
        try:
            ours = self._kafka.group("")
            names = sorted(name for name, *_ in await admin.list_consumer_groups() if name.startswith(ours))
            return {name: await _committed(admin, name) for name in names}
        finally:
            await admin.close()


async def _committed(admin: AIOKafkaAdminClient, group: str) -> Committed:
    found = await admin.list_consumer_group_offsets(group)
    return {place: kept.offset for place, kept in found.items() if kept.offset >= 0}


async def _within(consumer: AIOKafkaConsumer, seen: SeenTopics) -> LogBounds:
    places = [
        TopicPartition(name, n) for name, topic in seen.topics.items() if topic for n in range(topic.partitions)
    ]
    consumer.assign(places)  # the client knows only the partitions of topics that it reads
    return await bounds(consumer, places)


def _now(topic: Topic, name: str, within: LogBounds, groups: dict[str, Committed]) -> TopicNow:
    earliest = {place.partition: int(offset) for place, offset in within.earliest.items() if place.topic == name}
    end = {place.partition: int(offset) for place, offset in within.end.items() if place.topic == name}
    return TopicNow(topic, earliest, end, tuple(_at(name, earliest, end, groups.items())))


def _at(
    name: str, earliest: dict[int, int], end: dict[int, int], groups: Iterable[tuple[str, Committed]]
) -> Iterable[GroupAt]:
    for group, committed in groups:
        positions = {place.partition: offset for place, offset in committed.items() if place.topic == name}
        if positions:
            lag = sum(max(0, end[p] - max(offset, earliest[p])) for p, offset in positions.items() if p in end)
            yield GroupAt(group, positions, lag)
