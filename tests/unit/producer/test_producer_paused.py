"""What an operator pauses is left alone until it is resumed, and nothing is lost by that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from producer.orders import CommandOutcome, Order
from producer.reporting import summarise
from producer.scanner import STEP_FACTS
from schemas.admin import AcceptRoot, Control, Pause, PauseRoot, RescanRoot, ResumeRoot
from tests.fakes.producer_backend import FakeBackend
from tests.support.producer_root import RootBench, in_short

MANY = 5 * STEP_FACTS // 2
"""More than two steps of a scan record."""

START = ["ScanStarted scan start", "ScanFinished scan start"]


@pytest.fixture
def backend() -> FakeBackend:
    backend = FakeBackend()
    backend.make("Films", "dir")
    backend.make("Films/a.mkv", "file", b"a")
    return backend


@pytest.fixture
def bench(tmp_path: Path, backend: FakeBackend) -> Iterator[RootBench]:
    """A root whose baseline was recorded."""
    with RootBench(tmp_path, backend=backend) as bench:
        bench.settle()
        yield bench


def order(bench: RootBench, *commands: Control) -> list[str]:
    for command in commands:
        bench.orders.append(Order(int(command.id), command))
    return in_short(bench.settle())


def of(id: int) -> dict[str, Any]:
    return {"id": str(id), "root": "films", "by": "admin", "at": "now"}


def pause(id: int, what: Pause = "root") -> PauseRoot:
    return PauseRoot(**of(id), reason="new disks", what=what)


def outcome(bench: RootBench) -> CommandOutcome | None:
    return bench.keeper.condition().outcome


def test_of_a_paused_root_nothing_is_read_or_recorded_until_it_is_resumed(
    bench: RootBench, backend: FakeBackend
) -> None:
    assert order(bench, pause(1)) == ["GapOpen paused"]
    assert outcome(bench) == CommandOutcome("1", True, "paused")
    backend.make("Films/b.mkv", "file", b"b")
    backend.broken |= {"", "Films"}
    bench.clock.skipped += 2_000
    assert in_short(bench.settle()) == []
    shown = summarise(bench.spec, bench.keeper.condition())
    assert (shown.status, shown.mode) == ("warning", "paused")
    assert "catalogizer roots resume films" in shown.message
    backend.broken.clear()
    assert order(bench, ResumeRoot(**of(2))) == [
        START[0], "+ Films/b.mkv", "# Films/b.mkv", START[1], "GapClosed paused",
    ]  # fmt: skip
    backend.make("Films/c.mkv", "file", b"c")
    assert in_short(bench.settle()) == ["+ Films/c.mkv", "# Films/c.mkv"]


def test_it_stays_paused_over_restarts(bench: RootBench, backend: FakeBackend) -> None:
    order(bench, pause(1))
    bench.restart()
    assert in_short(bench.settle()) == ["RootDeclared"]
    assert bench.keeper.condition().state == "paused"
    assert order(bench, ResumeRoot(**of(2)))[-1] == "GapClosed paused"


def test_one_killed_before_its_gap_was_recorded_records_it_at_the_next_start(bench: RootBench) -> None:
    with bench.database.transaction():
        bench.keeper._memory.pause("root")
    bench.restart()
    assert in_short(bench.settle()) == ["RootDeclared", "GapOpen paused"]


def test_a_root_that_is_away_stays_lost_through_a_pause_and_comes_back(
    bench: RootBench, backend: FakeBackend
) -> None:
    known, backend.nodes = backend.nodes, {}
    bench.clock.skipped += 5
    assert in_short(bench.settle()) == ["RootLost missing"]
    assert order(bench, pause(1)) == []
    assert order(bench, ResumeRoot(**of(2))) == []
    order(bench, pause(3))
    backend.nodes = known
    bench.clock.skipped += 5
    assert in_short(bench.settle()) == []
    assert order(bench, ResumeRoot(**of(4)))[0] == "RootBack root_back"


def test_scans_alone_wait_while_changes_are_observed(bench: RootBench, backend: FakeBackend) -> None:
    assert order(bench, pause(1, "scans")) == []
    backend.make("Films/b.mkv", "file", b"b")
    assert in_short(bench.settle()) == ["+ Films/b.mkv", "# Films/b.mkv"]
    del backend.nodes["Films/a.mkv"]
    rescan = RescanRoot(**of(2), reason="requested")
    assert order(bench, rescan) == []
    assert outcome(bench) == CommandOutcome("2", False, "it is scanned when it is resumed")
    shown = summarise(bench.spec, bench.keeper.condition())
    assert (shown.status, shown.mode) == ("warning", "watching")
    assert "its scans are paused" in shown.message
    assert order(bench, ResumeRoot(**of(3))) == [
        "ScanStarted scan requested", "- Films/a.mkv", "ScanFinished scan requested",
    ]  # fmt: skip


def test_a_scan_paused_in_the_middle_continues_where_it_was(tmp_path: Path) -> None:
    backend = FakeBackend()
    for number in range(MANY):
        backend.make(f"{number:04}.mkv", "file", f"{number}".encode())
    with RootBench(tmp_path, backend=backend) as bench:
        for _ in range(2):
            bench.keeper.turn()
        first = order(bench, pause(1, "scans"))
        progress = bench.keeper.condition().progress
        assert progress is not None
        assert 0 < progress.looked < MANY
        second = order(bench, ResumeRoot(**of(2)))
    assert [one for one in first if one.startswith("Scan")] == ["ScanStarted baseline start"]
    assert [one for one in second if one.startswith("Scan")] == ["ScanFinished baseline start"]
    assert sum(one.startswith("+") for one in first + second) == MANY


def test_one_pause_may_follow_another(bench: RootBench, backend: FakeBackend) -> None:
    assert order(bench, pause(1), pause(2, "scans")) == ["GapOpen paused"]
    backend.make("Films/b.mkv", "file", b"b")
    assert bench.keeper.condition().state == "watching"
    assert "ScanStarted scan start" not in in_short(bench.settle())
    assert order(bench, pause(3)) == []
    assert bench.keeper.condition().state == "paused"
    assert order(bench, ResumeRoot(**of(4)))[-1] == "GapClosed paused"
    assert order(bench, ResumeRoot(**of(5))) == []
    assert outcome(bench) == CommandOutcome("5", True, "nothing was paused")


def test_a_command_that_comes_again_pauses_nothing_again(bench: RootBench) -> None:
    order(bench, pause(1), ResumeRoot(**of(2)))
    assert order(bench, pause(1)) == []
    assert bench.keeper.condition().state == "watching"


def test_what_is_at_a_paused_roots_place_is_not_accepted(bench: RootBench) -> None:
    order(bench, pause(1), AcceptRoot(**of(2)))
    assert outcome(bench) == CommandOutcome("2", True, "not accepted: it is paused, resume it first")
