"""Taking over partitions: where each continues is settled with database, group and log before its first record.

Runs in the flow's own task, never in a rebalance callback (no heartbeat runs there, and its exceptions vanish).
An operator's reset is applied here; after it the group's offset has our mark again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime import log
from runtime.epochs import read_epochs
from runtime.errors import NotProvisioned
from runtime.kafka import Kafka
from runtime.log_reading import bounds
from streams.projector.errors import LogEpochChanged, LogOvertaken, LogShorter
from streams.projector.positions import (
    Begin,
    Decision,
    GoOn,
    GroupOffset,
    LogRange,
    OtherEpoch,
    Overtaken,
    Partition,
    PartitionPosition,
    RefuseAhead,
    Rewind,
    Shorter,
    decide,
    mark,
)
from streams.projector.store import Store

GROUP = "projector"

_log = log.get(__name__)


def partition_of(kafka: Kafka, place: TopicPartition) -> Partition:
    """A partition of the installation by the topic's declared name."""
    return Partition(kafka.topic(place.topic).name, place.partition)


async def epochs_of(kafka: Kafka, topics: Iterable[str]) -> dict[str, str]:
    """The current epoch of each topic. Raises NotProvisioned."""
    records = await read_epochs(kafka)
    for topic in topics:
        if topic not in records:
            raise NotProvisioned(kafka.settings.topic_prefix + topic)
    return {topic: record.epoch for topic, record in records.items()}


async def group_offsets(kafka: Kafka, group: str) -> dict[TopicPartition, GroupOffset]:
    """The group's offsets with metadata (which a consumer does not return)."""
    admin = kafka.admin()
    await admin.start()
    try:
        found = await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()
    return {
        place: GroupOffset(kept.offset, kept.metadata or "") for place, kept in found.items() if kept.offset >= 0
    }


class Takeover:
    """Settles where assigned partitions continue."""

    def __init__(self, kafka: Kafka, consumer: AIOKafkaConsumer, store: Store) -> None:
        self._kafka = kafka
        self._consumer = consumer
        self._store = store

    async def settle(self, places: set[TopicPartition]) -> dict[TopicPartition, PartitionPosition]:
        """The position of each partition, after database and group agree. Raises Alarm, StoreUnavailable, KafkaError,
        NotProvisioned; may be called again after any of them."""
        epochs = await epochs_of(self._kafka, {self._kafka.topic(place.topic).name for place in places})
        group = await group_offsets(self._kafka, self._kafka.group(GROUP))
        within = await bounds(self._consumer, places)
        kept = await self._store.positions()
        settled: dict[TopicPartition, PartitionPosition] = {}
        for place in sorted(places):
            partition = partition_of(self._kafka, place)
            range_ = LogRange(within.earliest[place], within.end[place], epochs[partition.topic])
            decision = decide(kept.get(partition), group.get(place), range_)
            settled[place] = PartitionPosition(await self._follow(partition, range_, decision), range_.epoch)
        await self._mark(settled, group)
        return settled

    async def _follow(self, partition: Partition, range_: LogRange, decision: Decision) -> int:
        match decision:
            case Begin(at):
                await self._store.begin(partition, PartitionPosition(at, range_.epoch))
                return at
            case GoOn(at):
                return at
            case Rewind(at, was):
                _log.warning("reset honoured", partition=str(partition), was=was, to=at)
                return at if await self._store.move(partition, was, at) else was
            case RefuseAhead(at, wanted):
                _log.error("reset refused: it would skip records", partition=str(partition), at=at, wanted=wanted)
                return at
            case OtherEpoch(kept):
                raise LogEpochChanged(partition, kept, range_.epoch)
            case Overtaken(position):
                raise LogOvertaken(partition, position, range_.beginning)
            case Shorter(position):
                raise LogShorter(partition, position, range_.end)
        assert_never(decision)

    async def _mark(
        self, settled: dict[TopicPartition, PartitionPosition], group: dict[TopicPartition, GroupOffset]
    ) -> None:
        """Commit our mark where it is missing, before anything is projected: else a reset would be applied again at the
        next start."""
        wanted = {
            place: GroupOffset(position.next_offset, mark(position.epoch)) for place, position in settled.items()
        }
        missing = {place: offset for place, offset in wanted.items() if group.get(place) != offset}
        if missing:
            await self._consumer.commit(
                {place: (offset.next_offset, offset.metadata) for place, offset in missing.items()}
            )
