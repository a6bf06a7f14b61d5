"""A root on a file system that fails: a path that could not be read is never recorded as gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.producer_backend import FakeBackend
from tests.support.producer_root import RootBench, in_short


@pytest.fixture
def backend() -> FakeBackend:
    backend = FakeBackend()
    for path in ("Series", "Films"):
        backend.make(path, "dir")
        backend.make(f"{path}/a.mkv", "file", path.encode())
    return backend


@pytest.fixture
def bench(tmp_path: Path, backend: FakeBackend) -> Iterator[RootBench]:
    """A root whose baseline was recorded."""
    with RootBench(tmp_path, backend=backend) as bench:
        bench.settle()
        yield bench


def reconciled(bench: RootBench) -> list[str]:
    bench.clock.skipped += 900
    return in_short(bench.settle())


SCANNED = ["ScanStarted reconcile periodic", "ScanFinished reconcile periodic"]


@pytest.mark.parametrize("path", ["Series", "Series/a.mkv"])
def test_an_io_error_records_nothing_for_a_path_and_what_is_below_it(
    bench: RootBench, backend: FakeBackend, path: str
) -> None:
    backend.broken.add(path)
    assert reconciled(bench) == SCANNED
    assert "cannot be read" in bench.keeper.condition().problems[0]
    backend.broken.clear()
    assert reconciled(bench) == SCANNED


def test_a_directory_that_may_not_be_listed_loses_nothing(bench: RootBench, backend: FakeBackend) -> None:
    backend.nodes["Series"].readable = False
    assert reconciled(bench) == SCANNED


def test_what_vanishes_between_being_listed_and_looked_at_is_gone_for_the_next_scan(
    bench: RootBench, backend: FakeBackend
) -> None:
    watch = bench.keeper._watch
    assert watch is not None
    watch.remove("")
    backend.make("new.mkv", "file", b"x")
    backend.vanishing.add("new.mkv")
    assert reconciled(bench) == [SCANNED[0], "+ new.mkv", SCANNED[1]]
    assert reconciled(bench) == [SCANNED[0], "- new.mkv", SCANNED[1]]


def test_a_root_that_answers_as_empty_because_it_is_gone_deletes_nothing(
    bench: RootBench, backend: FakeBackend
) -> None:
    backend.unmount()
    assert in_short(bench.settle()) == ["RootLost replaced_by_empty"]


def test_a_root_that_cannot_be_listed_is_lost_and_comes_back(bench: RootBench, backend: FakeBackend) -> None:
    backend.broken.add("")
    bench.clock.skipped += 5
    assert in_short(bench.settle()) == ["RootLost unreadable"]
    bench.clock.skipped += 5
    assert bench.settle() == []
    backend.broken.clear()
    bench.clock.skipped += 5
    assert in_short(bench.settle())[0] == "RootBack root_back"


def test_a_dead_watch_is_replaced_and_made_up_for(bench: RootBench, backend: FakeBackend) -> None:
    backend.lose_watch()
    backend.nodes["Films/b.mkv"] = backend.nodes.pop("Films/a.mkv")
    bench.clock.skipped += 5
    assert in_short(bench.settle()) == [
        "GapOpen watcher_died", "ScanStarted scan watcher_died", "Films/a.mkv > Films/b.mkv",
        "ScanFinished scan watcher_died", "GapClosed watcher_died",
    ]  # fmt: skip
    backend.make("Films/c.mkv", "file", b"c")
    assert in_short(bench.settle()) == ["+ Films/c.mkv", "# Films/c.mkv"]


def test_an_overflow_is_a_gap_until_a_scan_has_made_up_for_it(bench: RootBench, backend: FakeBackend) -> None:
    backend.make("Films/c.mkv", "file", b"c")
    backend.overflow()
    assert in_short(bench.settle()) == [
        "GapOpen overflow", "ScanStarted scan overflow", "+ Films/c.mkv", "# Films/c.mkv", "ScanFinished scan overflow",
        "GapClosed overflow",
    ]  # fmt: skip
