"""Stretches of a log with holes are what an independent `read_committed` reader finds there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from aiokafka import AIOKafkaConsumer

from cli.provisioning.topics import apply
from cli.up.embedded.kafka import EmbeddedKafka
from runtime.errors import NotProvisioned
from runtime.kafka import Kafka
from runtime.log_reading import (
    LogBounds,
    bounds,
    newest,
    partitions_of,
    read_whole,
    reader,
    resolve,
    stretch,
    times,
)
from schemas.log_record import LogRecord
from schemas.places import At, AtTime, Bounds, Earliest, Head, Last, Offset, Place
from schemas.times import Millis
from schemas.topics import ALL_TOPICS, CHANGES, META, NOTIFICATIONS
from tests.support.committed import Read
from tests.support.servers import clients
from tests.support.topic import NewRecord, read, write, write_in_transactions

T = TypeVar("T")


@pytest.fixture(scope="module")
def kafka(broker: EmbeddedKafka) -> Kafka:
    """Clients for topics of this file's own."""
    kafka = clients(broker)
    asyncio.run(apply(kafka))
    return kafka


@pytest.fixture(scope="module")
def written(kafka: Kafka) -> list[Read]:
    """Records in two partitions; both end in aborted ones and markers, where no record is."""
    for number in range(8):
        printed = NewRecord(CHANGES, b"%d" % number, b"home", number % 2)
        write_in_transactions(kafka, (True, printed), *((False, printed) for _ in range(number)))
    return read(kafka, CHANGES)


def requested(kafka: Kafka, question: Callable[[AIOKafkaConsumer, LogBounds], Awaitable[T]]) -> T:
    """The answer of a reader that knows the bounds of CHANGES."""

    async def ask() -> T:
        async with reader(kafka) as consumer:
            within = await bounds(consumer, await partitions_of(consumer, kafka.name(CHANGES)))
            return await question(consumer, within)

    return asyncio.run(ask())


def places(records: list[LogRecord] | list[Read]) -> list[tuple[int, int]]:
    return sorted((record.partition, record.offset) for record in records)


@pytest.mark.parametrize("most", [None, 1])
@pytest.mark.parametrize(
    ("begin", "end"),
    [(Earliest(), Head()), (At(Offset(3)), Head()), (Earliest(), At(Offset(9))), (Last(5), At(Offset(20)))],
)
def test_a_stretch_is_from_its_start_to_before_its_end(
    kafka: Kafka, written: list[Read], begin: Place, end: Place, most: int | None
) -> None:
    async def question(consumer: AIOKafkaConsumer, within: LogBounds) -> tuple[list[LogRecord], list[Read]]:
        starts, ends = await resolve(consumer, begin, within), await resolve(consumer, end, within)
        found = [r async for records in stretch(consumer, starts, ends, most) for r in records]
        of = {p.partition: (starts[p], ends[p]) for p in starts}
        return found, [r for r in written if of[r.partition][0] <= r.offset < of[r.partition][1]]

    found, wanted = requested(kafka, question)
    assert places(found) == places(wanted)
    for partition in (0, 1):
        mine = [r.offset for r in found if r.partition == partition]
        assert mine == sorted(set(mine))


@pytest.mark.parametrize("count", [1, 3, 8, 50])
def test_the_newest_are_found_behind_holes(kafka: Kafka, written: list[Read], count: int) -> None:
    found = requested(kafka, lambda consumer, within: newest(consumer, count, within))
    wanted = sorted(written, key=lambda r: (r.timestamp, r.partition, r.offset))[-count:]
    assert [(r.partition, r.offset) for r in found] == [(r.partition, r.offset) for r in wanted]


def test_the_newest_that_is_wanted_is_looked_for_to_the_beginning(kafka: Kafka, written: list[Read]) -> None:
    def second(record: LogRecord) -> bool:
        return record.value == b"1"

    found = requested(kafka, lambda consumer, within: newest(consumer, 1, within, second))
    assert [record.value for record in found] == [b"1"]
    assert requested(kafka, lambda consumer, within: newest(consumer, 1, within, lambda record: False)) == []


def test_a_time_without_a_record_is_none_and_its_place_the_end_as_it_was(
    kafka: Kafka, written: list[Read]
) -> None:
    at = Millis(written[-1].timestamp + 60_000)
    none = requested(kafka, lambda consumer, within: times(consumer, at, within.end))
    assert set(none.values()) == {None}

    async def question(consumer: AIOKafkaConsumer, within: LogBounds) -> bool:
        return await resolve(consumer, AtTime(at), within) == within.end

    assert requested(kafka, question)


def test_no_request_is_sent_for_no_partitions(kafka: Kafka) -> None:
    assert requested(kafka, lambda consumer, within: bounds(consumer, [])) == Bounds({}, {})
    assert requested(kafka, lambda consumer, within: times(consumer, 0, [])) == {}


def test_a_small_topic_is_read_whole(kafka: Kafka) -> None:
    write(kafka, *(NewRecord(NOTIFICATIONS, b"%d" % number) for number in range(3)))
    assert [r.value for r in asyncio.run(read_whole(kafka, NOTIFICATIONS))] == [b"0", b"1", b"2"]
    assert places(asyncio.run(read_whole(kafka, META))) == places(read(kafka, META))


def test_a_topic_that_was_never_made_is_named(kafka: Kafka) -> None:
    other = Kafka(kafka.settings.model_copy(update={"topic_prefix": "nobody."}), "test")
    with pytest.raises(NotProvisioned, match=r"nobody\.catalog\.meta\.v1 .* `catalogizer topics apply`"):
        asyncio.run(read_whole(other, META))


def test_who_looks_at_every_topic_does_not_wait_between_them(kafka: Kafka) -> None:
    """Pauses are for requests that fail: between those of `catalogizer status` they made ten seconds."""

    async def main() -> float:
        async with reader(kafka) as consumer:
            began = time.monotonic()
            for topic in ALL_TOPICS:
                await bounds(consumer, await partitions_of(consumer, kafka.name(topic)))
            return time.monotonic() - began

    assert asyncio.run(main()) < 0.2 * len(ALL_TOPICS)
