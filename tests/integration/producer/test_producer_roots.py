"""Roots are added, changed, paused and removed while the producer runs; nothing is lost and other roots are not affected."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.errors import BadArgument
from producer.settings import ProducerSettings, RootSpec
from runtime.kafka import Kafka
from schemas import raw, topics
from schemas.codec import raw_codec
from tests.support.command import Command
from tests.support.producer_process import ProducerProcess, producing
from tests.support.producer_root import in_short, put
from tests.support.topic import read
from tests.support.waiting import wait_until

SECONDS = 20


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """A root of the settings, with a file."""
    put(tmp_path / "films" / "a.mkv")
    return tmp_path / "films"


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    """A folder with a file that is no root yet."""
    put(tmp_path / "songs" / "one.mp3")
    return tmp_path / "songs"


def settings(films: Path, folder: Path, name: str = "producer") -> ProducerSettings:
    spec = RootSpec(name="films", library="home", path=films)
    return ProducerSettings(name=name, roots=(spec,), identity_seconds=0.2, roots_folder=folder / "roots.d")


@pytest.fixture
def running(kafka: Kafka, films: Path, tmp_path: Path) -> Iterator[ProducerProcess]:
    with producing(kafka, settings(films, tmp_path), tmp_path / "state") as process:
        ends_with(kafka, "films", "ScanFinished baseline start")
        yield process


@pytest.fixture
def catalogizer(kafka: Kafka, tmp_path: Path, films: Path) -> Command:
    """The command line with the producer's settings."""
    roots = f'[{{"name":"films","library":"home","path":"{films}"}}]'
    return Command(kafka, PRODUCER__ROOTS_FOLDER=str(tmp_path / "roots.d"), PRODUCER__ROOTS=roots)


def recorded(kafka: Kafka, root: str) -> list[raw.RawRecord]:
    records = [raw_codec.decode(one.value) for one in read(kafka, topics.RAW)]
    return [record for record in records if getattr(record, "root", None) == root]


def ends_with(kafka: Kafka, root: str, *last: str) -> None:
    wait_until(
        lambda: in_short(recorded(kafka, root))[-len(last) :] == [*last], SECONDS, what=str(last), every=0.1
    )


def epochs(kafka: Kafka, root: str) -> list[str]:
    return list(dict.fromkeys(r.epoch for r in recorded(kafka, root) if isinstance(r, raw.RootDeclared)))


def state(catalogizer: Command, root: str) -> str | None:
    lines: list[dict[str, Any]] = catalogizer.json("roots", "list")
    return next((line["state"] for line in lines if line["name"] == root), None)


@pytest.mark.usefixtures("running")
def test_a_root_comes_changes_and_leaves_and_the_others_notice_nothing(
    kafka: Kafka, catalogizer: Command, films: Path, songs: Path
) -> None:
    before = in_short(recorded(kafka, "films"))
    shown = catalogizer.json("roots", "add", "songs", str(songs))
    assert shown["state"] in ("watching", "scanning"), shown
    ends_with(kafka, "songs", "+ one.mp3", "# one.mp3", "ScanFinished baseline start")
    put(songs / "two.mp3")
    put(songs / "two.part")
    ends_with(kafka, "songs", "+ two.part", "# two.part")

    with pytest.raises(BadArgument, match="use --replace to declare it again"):
        catalogizer.output("roots", "add", "songs", str(songs), "--exclude", "*.part")
    catalogizer.output("roots", "add", "songs", str(songs), "--exclude", "*.part", "--replace", "--no-wait")
    ends_with(kafka, "songs", "RootDeclared", "ScanStarted scan start", "- two.part", "ScanFinished scan start")
    gone = recorded(kafka, "songs")[-2]
    assert isinstance(gone, raw.Observed)
    assert gone.cause == "excluded"
    assert len(epochs(kafka, "songs")) == 1

    catalogizer.output("roots", "remove", "songs")
    wait_until(lambda: state(catalogizer, "songs") in ("silent", None), 30, what="nobody to report it", every=1)
    put(songs / "three.mp3")
    put(films / "b.mkv")
    ends_with(kafka, "films", "+ b.mkv", "# b.mkv")
    assert in_short(recorded(kafka, "films"))[: len(before)] == before
    assert len(epochs(kafka, "films")) == 1
    assert not any("three" in one for one in in_short(recorded(kafka, "songs")))

    catalogizer.output("roots", "add", "songs", str(songs), "--exclude", "*.part")
    ends_with(kafka, "songs", "+ three.mp3", "# three.mp3", "ScanFinished scan start")
    assert len(epochs(kafka, "songs")) == 1


