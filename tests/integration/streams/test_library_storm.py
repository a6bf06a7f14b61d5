"""The library fold in a storm: kills, zombies, joins and leaves, while snapshots are written and rules are adopted."""

from __future__ import annotations

from runtime.kafka import Kafka
from tests.support.fold_run import Workers
from tests.support.fold_storm import Storm, weather


def test_whatever_happens_to_workers_nothing_is_lost_or_twice(kafka: Kafka, workers: Workers) -> None:
    weathered = weather(kafka, workers, Storm(changes=1_500, kills=10, zombies=1, workers=3, seed=4))
    assert weathered.outputs > 1_500
    assert weathered.snapshots > 2
