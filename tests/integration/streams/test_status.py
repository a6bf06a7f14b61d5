"""Roots and components in trouble, and well again, are told once on the channel and kept for late joiners."""

from __future__ import annotations

from pathlib import Path

from runtime.kafka import Kafka
from schemas.changes import GapChanged
from schemas.codec import encode
from schemas.headers import event_headers
from schemas.ids import event_id
from schemas.raw import Counts
from schemas.system import Heartbeat, RootReport, Status
from schemas.topics import CHANGES, REPORTS, SYSTEM_STATE, SYSTEM_UPDATES
from streams.settings import AnalysisSettings, StreamsSettings
from tests.support.stream_worker import StreamWorker, working
from tests.support.topic import Said, decoded, header, read, write
from tests.support.waiting import wait_until

SETTINGS = StreamsSettings(analysis=AnalysisSettings(workers=1))


def root(status: Status, message: str) -> Said:
    report = RootReport(
        root="movies", library="home", site="main", protocol="local", status=status, at="t", message=message,
        location="/media/movies", mode="watching" if status == "healthy" else "offline",
    )  # fmt: skip
    return Said(REPORTS, encode(report), b"movies")


def beat(component: str) -> Said:
    heartbeat = Heartbeat(component=component, instance="x", host="nas", pid=1, status="healthy", at="t")
    return Said(REPORTS, encode(heartbeat), component.encode())


def gap(change: GapChanged) -> Said:
    headers = event_headers(id="x", type="gap_changed", source="s", time="t", subject="movies")
    return Said(CHANGES, encode(change), b"home", 1, tuple(headers))


def told(kafka: Kafka, component: str) -> list[object]:
    return [value["status"] for value in decoded(read(kafka, SYSTEM_UPDATES)) if value["component"] == component]


def test_a_lost_root_and_its_return_are_told_once_and_under_ids_of_their_reports(
    kafka: Kafka, tmp_path: Path
) -> None:
    with working(kafka, SETTINGS, tmp_path):
        write(
            kafka, *[root("healthy", "watching")] * 2, *[root("error", "not mounted")] * 2, root("healthy", "back")
        )
        wait_until(lambda: len(told(kafka, "movies")) == 3, 20, what="three updates")
    records = [record for record in read(kafka, SYSTEM_UPDATES) if record.key == b"movies"]
    assert [value["status"] for value in decoded(records)] == ["healthy", "error", "healthy"]
    sources = [header(record, "x-source") for record in records]
    offsets = [int(source.rpartition(":")[2]) for source in sources]
    assert sources == [f"{REPORTS.name}:0:{offset}" for offset in offsets]
    assert [header(record, "ce_id") for record in records] == [event_id(REPORTS.name, 0, n, 0) for n in offsets]
    states = [record for record in read(kafka, SYSTEM_STATE) if record.key == b"movies"]
    assert states[-1].value == records[-1].value


def test_a_restarted_worker_repeats_nothing(kafka: Kafka, tmp_path: Path) -> None:
    with working(kafka, SETTINGS, tmp_path):
        write(kafka, root("error", "not mounted"), beat("watch"))
        wait_until(
            lambda: told(kafka, "movies") + told(kafka, "watch") == ["error", "healthy"], 20, what="updates"
        )
    with working(kafka, SETTINGS, tmp_path):
        write(kafka, root("error", "not mounted"), beat("watch"), root("healthy", "back"))
        wait_until(lambda: told(kafka, "movies") == ["error", "healthy"], 20, what="the return")
    assert told(kafka, "watch") == ["healthy"]
    assert told(kafka, "stream") == ["healthy"]


def test_a_killed_worker_tells_each_report_under_one_id(kafka: Kafka, tmp_path: Path) -> None:
    for n in range(4):
        worker = StreamWorker(kafka, SETTINGS, tmp_path)
        write(kafka, root("error" if n % 2 else "healthy", "x"))
        wait_until(lambda n=n: len(set(ids(kafka))) == n + 1, 20, what="the update")  # type: ignore[misc]
        worker.kill()
    with working(kafka, SETTINGS, tmp_path):
        write(kafka, root("warning", "slow"))
        wait_until(lambda: "warning" in told(kafka, "movies"), 20, what="the last")
    assert len(set(ids(kafka))) == 5


def ids(kafka: Kafka) -> list[str]:
    return [header(record, "ce_id") for record in read(kafka, SYSTEM_UPDATES) if record.key == b"movies"]


def test_a_component_that_falls_silent_is_missed(kafka: Kafka, tmp_path: Path) -> None:
    with working(kafka, SETTINGS, tmp_path):
        write(kafka, beat("watch"))
        wait_until(lambda: told(kafka, "watch") == ["healthy", "error"], 40, what="watch to be missed")
        write(kafka, beat("watch"))
        wait_until(lambda: told(kafka, "watch")[2:] == ["healthy"], 20, what="watch to be back")


def test_a_gap_is_told_with_its_cause_and_told_again_when_it_is_closed(kafka: Kafka, tmp_path: Path) -> None:
    opened = GapChanged(library="home", root="movies", at="t", state="open", cause="overflow", subtree="Shows")
    closed = GapChanged(
        library="home", root="movies", at="t", state="closed", cause="overflow", subtree="Shows",
        counts=Counts(added=3),
    )  # fmt: skip
    with working(kafka, SETTINGS, tmp_path):
        write(kafka, gap(opened))
        wait_until(lambda: told(kafka, "movies") == ["warning"], 20, what="the warning")
    with working(kafka, SETTINGS, tmp_path):
        write(kafka, gap(closed))
        wait_until(lambda: told(kafka, "movies") == ["warning", "healthy"], 20, what="the end of it")
    first, last = (
        value["message"] for value in decoded(read(kafka, SYSTEM_UPDATES)) if value["component"] == "movies"
    )
    assert first == "changes in movies below Shows may have been missed (overflow)"
    assert last == "what was missed in movies has been made up for (overflow)"
    assert {record.key for record in read(kafka, SYSTEM_STATE)} >= {b"movies/gaps", b"stream"}