@pytest.mark.usefixtures("running")
def test_what_cannot_be_a_root_is_rejected_in_one_line_and_a_faulty_file_disturbs_no_other(
    kafka: Kafka, catalogizer: Command, films: Path, songs: Path, tmp_path: Path
) -> None:
    for words, reason in (
        (("songs", str(films / "inner")), "PATH: .*lie one inside the other"),
        (("films", str(songs)), "NAME: root films is in the settings"),
        (("so ngs", str(songs)), "NAME: String should match pattern"),
        (("songs", str(songs), "--library", "a b"), "--library: String should match pattern"),
    ):
        with pytest.raises(BadArgument, match=reason):
            catalogizer.output("roots", "add", *words)
    with pytest.raises(BadArgument, match="is in the settings: take it out there"):
        catalogizer.output("roots", "remove", "films")
    with pytest.raises(BadArgument, match="is not declared in"):
        catalogizer.output("roots", "remove", "songs")
    folder = tmp_path / "roots.d"
    folder.mkdir(exist_ok=True)
    (folder / "bad.toml").write_text('library = "home"\npath = 7\n')
    catalogizer.output("roots", "add", "songs", str(songs))
    ends_with(kafka, "songs", "ScanFinished baseline start")
    assert "bad.toml: path: " in catalogizer.notes("roots", "list")

    wait_until(
        lambda: any(b"bad.toml" in (one.value or b"") for one in read(kafka, topics.REPORTS)),
        SECONDS, what="the fault to be reported", every=0.5,
    )  # fmt: skip


def test_a_root_that_has_left_is_taken_over_at_once(
    kafka: Kafka, films: Path, songs: Path, tmp_path: Path, catalogizer: Command
) -> None:
    catalogizer.output("roots", "add", "songs", str(songs), "--no-wait")
    one, other = settings(films, tmp_path, "one"), settings(films, tmp_path / "other", "other")
    with producing(kafka, one, tmp_path / "one") as first:
        ends_with(kafka, "songs", "ScanFinished baseline start")
        elsewhere = Command(kafka, PRODUCER__ROOTS_FOLDER=str(tmp_path / "other" / "roots.d"))
        elsewhere.output("roots", "add", "songs", str(songs), "--no-wait")
        with producing(kafka, other, tmp_path / "two") as second:
            assert len(epochs(kafka, "songs")) == 1
            catalogizer.output("roots", "remove", "songs")
            wait_until(lambda: len(epochs(kafka, "songs")) == 2, 6, what="the other one to take over", every=0.1)
            ends_with(kafka, "songs", "ScanFinished baseline start")
            put(songs / "two.mp3")
            put(films / "b.mkv")
            ends_with(kafka, "songs", "+ two.mp3", "# two.mp3")
            ends_with(kafka, "films", "+ b.mkv", "# b.mkv")
            assert len(epochs(kafka, "films")) == 1
            assert second.terminate() == 0
        assert first.terminate() == 0


def test_a_pause_outlasts_a_kill_and_a_takeover_of_the_root(
    kafka: Kafka, films: Path, tmp_path: Path, catalogizer: Command
) -> None:
    with producing(kafka, settings(films, tmp_path, "one"), tmp_path / "one") as first:
        ends_with(kafka, "films", "ScanFinished baseline start")
        shown = catalogizer.json("roots", "pause", "films", "--reason", "new disks")
        assert (shown["done"], shown["result"], shown["state"]) == (True, "paused", "paused")
        ends_with(kafka, "films", "GapOpen paused")
        put(films / "b.mkv")
        first.kill()
    with producing(kafka, settings(films, tmp_path, "one"), tmp_path / "one") as again:
        ends_with(kafka, "films", "GapOpen paused", "RootDeclared")
        with producing(kafka, settings(films, tmp_path, "two"), tmp_path / "two") as second:
            assert again.terminate() == 0
            wait_until(
                lambda: state(catalogizer, "films") == "paused", SECONDS, what="it to be taken over", every=0.5
            )
            assert not any("b.mkv" in one for one in in_short(recorded(kafka, "films")))
            assert catalogizer.json("roots", "resume", "films")["result"] == "resumed"
            wait_until(
                lambda: "+ b.mkv" in in_short(recorded(kafka, "films")), SECONDS, what="the file", every=0.1
            )
            assert second.terminate() == 0
