"""How a root's condition is reported to people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from producer.backends.interface import Coverage, PollingStats
from producer.condition import Condition, watch_limit_message
from producer.core.identity import Fault, Faulty
from producer.reporting import failing, root_report, scan_report, summarise
from producer.scanning import ScanProgress
from producer.settings import RootSpec

SPEC = RootSpec(name="films", library="home", path=Path("/media/films"))
AT = "2026-11-24T10:30:00.000Z"
WELL = Condition("watching", None, 3, 0, 5, (), ScanProgress(2, 100, 90, True), 0, True)


def test_a_watched_root_is_healthy_and_the_report_is_the_whole_state() -> None:
    report = root_report(SPEC, summarise(SPEC, WELL), AT, AT)
    assert (report.status, report.mode, report.retry_count) == ("healthy", "watching", 0)
    assert (report.root, report.library, report.location) == ("films", "home", "/media/films")
    assert report.details == {
        "state": "watching", "watched_directories": 3, "unwatched_directories": 0, "outbox_records": 5,
    }  # fmt: skip


@pytest.mark.parametrize("cause", ["missing", "not_a_directory", "unreadable", "swapped", "replaced_by_empty"])
def test_a_lost_root_is_an_error_that_names_root_path_cause_and_what_to_do(cause: Fault) -> None:
    condition = Condition("lost", Faulty(cause, "its detail"), 0, 0, 0, (), None, 4, True)
    report = root_report(SPEC, summarise(SPEC, condition), AT, None)
    assert (report.status, report.mode, report.retry_count) == ("error", "offline", 4)
    assert report.message.startswith("root films (/media/films) cannot be observed: its detail; ")
    assert report.details["cause"] == cause


def test_a_share_whose_server_is_away_is_reported_as_that_with_host_and_share() -> None:
    there = {"protocol": "smb", "host": "nas", "share": "media", "user": "reader", "password": "canary"}
    spec = RootSpec.model_validate({"name": "films", "library": "home", "path": "Films", **there})
    condition = Condition("lost", Faulty("unreachable", "nas does not answer"), 0, 0, 0, (), None, 3, True)
    report = root_report(spec, summarise(spec, condition), AT, AT)
    assert report.message.startswith("SMB connection lost to films (//nas/media/Films): nas does not answer; ")
    assert (report.host, report.share, report.last_connected, report.retry_count) == ("nas", "media", AT, 3)
    assert (report.protocol, report.location) == ("smb", "//nas/media/Films")


def test_a_problem_is_a_warning() -> None:
    condition = Condition(
        "watching", None, 3, 2, 0, (watch_limit_message(Coverage(3, 2, "the limit")),), None, 0, True
    )
    report = summarise(SPEC, condition)
    assert report.status == "warning"
    assert "3 directories are watched, 5 are needed" in report.message


def test_a_failing_thread_is_an_error() -> None:
    report = root_report(SPEC, failing(SPEC, "disk is full"), AT, None)
    assert (report.status, report.message) == ("error", "root films (/media/films): disk is full")


def test_only_what_people_would_notice_is_reported_at_once() -> None:
    busier = Condition("watching", None, 9, 0, 500, (), None, 0, True)
    assert summarise(SPEC, WELL).is_equivalent_to(summarise(SPEC, busier))
    assert not summarise(SPEC, WELL).is_equivalent_to(failing(SPEC, "disk is full"))


def test_a_scans_progress() -> None:
    report = scan_report(SPEC, WELL, AT)
    assert report is not None
    assert (report.scan, report.done, report.expected, report.finished) == (2, 100, 90, True)
    assert scan_report(SPEC, Condition("lost", None, 0, 0, 0, (), None, 0, True), AT) is None


def test_a_scan_under_way_is_part_of_the_roots_report() -> None:
    under_way = replace(WELL, progress=ScanProgress(3, 41_200, 84_000))
    assert summarise(SPEC, under_way).details[-3:] == (
        ("scan", 3),
        ("scan_done", 41_200),
        ("scan_expected", 84_000),
    )
    assert summarise(SPEC, under_way).is_equivalent_to(summarise(SPEC, WELL))


def test_a_polled_root_reports_that_and_how_long_a_change_may_remain_unseen() -> None:
    polling = PollingStats(hot=2, cold=498, per_second=12.34, unseen_seconds=60.25)
    polled = replace(WELL, coverage=Coverage(500, 0, "", "polling", "nfs4: others change it too", polling))
    report = summarise(SPEC, polled)
    assert report.message == "root films (/media/films) is watched by polling (nfs4: others change it too)"
    assert dict(report.details[4:]) == {
        "watch": "polling", "watch_why": "nfs4: others change it too", "hot_directories": 2, "cold_directories": 498,
        "looks_per_second": 12.3, "unseen_seconds": 60.2,
    }  # fmt: skip
    busier = replace(polled, coverage=replace(polled.coverage, polling=replace(polling, hot=9)))
    assert report.is_equivalent_to(summarise(SPEC, busier))


def test_a_root_that_the_kernel_reports_on_has_that_in_its_details_alone() -> None:
    report = summarise(SPEC, replace(WELL, coverage=Coverage(3, 0, "limit", "inotify", "ext4: only this machine")))
    assert report.message == "root films (/media/films) is watched"
    assert dict(report.details[4:]) == {"watch": "inotify", "watch_why": "ext4: only this machine"}


def test_directories_that_no_limit_keeps_from_being_watched_are_not_blamed_on_one() -> None:
    assert watch_limit_message(Coverage(3, 2, "", "fanotify")).startswith("2 directories are on file systems")
