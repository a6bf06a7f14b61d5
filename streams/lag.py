"""How far the readers of a stream worker are behind. Each reader provides its positions; the ends of the log are
requested from Kafka for all of them at once (`streams.watch`), so that a reader that has stopped reading is visible
too."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from aiokafka import TopicPartition

from runtime.kafka import Kafka
from runtime.lag import Lag, Reached

Stand = Callable[[], Mapping[TopicPartition, Reached]]
"""A reader's positions in the partitions assigned to it now."""


class ReadersLag:
    """The lag of the readers of one worker, by name."""

    def __init__(self, kafka: Kafka, readers: Mapping[str, Stand]) -> None:
        self._kafka = kafka
        self._readers = [(Lag(name), stand) for name, stand in readers.items()]

    def partitions(self) -> set[TopicPartition]:
        """The partitions whose ends are needed."""
        return {partition for _, stand in self._readers for partition in stand()}

    def show(self, ends: Mapping[TopicPartition, int]) -> None:
        """Set the gauges."""
        now = time.time()
        known = {self._place(partition): end for partition, end in ends.items()}
        for lag, stand in self._readers:
            lag.show({self._place(partition): at for partition, at in stand().items()}, known, now)

    def _place(self, partition: TopicPartition) -> tuple[str, int]:
        return self._kafka.topic(partition.topic).name, partition.partition


def reached(
    next_offsets: Mapping[TopicPartition, int], times: Mapping[TopicPartition, int]
) -> dict[TopicPartition, Reached]:
    """A reader's positions, from its next offsets and the append times of the records processed last, ms."""
    return {partition: Reached(offset, times.get(partition)) for partition, offset in next_offsets.items()}


def of_topic(stand: Stand, topic: str) -> Stand:
    """The positions in one topic."""

    def part() -> Mapping[TopicPartition, Reached]:
        return {partition: at for partition, at in stand().items() if partition.topic == topic}

    return part


__all__ = ["ReadersLag", "Stand", "of_topic", "reached"]
