"""The log that the sender writes to, fake and Kafka: one contract."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from producer.kafka_log import KafkaLog
from producer.ports import Log, Outgoing
from runtime.kafka import Kafka
from schemas import topics
from tests.fakes.producer_log import FakeLog
from tests.support.topic import header, read

Rows = list[tuple[bytes, Outgoing]]


@dataclass
class World:
    """A log, how it is closed, and what an independent reader finds in a lane of it."""

    make: Callable[[], Log]
    found: Callable[[int], Rows]


@pytest.fixture(params=["fake", "kafka"])
def world(request: pytest.FixtureRequest) -> World:
    """One of both."""
    if request.param == "fake":
        fake = FakeLog()
        return World(lambda: fake, lambda lane: fake.records.get(lane, []))
    kafka: Kafka = request.getfixturevalue("kafka")

    def found(lane: int) -> Rows:
        records = [one for one in read(kafka, topics.RAW) if one.partition == lane]
        return [(one.key or b"", Outgoing(0, header(one, "type"), one.value or b"")) for one in records]

    return World(lambda: KafkaLog(kafka), found)


def rows(*numbers: int, size: int = 10) -> list[Outgoing]:
    return [Outgoing(0, "observed", f"{number}".encode().ljust(size)) for number in numbers]


def append(world: World, *batches: tuple[int, bytes, list[Outgoing]]) -> None:
    async def main() -> None:
        log = world.make()
        try:
            for lane, key, records in batches:
                await log.append(lane, key, records)
        finally:
            if isinstance(log, KafkaLog):
                await log.stop()

    asyncio.run(main())


def test_records_are_in_their_lane_in_the_order_given_with_key_kind_and_the_same_bytes(world: World) -> None:
    append(world, (1, b"home", rows(*range(600))), (0, b"away", rows(7)), (1, b"home", rows(600)))
    assert world.found(1) == [(b"home", row) for row in rows(*range(601))]
    assert world.found(0) == [(b"away", row) for row in rows(7)]


def test_more_than_one_batch_holds_keeps_its_order(world: World) -> None:
    large = rows(*range(40), size=60_000)
    append(world, (0, b"home", large))
    assert [row.value for _, row in world.found(0)] == [row.value for row in large]


def test_what_is_appended_twice_is_there_twice(world: World) -> None:
    append(world, (0, b"home", rows(1)), (0, b"home", rows(1)))
    assert world.found(0) == [(b"home", row) for row in rows(1, 1)]


def test_nothing_appended_is_nothing_written(world: World) -> None:
    append(world, (0, b"home", []))
    assert world.found(0) == []
