"""Operators' commands, from the command line through the control topic to the change log."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest

from cli.errors import BadArgument, NotConfirmed
from cli.provisioning.topics import apply
from producer.settings import ProducerSettings, RootSpec
from runtime.kafka import Kafka
from schemas import raw, topics
from schemas.admin import RescanRoot
from schemas.codec import encode, raw_codec
from tests.support.command import Command
from tests.support.letters import bury
from tests.support.producer_process import producing
from tests.support.producer_root import in_short, put
from tests.support.servers import Brokers, clients
from tests.support.topic import NewRecord, decoded, read, write
from tests.support.waiting import wait_until


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with two files."""
    root = tmp_path / "here" / "films"
    put(root / "a.mkv")
    put(root / "Series" / "b.mkv")
    return root


def of(root: Path) -> ProducerSettings:
    return ProducerSettings(
        roots=(RootSpec(name="films", library="home", path=root, exclude=("hidden",)),), identity_seconds=0.2
    )


def recorded(kafka: Kafka) -> list[raw.RawRecord]:
    return [raw_codec.decode(one.value) for one in read(kafka, topics.RAW)]


def ends_with(kafka: Kafka, last: str) -> None:
    wait_until(lambda: in_short(recorded(kafka))[-1:] == [last], 20, what=last, every=0.1)


def written_by_hand(kafka: Kafka, *values: bytes) -> None:
    write(kafka, *(NewRecord(topics.CONTROL, value, b"films") for value in values))


def a_rescan(id: str, subtree: str = "") -> bytes:
    at = "2026-11-24T10:30:00.000Z"
    return encode(RescanRoot(id=id, root="films", by="test", at=at, reason="test", subtree=subtree))


def test_a_rescan_is_carried_out_and_its_outcome_is_shown(kafka: Kafka, root: Path, tmp_path: Path) -> None:
    with producing(kafka, of(root), tmp_path / "state"):
        ends_with(kafka, "ScanFinished baseline start")
        shown = Command(kafka).json("roots", "rescan", "films", "--subtree", "Series", "--reason", "a test")
        assert (shown["done"], shown["result"]) == (True, "scanned: 0 added, 0 changed, 0 moved, 0 gone")
        records = recorded(kafka)
        assert in_short(records)[-2:] == ["ScanStarted scan requested", "ScanFinished scan requested"]
        (started,) = [r for r in records if isinstance(r, raw.ScanStarted) and r.cause == "requested"]
        assert started.subtree == "Series"
        (line,) = Command(kafka).json("roots", "list")
        assert (line["name"], line["library"], line["path"], line["protocol"], line["state"]) == (
            "films", "home", str(root), "local", "watching",
        )  # fmt: skip
        with pytest.raises(BadArgument, match=r"'film'; did you mean films\? known: films"):
            Command(kafka).output("roots", "rescan", "film")


def test_what_is_requested_in_place_of_a_dead_letter_is_carried_out(
    kafka: Kafka, root: Path, tmp_path: Path
) -> None:
    with producing(kafka, of(root), tmp_path / "state"):
        ends_with(kafka, "ScanFinished baseline start")
        known = recorded(kafka)
        letter = b'{"kind":"observed","root":"films","path":"Series/b.mkv","seq":"no number"}'
        write(kafka, NewRecord(topics.RAW, letter, b"home"))
        bury(kafka, *[record for record in read(kafka, topics.RAW) if record.value == letter])
        for _ in range(2):
            Command(kafka).output("dlq", "redrive", topics.RAW.name, "--all", "--execute")

        def again() -> list[str]:
            records = [record.value for record in read(kafka, topics.RAW) if record.value != letter]
            return in_short([raw_codec.decode(value) for value in records[len(known) :]])

        wanted = [
            one.replace("baseline start", "baseline requested") for one in in_short(known) if one != "RootDeclared"
        ]
        wait_until(lambda: again() == wanted, 20, what="all of the root again", every=0.1)


def test_commands_issued_while_no_producer_ran_are_carried_out_once_at_the_next_start(
    kafka: Kafka, root: Path, tmp_path: Path
) -> None:
    written_by_hand(kafka, a_rescan("before-it-was-new"))
    with producing(kafka, of(root), tmp_path / "state"):
        ends_with(kafka, "ScanFinished baseline start")
        written_by_hand(kafka, a_rescan("one"))
        ends_with(kafka, "ScanFinished scan requested")
    written_by_hand(kafka, a_rescan("one"), b'{"kind":"of_tomorrow"}', a_rescan("two"), a_rescan("two"))
    for _ in range(2):
        with producing(kafka, of(root), tmp_path / "state"):
            written_by_hand(kafka, b"no json")
            put(root / "last.mkv", b"x")
            wait_until(
                lambda: in_short(recorded(kafka)).count("ScanStarted scan requested") == 2,
                20,
                what="the second",
                every=0.1,
            )
            wait_until(
                lambda: not in_short(recorded(kafka))[-1].startswith("ScanStarted"), 20, what="its end", every=0.1
            )
    assert in_short(recorded(kafka)).count("ScanFinished scan requested") == 2


