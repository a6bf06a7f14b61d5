"""A group's offset is of one life of its topic: it is committed with the topic's epoch as its metadata.

A recreated topic has the name of the former one, and the group's offset remains. Read from there, the new topic's first
records would be skipped, whenever that is noticed and however the reader ended. So an offset of another epoch is no
position: the new topic is read from its beginning. One without metadata (of an operator's tool, or of an earlier build) is
of the present life.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from runtime import log
from runtime.kafka import Kafka
from runtime.topic_watch import Lives

_log = log.get(__name__)


class GroupOffsets:
    """Offsets of a worker's groups. `lives`: those of the topics when the worker started; it ends when they change."""

    def __init__(self, kafka: Kafka, lives: Lives) -> None:
        self._epochs: Mapping[str, str] = {
            kafka.settings.topic_prefix + name: life.epoch for name, life in lives.items()
        }

    def at(self, partition: TopicPartition, offset: int) -> OffsetAndMetadata:
        """An offset to be committed."""
        return OffsetAndMetadata(offset, self._epochs.get(partition.topic, ""))

    async def committed(
        self, consumer: AIOKafkaConsumer, partitions: Iterable[TopicPartition]
    ) -> dict[TopicPartition, int | None]:
        """The offsets of the consumer's group; None: it has none; 0: it has one of a former life. Raises KafkaError."""
        found: dict[TopicPartition, int | None] = dict.fromkeys(partitions)
        for partition, there in (await consumer._coordinator.fetch_committed_offsets([*found])).items():
            epoch = self._epochs.get(partition.topic)
            is_former = epoch is not None and there.metadata not in ("", epoch)
            found[partition] = 0 if is_former else there.offset
            if is_former:
                _log.warning(
                    "the group's offset is of a former topic: the new one is read from its beginning",
                    topic=partition.topic, partition=partition.partition, offset=there.offset,
                )  # fmt: skip
        return found

    async def seek(
        self, consumer: AIOKafkaConsumer, partitions: Iterable[TopicPartition]
    ) -> dict[TopicPartition, int | None]:
        """Begin at the group's offsets, which are returned; where it has none, the consumer begins as it is set up to."""
        offsets = await self.committed(consumer, partitions)
        for partition, offset in offsets.items():
            if offset is not None:
                consumer.seek(partition, offset)
        return offsets
