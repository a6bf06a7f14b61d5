"""`replay fold` of a range is that range of the live topics, record for record, and leaves no trace."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from cli.errors import BadArgument, UnknownLibrary
from cli.provisioning.topics import apply
from cli.up.embedded.kafka import EmbeddedKafka
from runtime.kafka import Kafka
from schemas.headers import X_SOURCE
from schemas.lanes import lane_of
from schemas.topics import POSITIONS, RAW
from tests.support.command import Command
from tests.support.committed import Read
from tests.support.fold_run import LANE_OUTPUTS, Feeder, Worker, drained
from tests.support.servers import clients
from tests.support.topic import group_offsets, header, read

CHANGES = 150


@pytest.fixture(scope="module")
def kafka(broker: EmbeddedKafka) -> Kafka:
    """Clients for topics of this file's own: nothing here writes but the fixture below."""
    kafka = clients(broker)
    asyncio.run(apply(kafka))
    return kafka


@pytest.fixture(scope="module")
def live(kafka: Kafka, tmp_path_factory: pytest.TempPathFactory) -> list[Read]:
    """What the live fold wrote for a stream of changes; its worker has ended."""
    bootstrap = kafka.settings.bootstrap_servers or ""
    asyncio.run(Feeder(kafka, seed=3).run(CHANGES))
    worker = Worker(kafka, "a", tmp_path_factory.mktemp("fold"))
    drained(kafka, bootstrap, [worker])
    assert worker.end() == 0
    return [record for topic in LANE_OUTPUTS for record in read(kafka, topic)]


def source_offset(record: Read) -> int:
    return int(header(record, X_SOURCE).rsplit(":", 1)[1])


def of_lane(records: list[Read], lane: int, start: int = 0, end: int = 1 << 62) -> dict[str, list[dict[str, Any]]]:
    """Per topic, what was written for [start, end) of the lane, as `replay fold` shows it."""
    found: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        if record.partition == lane and start <= source_offset(record) < end:
            found.setdefault(record.topic, []).append(
                {
                    "topic": record.topic,
                    "partition": record.partition,
                    "key": (record.key or b"").decode(),
                    "headers": {name: value.decode() for name, value in record.headers},
                    "value": None if record.value is None else json.loads(record.value),
                }
            )
    return found


def by_topic(lines: list[dict[str, Any]], topics: set[str]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        if line["topic"] in topics:
            found.setdefault(line["topic"], []).append(line)
    return found


@pytest.mark.parametrize("library", ["home", "attic"])
def test_a_range_equals_that_range_of_the_live_topics(
    library: str, kafka: Kafka, live: list[Read], tmp_path: Path
) -> None:
    lane = lane_of(library, kafka.lanes)
    head = sum(1 for record in read(kafka, RAW) if record.partition == lane)
    topics = {kafka.name(topic) for topic in LANE_OUTPUTS}
    for start, end in ((0, head), (head // 3, 2 * head // 3), (head // 2, head // 2)):
        file = tmp_path / "range.jsonl"
        arguments = ("--library", library, "--from", str(start), "--to", str(end), "--output", str(file))
        Command(kafka).output("replay", "fold", *arguments)
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        assert by_topic(lines, topics) == of_lane(live, lane, start, end)
    assert [path.name for path in tmp_path.glob("*.part")] == []


def test_all_lanes_are_folded_where_none_is_named(kafka: Kafka, live: list[Read]) -> None:
    lines = Command(kafka).lines("replay", "fold")
    topics = {kafka.name(topic) for topic in LANE_OUTPUTS}
    wanted = sum(len(of) for lane in range(kafka.lanes) for of in of_lane(live, lane).values())
    assert sum(len(of) for of in by_topic(lines, topics).values()) == wanted > 100


def test_nothing_live_is_touched(kafka: Kafka, live: list[Read]) -> None:
    group = kafka.group("library")
    before = (read(kafka, RAW), read(kafka, POSITIONS), group_offsets(kafka, group))
    Command(kafka).output("replay", "fold", "--lane", "0")
    assert (read(kafka, RAW), read(kafka, POSITIONS), group_offsets(kafka, group)) == before
    assert [record for topic in LANE_OUTPUTS for record in read(kafka, topic)] == live


def test_a_lane_that_is_not_there_is_refused(kafka: Kafka) -> None:
    with pytest.raises(BadArgument, match="2 lanes"):
        Command(kafka).output("replay", "fold", "--lane", "2")


def test_a_library_that_the_log_does_not_know_is_refused_with_those_it_knows(
    kafka: Kafka, live: list[Read], tmp_path: Path
) -> None:
    file = tmp_path / "none.jsonl"
    for library in ("nosuch", "nosuch-either"):
        with pytest.raises(UnknownLibrary, match=f"'{library}'.*attic, home"):
            Command(kafka).output("replay", "fold", "--library", library, "--output", str(file))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--from", "0:999999999"), r"--from: .*:0 ends at \d+, before 999999999$"),
        (("--lane", "0", "--from", "999999999"), r"--from: .*:0 ends at \d+, before 999999999$"),
        (("--from", "7:0"), "--from: .* has no partition 7"),
        (("--to", "7:0"), "--to: .* has no partition 7"),
        (("--from", "last:3"), "last:N is no place of a fold"),
    ],
)
def test_a_range_that_is_not_in_the_log_is_refused(
    kafka: Kafka, live: list[Read], arguments: tuple[str, ...], says: str
) -> None:
    with pytest.raises(BadArgument, match=says):
        Command(kafka).output("replay", "fold", *arguments)


def test_an_end_beyond_the_log_is_noted(kafka: Kafka, live: list[Read], tmp_path: Path) -> None:
    file = tmp_path / "range.jsonl"
    notes = Command(kafka).notes("replay", "fold", "--to", "999999999", "--output", str(file))
    assert "before 999999999; it ends there" in notes
    assert "outputs written" in notes