def test_state_and_library_on_another_disk_are_accepted_and_only_true_differences_are_recorded(
    kafka: Kafka, root: Path, tmp_path: Path
) -> None:
    with producing(kafka, of(root), tmp_path / "state"):
        ends_with(kafka, "ScanFinished baseline start")
    subprocess.run(["cp", "-a", tmp_path / "state", tmp_path / "other-state"], check=True)
    moved = tmp_path / "there" / "films"
    moved.parent.mkdir()
    subprocess.run(["cp", "-a", root, moved], check=True)
    shutil.rmtree(root)
    put(moved / "new.mkv", b"new")
    (moved / "a.mkv").unlink()
    before = len(recorded(kafka))
    with producing(kafka, of(moved), tmp_path / "other-state") as process:
        ends_with(kafka, "RootLost swapped")
        (line,) = Command(kafka).json("roots", "list")
        assert line["state"] == "offline"
        assert "catalogizer roots accept films" in line["message"]
        assert "catalogizer roots accept films" in process.log.read_text()
        with pytest.raises(NotConfirmed, match="cannot be observed"):
            Command(kafka).output("roots", "rescan", "films", "--wait", "3")
        shown = Command(kafka).json("roots", "accept", "films")
        assert (shown["done"], shown["result"]) == (True, "scanned: 1 added, 0 changed, 0 moved, 1 gone")
        observed = [one for one in in_short(recorded(kafka)[before:]) if one[:1] in "+-#"]
        assert observed == ["+ new.mkv", "# new.mkv", "- a.mkv"]
        put(moved / "live.mkv", b"live")
        wait_until(lambda: "+ live.mkv" in in_short(recorded(kafka)), 10, what="the live change", every=0.1)
        assert Command(kafka).json("roots", "accept", "films")["result"].startswith("nothing to accept")


def test_a_root_that_is_not_there_is_named_in_the_log_and_the_list_from_the_start(
    kafka: Kafka, tmp_path: Path
) -> None:
    nowhere = tmp_path / "nowhere"
    with producing(kafka, of(nowhere), tmp_path / "state") as process:
        wait_until(lambda: bool(Command(kafka).json("roots", "list")), 10, what="a report")
        reports = [one for one in decoded(read(kafka, topics.REPORTS)) if one["kind"] == "root"]
        assert reports[0]["status"] == "error"
        (line,) = Command(kafka).json("roots", "list")
        assert (line["state"], line["configured"]) == ("offline", False)
        assert f"{nowhere} does not exist" in line["message"]
        lines = [one for one in process.log.read_text().splitlines() if "cannot be observed" in one]
        assert len(lines) == 1
        assert "films" in lines[0]
        assert str(nowhere) in lines[0]


def test_without_kafka_it_continues_to_watch_and_with_it_reads_commands_again(
    broker_factory: Brokers, root: Path, tmp_path: Path
) -> None:
    broker = broker_factory()
    kafka = clients(broker)
    asyncio.run(apply(kafka))
    with producing(kafka, of(root), tmp_path / "state") as process:
        ends_with(kafka, "ScanFinished baseline start")
        broker.kill()
        put(root / "while-away.mkv")
        broker.start()
        broker.wait_ready()
        wait_until(lambda: "+ while-away.mkv" in in_short(recorded(kafka)), 60, what="the change", every=0.2)
        shown = Command(kafka).json("roots", "rescan", "films", "--wait", "60")
        assert shown["done"]
        assert process.died is None


def test_without_a_producer_that_is_reported_within_the_time_given(
    kafka: Kafka, root: Path, tmp_path: Path
) -> None:
    with producing(kafka, of(root), tmp_path / "state"):
        ends_with(kafka, "ScanFinished baseline start")
        wait_until(lambda: bool(Command(kafka).json("roots", "list")), 10, what="a report")
    with pytest.raises(NotConfirmed, match=r"within 0\.5 s"):
        Command(kafka).output("roots", "rescan", "films", "--wait", "0.5")
    assert Command(kafka).json("roots", "rescan", "films", "--no-wait")["done"] is False
