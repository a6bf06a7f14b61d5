"""What the group gave this member, and where each partition stands. Callbacks only take note: the flow acts."""

from __future__ import annotations

from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime.kafka import ConsumerRebalanceListener
from streams.projector.positions import PartitionPosition


class Assignment(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    """`fresh`: assigned, and nobody knows yet where to go on. `positions`: of those that are read."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self.fresh: set[TopicPartition] = set()
        self.positions: dict[TopicPartition, PartitionPosition] = {}
        self.heard = False

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Forget all: a transaction under way is decided by the position in the database."""
        self.fresh = set()
        self.positions.clear()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Hold them until their positions are settled."""
        self._consumer.pause(*assigned)
        self.fresh = set(assigned)
        self.heard = True

    def take(self, settled: dict[TopicPartition, PartitionPosition]) -> bool:
        """Read on from the settled positions; False when the group has changed its mind meanwhile."""
        if self.fresh != settled.keys():
            return False
        for place, position in settled.items():
            self._consumer.seek(place, position.next_offset)
        self._consumer.resume(*settled)
        self.positions.update(settled)
        self.fresh = set()
        return True

    def reached(self, place: TopicPartition, next_offset: int) -> None:
        """A partition was projected up to there, if it is still ours."""
        if (position := self.positions.get(place)) is not None:
            self.positions[place] = PartitionPosition(next_offset, position.epoch)

    def settle_anew(self) -> None:
        """Where all of them go on is to be found out as if they had just been assigned."""
        self._consumer.pause(*self.positions)
        self.fresh |= set(self.positions)
        self.positions.clear()

    def put_back(self, place: TopicPartition, next_offset: int) -> None:
        """Read a partition from there, if it is still ours."""
        if place in self.positions:
            self.reached(place, next_offset)
            self._consumer.seek(place, next_offset)
