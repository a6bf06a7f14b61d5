"""Problems of roots and components, and their ends, are published once on the channel and kept for late joiners."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from msgspec import structs

from cli.up.embedded.kafka import EmbeddedKafka
from cli.up.ports import free_port
from runtime.health import HealthSettings
from runtime.kafka import Kafka
from schemas.changes import GapChanged
from schemas.codec import encode
from schemas.headers import event_headers
from schemas.ids import event_id
from schemas.raw import Counts
from schemas.system import Heartbeat, RootReport, Status
from schemas.topics import CHANGES, REPORTS, SYSTEM_STATE, SYSTEM_UPDATES
from streams.settings import AnalysisSettings, StreamsSettings
from tests.support.stream_worker import Shared, StreamWorker, shared, working
from tests.support.topic import NewRecord, decoded, header, read, write
from tests.support.waiting import wait_until

SETTINGS = StreamsSettings(analysis=AnalysisSettings(workers=1))


def root(status: Status, message: str) -> NewRecord:
    report = RootReport(
        root="movies", library="home", site="main", protocol="local", status=status, at="t", message=message,
        location="/media/movies", mode="watching" if status == "healthy" else "offline",
    )  # fmt: skip
    return NewRecord(REPORTS, encode(report), b"movies")


def beat(component: str) -> NewRecord:
    heartbeat = Heartbeat(component=component, instance="x", host="nas", pid=1, status="healthy", at="t")
    return NewRecord(REPORTS, encode(heartbeat), component.encode())


def gap(change: GapChanged) -> NewRecord:
    headers = event_headers(id="x", type="gap_changed", source="s", time="t", subject="movies")
    return NewRecord(CHANGES, encode(change), b"home", 1, tuple(headers))


def open_gaps(port: int) -> float | None:
    """Of root movies, as Prometheus sees them."""
    try:
        text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
    except httpx.TransportError:
        return None
    found = re.search(r'^catalogizer_open_gaps{root="movies"} (.*)$', text, re.MULTILINE)
    return None if found is None else float(found[1])


@pytest.fixture(scope="module")
def running(broker: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    with shared(broker, SETTINGS, tmp_path_factory.mktemp("worker")) as running:
        yield running


def statuses(kafka: Kafka, component: str) -> list[object]:
    return [value["status"] for value in decoded(read(kafka, SYSTEM_UPDATES)) if value["component"] == component]


def ids(kafka: Kafka, component: str) -> list[str]:
    return [header(r, "ce_id") for r in read(kafka, SYSTEM_UPDATES) if r.key == component.encode()]


def test_a_lost_root_and_its_return_are_published_once_with_ids_of_their_reports(running: Shared) -> None:
    kafka = running.kafka
    write(kafka, *[root("healthy", "watching")] * 2, *[root("error", "not mounted")] * 2, root("healthy", "back"))
    wait_until(lambda: len(statuses(kafka, "movies")) >= 3, 30, what="three updates")
    records = [record for record in read(kafka, SYSTEM_UPDATES) if record.key == b"movies"]
    assert [value["status"] for value in decoded(records)] == ["healthy", "error", "healthy"]
    sources = [header(record, "x-source") for record in records]
    offsets = [int(source.rpartition(":")[2]) for source in sources]
    assert sources == [f"{REPORTS.name}:0:{offset}" for offset in offsets]
    assert [header(record, "ce_id") for record in records] == [event_id(REPORTS.name, 0, n, 0) for n in offsets]
    states = [record for record in read(kafka, SYSTEM_STATE) if record.key == b"movies"]
    assert states[-1].value == records[-1].value


def test_a_component_that_falls_silent_is_missed(running: Shared) -> None:
    kafka = running.kafka
    write(kafka, beat("attic"))
    wait_until(lambda: statuses(kafka, "attic") == ["healthy", "error"], 60, what="it to be missed", every=0.5)
    write(kafka, beat("attic"))
    wait_until(lambda: statuses(kafka, "attic")[2:] == ["healthy"], 30, what="it to be back")


def test_a_gap_is_published_with_its_cause_and_again_when_it_is_closed(kafka: Kafka, tmp_path: Path) -> None:
    opened = GapChanged(library="home", root="movies", at="t", state="open", cause="overflow", subtree="Shows")
    closed = structs.replace(opened, state="closed", counts=Counts(added=3))
    with working(kafka, SETTINGS, tmp_path):
        write(kafka, gap(opened))
        wait_until(lambda: statuses(kafka, "movies") == ["warning"], 30, what="the warning")
    port = free_port()
    with working(kafka, SETTINGS.model_copy(update={"health": HealthSettings(port=port)}), tmp_path):
        wait_until(lambda: open_gaps(port) == 1, 30, what="the open gap, counted by a worker started anew")
        write(kafka, gap(closed))
        wait_until(lambda: statuses(kafka, "movies") == ["warning", "healthy"], 30, what="the end of it")
        wait_until(lambda: open_gaps(port) == 0, 10, what="no gap to be counted")
    updates = decoded(read(kafka, SYSTEM_UPDATES))
    first, last = (value["message"] for value in updates if value["component"] == "movies")
    assert first == "changes in movies below Shows may have been missed (overflow)"
    assert last == "what was missed in movies has been made up for (overflow)"
    assert {record.key for record in read(kafka, SYSTEM_STATE)} >= {b"movies/gaps", b"stream"}


def test_a_worker_killed_or_started_anew_repeats_nothing_under_another_id(kafka: Kafka, tmp_path: Path) -> None:
    worker = StreamWorker(kafka, SETTINGS, tmp_path)
    write(kafka, root("error", "not mounted"), beat("attic"))
    wait_until(lambda: bool(statuses(kafka, "movies") and statuses(kafka, "attic")), 30, what="the updates")
    worker.kill()
    with working(kafka, SETTINGS, tmp_path):
        write(kafka, root("error", "not mounted"), root("healthy", "back"))
        wait_until(lambda: "healthy" in statuses(kafka, "movies"), 30, what="the return")
    with working(kafka, SETTINGS, tmp_path):
        write(kafka, root("healthy", "back"), root("warning", "slow"))
        wait_until(lambda: "warning" in statuses(kafka, "movies"), 30, what="the next trouble")
    assert len(set(ids(kafka, "movies"))) == 3
    assert set(statuses(kafka, "stream")) == {"healthy"}
    assert len(set(ids(kafka, "stream"))) == len(statuses(kafka, "stream"))
    # how often it is told depends on who heard whom go; what is told is something else each time
    facts = [
        (v["message"], v["details"]) for v in decoded(read(kafka, SYSTEM_UPDATES)) if v["component"] == "stream"
    ]
    assert all(before != after for before, after in pairwise(facts))
