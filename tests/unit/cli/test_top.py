"""One screen of any size: what counts is always on it, and what does not fit is counted. Without a terminal it is one
line."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from cli.overview import ComponentLine, Jobs, LagLine, Overview, lag_of, latest
from cli.root_table import RootLine
from cli.status import lag_lines
from cli.top import screen
from schemas.system import Heartbeat
from schemas.topics import RAW
from tests.support.command import ROOT

AT = "2026-01-01T00:00:00.000Z"
ROOTS = [
    RootLine(f"root-{n}", "home", f"/media/{n}", "local", "watching", "x" * 100, configured=True)
    for n in range(40)
]


def overview(roots: list[RootLine], lag: list[LagLine] | None) -> Overview:
    return Overview(
        components=[ComponentLine("serve", "healthy", "1 instance\x1b[2J", AT)],
        roots=roots,
        dead_letters={RAW.name: 2},
        processes=latest([beat("serve", "a", version="0.1.0")]),
        lag=lag,
        jobs=Jobs(queued=1234, requested=0, workers=2, per_minute=30.5),
        sockets=3,
    )


def beat(component: str, instance: str, *, version: str = "", leaving: bool = False) -> Heartbeat:
    details: dict[str, str | int | float | bool | None] = {"version": version} if version else {}
    return Heartbeat(
        component=component, instance=instance, host="h", pid=1, status="healthy", at=AT, details=details,
        leaving=leaving,
    )  # fmt: skip


LAG = [lag_of("fold", RAW, lane, 5, (0, 5 + lane)) for lane in range(4)]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (200, 60), (20, 5), (80, 3)])
def test_a_screen_is_never_larger_than_the_terminal(width: int, height: int) -> None:
    lines = screen(overview(ROOTS, LAG), width, height)
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    assert not any("\x1b" in line for line in lines)


def test_on_80_by_24_all_facts_are_there_and_the_roots_that_do_not_fit_are_counted() -> None:
    lines = screen(overview(ROOTS, LAG), 80, 24)
    assert lines[-5:] == [
        "processes: serve 1; version 0.1.0",
        "fold: 6 records behind; by lane: 0, 1, 2, 3",
        "analysis: 1,234 jobs queued, 0 requested, 2 workers, 30.5 a minute",
        "sockets: 3 open",
        f"dead letters: 2 in {RAW.name}: catalogizer dlq list",
    ]
    assert lines[-6] == "… 25 more: catalogizer status"


def test_a_reader_without_a_position_is_behind_by_all_that_the_log_has() -> None:
    assert [lag_of("fold", RAW, 0, position, (10, 30)).lag for position in (None, 3, 25, 30)] == [20, 20, 5, 0]


def test_lag_that_may_not_be_seen_is_not_shown_as_none() -> None:
    assert lag_lines(None) == ["lag: the consumer groups may not be described by this principal"]


def test_a_process_is_known_by_its_last_heartbeat_and_is_gone_when_it_has_left() -> None:
    beats = [
        beat("serve", "a"),
        beat("serve", "b"),
        beat("serve", "a", version="2"),
        beat("serve", "b", leaving=True),
    ]
    assert [(line.component, line.version) for line in latest(beats)] == [("serve", "2")]


def test_without_a_terminal_it_reports_that_in_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "top"], cwd=ROOT, env=os.environ, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "needs a terminal" in done.stderr
