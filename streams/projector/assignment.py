"""The partitions assigned to this member, and their positions. The callbacks only record changes: the flow acts."""

from __future__ import annotations

from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime.kafka import ConsumerRebalanceListener
from streams.projector.positions import PartitionPosition


class Assignment(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    """`fresh`: partitions that are assigned, but not settled yet. `positions`: of the partitions that are read."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self.fresh: set[TopicPartition] = set()
        self.positions: dict[TopicPartition, PartitionPosition] = {}
        self.answered = False

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Forget all: the position in the database decides the outcome of a transaction in progress."""
        self.fresh = set()
        self.positions.clear()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Pause them until their positions are settled."""
        self._consumer.pause(*assigned)
        self.fresh = set(assigned)
        self.answered = True

    def take(self, settled: dict[TopicPartition, PartitionPosition]) -> bool:
        """Continue reading from the settled positions; False when the assignment has changed meanwhile."""
        if self.fresh != settled.keys():
            return False
        for place, position in settled.items():
            self._consumer.seek(place, position.next_offset)
        self._consumer.resume(*settled)
        self.positions.update(settled)
        self.fresh = set()
        return True

    def reached(self, place: TopicPartition, next_offset: int) -> None:
        """A partition was projected up to there; ignored if it is not assigned to us any more."""
        if (position := self.positions.get(place)) is not None:
            self.positions[place] = PartitionPosition(next_offset, position.epoch)

    def resettle(self) -> None:
        """Settle again where all partitions continue, as if they had just been assigned."""
        self._consumer.pause(*self.positions)
        self.fresh |= set(self.positions)
        self.positions.clear()

    def put_back(self, place: TopicPartition, next_offset: int) -> None:
        """Read a partition from there; ignored if it is not assigned to us any more."""
        if place in self.positions:
            self.reached(place, next_offset)
            self._consumer.seek(place, next_offset)
