"""Lanes go over to other rules by a record: under way, over restarts, with programs of several versions."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from cli.errors import BadArgument
from runtime.kafka import Kafka
from schemas.codec import encode
from schemas.headers import raw_headers
from schemas.raw import RulesAdopted
from schemas.topics import CHANGES, MEDIA_UPDATES, RAW
from streams.core.rules import NEWEST, RULES, RULES_1, RULES_2
from streams.library import snapshots
from streams.library.errors import RulesChanged, RulesUnknown
from tests.support.command import Command
from tests.support.fold_run import Feeder, verdict
from tests.support.lane_line import LIBRARY, Line

OLD, BOTH, NEW = {1: RULES_1}, {1: RULES_1, 2: RULES_2}, {2: RULES_2}


@pytest.fixture
def line(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> Line:
    """A lane with some items."""
    monkeypatch.setattr(snapshots, "FEWEST_RECORDS", 150)
    line = Line(kafka, Feeder(kafka, seed=5, libraries=(LIBRARY,)))
    line.feed(200)
    line.live()
    return line


def adopt(line: Line, version: int) -> None:
    async def append() -> None:
        producer = line.kafka.producer()
        await producer.start()
        record = encode(RulesAdopted(version=version, program="9.9.9", by="test", at="now"))
        headers = raw_headers("rules_adopted")
        await producer.send_and_wait(line.kafka.name(RAW), record, key=b"", partition=line.lane, headers=headers)
        await producer.stop()

    asyncio.run(append())


def causes(line: Line) -> list[Any]:
    found = [msgspec.json.decode(read.value or b"") for read in line.read(MEDIA_UPDATES)]
    return [one["cause"] for one in found if "cause" in one]


def test_rules_are_adopted_under_way_and_a_replay_is_what_was_live(line: Line) -> None:
    adopt(line, 2)
    line.feed(200)
    line.live()
    assert line.position().fold_version == 2
    assert line.manifests()[-1].fold_version == 2
    line.feed(20)
    assert line.live()["since"] == line.manifests()[-1].next_offset
    assert set(causes(line)) <= {"rules:2"}
    assert verdict(line.kafka, line.bootstrap) > 200


def test_a_program_of_old_rules_stops_at_the_record_and_the_next_one_goes_on(line: Line) -> None:
    line.feed(30)
    line.live(carried=OLD)  # before adoption, going back is free
    adopt(line, 2)
    line.feed(30)
    before = len(line.read(CHANGES))
    for _ in range(2):
        with pytest.raises(
            RulesUnknown, match=r"rules of version 2, which this program does not carry; program 9\.9\.9 does"
        ):
            line.live(carried=OLD)
    assert len(line.read(CHANGES)) == before
    line.live(carried=BOTH)
    with pytest.raises(RulesUnknown, match="version 2"):  # after adoption, it is not
        line.live(carried=OLD)
    assert verdict(line.kafka, line.bootstrap) > 200


def test_a_program_without_the_rules_of_the_beginning_starts_from_a_snapshot(line: Line) -> None:
    adopt(line, 2)
    line.feed(200)
    line.live()
    line.feed(20)
    assert line.live(carried=NEW)["since"] == line.manifests()[-1].next_offset
    with pytest.raises(RulesUnknown, match="rules of version 1, which this program does not carry"):
        line.live(carried=NEW, from_log=True)


def test_other_rules_under_the_same_version_are_refused_before_anything_is_written(line: Line) -> None:
    before = len(line.read(RAW)), len(line.read(CHANGES))
    with pytest.raises(RulesChanged, match="rules_changed"):
        line.live(carried={1: msgspec.structs.replace(RULES_1, title_cap=7)})
    assert (len(line.read(RAW)), len(line.read(CHANGES))) == before


def test_rules_below_the_present_ones_and_adopted_twice_change_nothing(line: Line) -> None:
    for version in (2, 2, 1, 0, -1):
        adopt(line, version)
    line.feed(20)
    line.live()
    assert line.position().fold_version == 2
    assert verdict(line.kafka, line.bootstrap) > 200


def test_the_command_shows_what_would_change_and_adopts(line: Line) -> None:
    catalogizer = Command(line.kafka)
    shown = catalogizer.json("fold", "versions")
    assert [one["version"] for one in shown["carried"]] == sorted(RULES)
    assert {one["version"] for one in shown["lanes"]} == {1}
    differences = catalogizer.lines("fold", "diff", str(NEWEST), "--json")
    dry = catalogizer.json("fold", "adopt")
    assert dry["version"] == NEWEST
    assert sum(dry["items"].values()) == len(differences)
    assert line.position().fold_version == 1
    with pytest.raises(BadArgument, match="carries no rules of version 7; it has 1, 2, 3, 4"):
        catalogizer.output("fold", "adopt", "7")
    adopt(line, NEWEST)
    line.live()
    assert len(causes(line)) == len(differences)
    with pytest.raises(BadArgument, match=rf"1 is below the present one \({NEWEST}\)"):
        catalogizer.output("fold", "adopt", "1")
