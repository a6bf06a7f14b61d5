"""What somebody should see to stands in the log once when it begins and once when it is over, whoever is killed."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

from runtime.kafka import Kafka
from schemas.changes import Deleted
from schemas.codec import encode
from schemas.headers import event_headers
from schemas.raw import Origin
from schemas.system import BEHIND, Heartbeat, RootReport, Status, SystemUpdate
from schemas.topics import ALERTS, ANALYSIS_JOBS, CHANGES, REPORTS, SYSTEM_UPDATES
from streams.settings import AnalysisSettings, StreamsSettings
from tests.support.alert_targets import http_target
from tests.support.alert_worker import AlertWorker, alerting
from tests.support.command import Command
from tests.support.letters import bury
from tests.support.stream_worker import StreamWorker
from tests.support.topic import NewRecord, decoded, group_offsets, header, read, write
from tests.support.waiting import wait_until

LIVE: Origin = "live"


def update(status: Status, root: str = "movies") -> NewRecord:
    found = SystemUpdate(
        action="storage_update", component=root, status=status, message=f"it is {status}",
        details={"library": "home", "mode": "offline" if status == "error" else "watching"},
    )  # fmt: skip
    return NewRecord(SYSTEM_UPDATES, encode(found), root.encode())


def deleted(count: int, cause: str | None = None) -> list[NewRecord]:
    change = Deleted(library="home", root="movies", at="t", path="a.mkv", type="file", origin=LIVE, cause=cause)
    headers = event_headers(id="x", type="deleted", source="s", time="t", subject="a.mkv")
    return [NewRecord(CHANGES, encode(change), b"home", 1, tuple(headers))] * count


def beat() -> NewRecord:
    found = Heartbeat(
        component="project", instance="i", host="nas", pid=1, status="healthy", at="t", details={BEHIND: 0}
    )
    return NewRecord(REPORTS, encode(found), b"project")


def alerts(kafka: Kafka) -> list[tuple[object, object]]:
    return [(value["subject"], value["state"]) for value in decoded(read(kafka, ALERTS))]


def wait_alerts(kafka: Kafka, *wanted: tuple[str, str], beating: bool = False) -> None:
    def there() -> bool:
        if beating:
            write(kafka, beat())
        return set(wanted) <= set(alerts(kafka))

    wait_until(there, 30, what=f"alerts: {wanted}", every=0.3)


def test_roots_deletions_and_letters_are_published_once_each_and_what_is_retired_is_not(
    kafka: Kafka, tmp_path: Path
) -> None:
    settings: dict[str, object] = {"mass_deletion_many": 20, "mass_deletion_seconds": 2}
    write(kafka, *deleted(30, "retired"), NewRecord(ANALYSIS_JOBS, b"{poison", b"5", 3))
    letter = bury(kafka, *read(kafka, ANALYSIS_JOBS))
    queue, much = f"dead_letters/{ANALYSIS_JOBS.name}", "mass_deletion/movies"
    with alerting(kafka, settings, tmp_path):
        write(
            kafka,
            NewRecord(SYSTEM_UPDATES, b"{no update"),
            *[update("error")] * 2,
            update("healthy"),
            update("error"),
        )
        wait_alerts(kafka, (queue, "firing"), ("root_lost/movies", "resolved"))
        assert (much, "firing") not in alerts(kafka)
        write(kafka, *deleted(25), beat())
        wait_alerts(kafka, (much, "firing"))
        wait_alerts(kafka, (much, "resolved"), beating=True)
        ends = [len(read(kafka, topic)) for topic in (SYSTEM_UPDATES, CHANGES)]
        group = kafka.group("alerting")
        places = [(kafka.name(SYSTEM_UPDATES), 0), (kafka.name(CHANGES), 1)]
        wait_until(
            lambda: [group_offsets(kafka, group).get(place) for place in places] == ends, 20, what="the offsets"
        )
    assert letter == [0]
    assert sorted(map(str, alerts(kafka))) == sorted(
        map(
            str,
            [
                (queue, "firing"), ("root_lost/movies", "firing"), ("root_lost/movies", "resolved"),
                ("root_lost/movies", "firing"), (much, "firing"), (much, "resolved"),
            ],
        )
    )  # fmt: skip
    listed = Command(kafka).json("alerts", "list")
    assert [(one["subject"], one["state"]) for one in listed[:2]] == [
        ("root_lost/movies", "firing"), (queue, "firing")
    ]  # fmt: skip
    assert [one["subject"] for one in listed[2:]] == [much]
    records = read(kafka, ALERTS)
    assert {record.key for record in records} == {str(subject).encode() for subject, _ in alerts(kafka)}
    assert len({header(record, "ce_id") for record in records}) == len(records)


def test_killed_at_any_time_it_publishes_nothing_twice_with_another_id(kafka: Kafka, tmp_path: Path) -> None:
    flips = [update("error" if n % 2 == 0 else "healthy", f"r{n // 2 % 3}") for n in range(60)]
    write(kafka, *flips[:20])
    for part, kill_after in ((flips[20:40], 1), (flips[40:], 25)):
        worker = AlertWorker(kafka, {}, tmp_path)
        wait_until(lambda n=kill_after: len(alerts(kafka)) >= n, 30, what="some alerts", every=0.02)  # type: ignore[misc]
        write(kafka, *part)
        worker.kill()
    with alerting(kafka, {}, tmp_path):
        wait_until(lambda: len(once(kafka)) == 60, 30, what="all alerts", every=0.2)
    by_root: dict[str, list[str]] = {}
    for subject, state in once(kafka):
        by_root.setdefault(subject, []).append(state)
    assert {len(states) for states in by_root.values()} == {20}
    for states in by_root.values():
        assert states[0] == "firing"
        assert all(before != after for before, after in pairwise(states))


def once(kafka: Kafka) -> list[tuple[str, str]]:
    """Subject and state of each alert, as a reader sees them who knows ids."""
    found = {header(record, "ce_id"): record for record in reversed(read(kafka, ALERTS))}
    return [(str(v["subject"]), str(v["state"])) for v in decoded([*reversed(found.values())])]


def test_a_worker_delivers_what_a_producer_reports(kafka: Kafka, tmp_path: Path) -> None:
    report = RootReport(
        root="movies", library="home", site="main", protocol="local", status="error", at="t",
        message="root movies (/m) cannot be observed: it is not mounted", location="/m", mode="offline",
    )  # fmt: skip
    with http_target() as web:
        settings = StreamsSettings(analysis=AnalysisSettings(workers=1))
        worker = StreamWorker(kafka, settings, tmp_path, alerts={"webhook_url": web.url, "kinds": ["root_lost"]})
        try:
            began = time.monotonic()
            write(kafka, NewRecord(REPORTS, encode(report), b"movies"))
            wait_until(lambda: bool(web.posted), 30, what="the alert")
            print(f"report to webhook in {web.posted[0].at - began:.2f} s")
            assert worker.end() == 0, worker.log.read_text()[-2_000:]
        finally:
            if worker.died is None:
                worker.kill()
    assert web.posted[0].alert["message"] == report.message
    beats = [v for v in decoded(read(kafka, REPORTS)) if v.get("component") == "stream" and not v.get("leaving")]
    details = beats[-1]["details"]
    assert isinstance(details, dict)
    assert (details["behind_seconds"], details["disk_free_bytes"] > 0) == (0.0, True)
    assert tmp_path.is_relative_to(details["disk"])
