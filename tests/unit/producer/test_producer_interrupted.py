"""A scan that is to be finished is finished, whatever interrupts it; it records nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from producer.orders import Order
from producer.scanner import STEP_FACTS
from schemas import raw
from schemas.admin import RescanRoot
from tests.fakes.producer_backend import FakeBackend
from tests.support.producer_root import RootBench, in_short

FILES = 5 * STEP_FACTS // 2
"""More than two steps of a scan record."""

Ended = Callable[[RootBench], None]


def lost(bench: RootBench) -> None:
    backend = bench.backend
    assert isinstance(backend, FakeBackend)
    known, backend.nodes = backend.nodes, {}
    bench.clock.skipped += 5
    bench.keeper.turn()
    backend.nodes = known
    bench.clock.skipped += 5


@pytest.fixture
def backend() -> FakeBackend:
    backend = FakeBackend()
    backend.make("Films", "dir")
    for number in range(FILES):
        backend.make(f"Films/{number:04}.mkv", "file", f"{number}".encode())
    return backend


@pytest.fixture
def bench(tmp_path: Path, backend: FakeBackend) -> Iterator[RootBench]:
    with RootBench(tmp_path, backend=backend) as bench:
        yield bench


def begun(bench: RootBench) -> list[raw.RawRecord]:
    """Take turns until the scan has recorded some paths, and not all."""
    found: list[raw.RawRecord] = []
    while sum(isinstance(record, raw.Observed) for record in found) < 500:
        bench.keeper.turn()
        found += bench.new_records()
    assert not any(isinstance(record, raw.ScanFinished) for record in found)
    return found


def observed(records: list[raw.RawRecord]) -> list[str]:
    return [record.path for record in records if isinstance(record, raw.Observed)]


def of_scan(records: list[raw.RawRecord]) -> tuple[list[int], raw.ScanFinished, int]:
    """Numbers of the scans that began, the one that ended, and how many of its records name something that is there."""
    started = [record.scan for record in records if isinstance(record, raw.ScanStarted)]
    (finished,) = (record for record in records if isinstance(record, raw.ScanFinished))
    arrived = sum(
        record.scan == finished.scan and getattr(record, "file", None) is not None
        for record in records
        if isinstance(record, raw.Observed | raw.Moved)
    )
    return started, finished, arrived


@pytest.mark.parametrize("ended", [RootBench.restart, lost], ids=["killed", "lost"])
def test_a_baseline_continues_under_its_number_and_records_nothing_twice(bench: RootBench, ended: Ended) -> None:
    records = begun(bench)
    ended(bench)
    records += bench.settle()
    assert len(observed(records)) == len(set(observed(records))) == FILES + 1
    started, finished, arrived = of_scan(records)
    assert (started, finished.scan, finished.origin) == ([1], 1, "baseline")
    assert finished.total == arrived == FILES + 1
    assert finished.counts == raw.Counts(added=FILES + 1)


def test_what_changed_while_a_baseline_was_interrupted_is_recorded(bench: RootBench, backend: FakeBackend) -> None:
    records = begun(bench)
    first = observed(records)[1]
    bench.stop()
    del backend.nodes[first]
    second = observed(records)[2]
    backend.nodes["Films/renamed.mkv"] = backend.nodes.pop(second)
    bench.start()
    later = bench.settle()
    assert f"- {first}" in in_short(later)
    assert f"{second} > Films/renamed.mkv" in in_short(later)
    _, finished, arrived = of_scan(records + later)
    assert finished.total == arrived == FILES + 2


def test_a_reconcile_continues_under_its_number(bench: RootBench, backend: FakeBackend) -> None:
    bench.settle()
    for number in range(FILES):
        backend.nodes[f"Films/{number:04}.mkv"].mtime_ns += 1
    bench.clock.skipped += 900
    records = begun(bench)
    bench.restart()
    records += bench.settle()
    started, finished, arrived = of_scan(records)
    assert (started, finished.scan, finished.origin, finished.cause) == ([2], 2, "reconcile", "periodic")
    assert finished.total == arrived == FILES


def test_scans_that_operators_request_survive_a_kill(bench: RootBench, backend: FakeBackend) -> None:
    bench.settle()
    for number in range(FILES):
        backend.nodes[f"Films/{number:04}.mkv"].mtime_ns += 1
    for number, subtree in enumerate(("", "Films"), 1):
        command = RescanRoot(id=f"r{number}", root="films", by="admin", at="now", reason="", subtree=subtree)
        bench.orders.append(Order(number, command))
    begun(bench)
    bench.restart()
    later = [one for one in in_short(bench.settle()) if one.startswith("Scan")]
    assert later == [
        "ScanFinished scan requested", "ScanStarted scan requested", "ScanFinished scan requested",
    ]  # fmt: skip
    outcome = bench.keeper.condition().outcome
    assert outcome is not None
    assert (outcome.id, outcome.done) == ("r2", True)
    bench.restart()
    assert in_short(bench.settle()) == ["RootDeclared", "ScanStarted scan start", "ScanFinished scan start"]
