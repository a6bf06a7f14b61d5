"""A member of a group joins once: aiokafka 0.14 sends a JoinGroup for each assignor that it is given, and workers that join
twice in a round put each other out of step, one of them always a generation ahead of the others (seen for 120 s on end)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from runtime.kafka import Kafka, stop_client
from schemas.topics import RAW
from streams.library.assignor import KeepingAssignor


@pytest.mark.parametrize("options", [{}, {"assignor": KeepingAssignor()}], ids=["round-robin", "keeping"])
def test_who_joins_alone_is_of_the_first_generation(kafka: Kafka, options: dict[str, Any]) -> None:
    assert asyncio.run(generation(kafka, kafka.group("joins"), **options)) == 1


async def generation(kafka: Kafka, group: str, **options: Any) -> int:
    """The group's generation by the time its only member has partitions."""
    consumer = kafka.group_consumer(group, instance="one", **options)
    await consumer.start()
    try:
        consumer.subscribe([kafka.name(RAW)])
        for _ in range(1_500):
            if consumer.assignment():
                break
            await asyncio.sleep(0.02)
        assert consumer.assignment()
        found: int = consumer._coordinator.generation
        return found
    finally:
        await stop_client(consumer)
