"""A root that is polled, because its changes are not reported: on a disk, and on a FUSE file system."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from producer.backends.chosen import Chosen
from producer.backends.local.file_system import file_system_of
from producer.backends.polling.schedule import HOT_FOR_SECONDS, Pace
from producer.backends.polling.watch import PollingWatch
from schemas import raw
from tests.support.fuse import mounted
from tests.support.producer_root import RootBench, in_short, put, tree_of
from tests.support.waiting import wait_until

PACE = Pace(hot_seconds=0.2, cold_seconds=2.0, per_second=10_000)
BOUND_SECONDS = 6.0
"""The bound for what is looked at every 2 s, on a busy machine."""

KEPT_SECONDS = 3.0
"""A FUSE file system's answers are cached for 1 s; a directory is reported again when they are older."""


@contextmanager
def polled(folder: Path, *files: str) -> Iterator[RootBench]:
    bench = RootBench(folder, make_watch=partial(PollingWatch, pace=PACE))
    for file in files:
        put(bench.root / file)
    with bench:
        follow(bench, bench.converged, "the baseline")
        cool(bench)
        bench.new_records()
        yield bench


def follow(bench: RootBench, condition: Callable[[], bool], what: str, seconds: float = BOUND_SECONDS) -> None:
    """Take turns until the condition is true."""

    def taken() -> bool:
        bench.keeper.turn()
        return condition()

    wait_until(taken, seconds, what=what)


def cool(bench: RootBench) -> None:
    """Let time pass until no directory is hot."""

    def is_cold() -> bool:
        bench.clock.skipped += HOT_FOR_SECONDS / 10
        polling = bench.keeper.condition().coverage.polling
        return polling is not None and polling.hot == 0 and bench.keeper.condition().scanned

    follow(bench, is_cold, "all directories to be cold", 20)


def test_what_comes_goes_and_is_renamed_in_a_cold_directory_is_found(tmp_path: Path) -> None:
    with polled(tmp_path, "Films/a.mkv", "Films/b.mkv", "Series/c.mkv") as bench:
        put(bench.root / "Films" / "new.mkv")
        put(bench.root / "Series" / "Season 1" / "d.mkv")
        (bench.root / "Films" / "a.mkv").rename(bench.root / "Films" / "renamed.mkv")
        (bench.root / "Films" / "b.mkv").unlink()
        follow(bench, bench.converged, "all of it")
        recorded = in_short(bench.new_records())
        assert "Films/a.mkv > Films/renamed.mkv" in recorded
        assert not any(line.startswith(("Gap", "ScanStarted")) for line in recorded)


def test_a_file_that_is_written_in_place_is_followed_while_its_directory_is_hot(tmp_path: Path) -> None:
    with polled(tmp_path, "Films/a.mkv") as bench:
        put(bench.root / "Films" / "download.mkv", b"one")
        follow(bench, bench.converged, "the file")
        before = (bench.root / "Films").stat().st_mtime_ns
        for piece in (b"two", b"three"):
            with (bench.root / "Films" / "download.mkv").open("ab") as file:
                file.write(piece)
            follow(bench, bench.converged, "what was appended")
        assert (bench.root / "Films").stat().st_mtime_ns == before


def test_what_is_written_in_place_in_a_cold_directory_the_next_reconcile_finds(tmp_path: Path) -> None:
    with polled(tmp_path, "Films/a.mkv") as bench:
        with (bench.root / "Films" / "a.mkv").open("ab") as file:
            file.write(b"more")
        bench.clock.skipped += bench.pacing.reconcile_seconds
        follow(bench, bench.converged, "what was appended")
        assert "ScanStarted reconcile periodic" in in_short(bench.new_records())


def test_so_much_gone_at_once_that_it_looks_like_a_fault_is_recorded_only_by_a_second_scan(tmp_path: Path) -> None:
    files = [f"Films/{number}/a.mkv" for number in range(60)]
    with polled(tmp_path, *files, "Series/c.mkv") as bench:
        shutil.rmtree(bench.root / "Films")
        follow(bench, lambda: "GapOpen mass_deletion" in in_short(bench.everything()), "the doubt")
        assert not [line for line in in_short(bench.everything()) if line.startswith("- ")]
        bench.clock.skipped += bench.pacing.confirm_seconds
        follow(bench, bench.converged, "the deletion")
        follow(
            bench, lambda: in_short(bench.everything())[-1] == "GapClosed mass_deletion", "the end of the doubt"
        )


def test_another_directory_at_the_roots_place_deletes_nothing(tmp_path: Path) -> None:
    with polled(tmp_path, "Films/a.mkv") as bench:
        bench.root.rename(tmp_path / "away")
        bench.root.mkdir()
        follow(bench, lambda: bench.keeper.condition().fault is not None, "the loss")
        bench.root.rmdir()
        (tmp_path / "away").rename(bench.root)
        put(bench.root / "Films" / "while-away.mkv")
        bench.clock.skipped += bench.pacing.identity_seconds
        follow(bench, bench.converged, "the root to be back")
        records = bench.new_records()
        assert not [record for record in records if isinstance(record, raw.Observed) and record.file is None]


def test_the_condition_reports_how_much_is_looked_at_and_what_may_remain_unseen(tmp_path: Path) -> None:
    with polled(tmp_path, "Films/a.mkv") as bench:
        coverage = bench.keeper.condition().coverage
        assert (coverage.how, coverage.watched, coverage.unwatched) == ("polling", 2, 0)
        assert coverage.polling is not None
        assert (coverage.polling.hot, coverage.polling.cold) == (0, 2)
        put(bench.root / "Films" / "b.mkv")
        follow(bench, bench.converged, "the file")
        polling = bench.keeper.condition().coverage.polling
        assert polling is not None
        assert (polling.hot, polling.cold) == (1, 1)


# -- FUSE ------------------------------------------------------------------------------------------------------


@contextmanager
def on_fuse(folder: Path, *options: str) -> Iterator[tuple[RootBench, Path]]:
    """A root on a FUSE file system, and the folder behind it."""
    behind, root = folder / "behind", folder / "films"
    for file in ("Films/a.mkv", "Films/b.mkv", "Series/c.mkv"):
        put(behind / file)
    root.mkdir()
    with mounted(behind, root, *options), polled(folder) as bench:
        yield bench, behind


def test_a_fuse_file_system_is_polled_unless_configured_otherwise(tmp_path: Path) -> None:
    behind, root = tmp_path / "behind", tmp_path / "films"
    behind.mkdir()
    root.mkdir()
    with mounted(behind, root):
        assert file_system_of(root).type.partition(".")[0] == "fuse"
        watch = Chosen("auto", PACE)(root, lambda: None)
        how, why = watch.coverage.how, watch.coverage.why
        watch.close()
    assert how == "polling"
    assert why.startswith("fuse: ")


def test_what_is_changed_through_a_fuse_file_system_and_behind_it_is_found(tmp_path: Path) -> None:
    with on_fuse(tmp_path) as (bench, behind):
        put(bench.root / "Films" / "through.mkv")
        put(behind / "Films" / "behind.mkv")
        put(behind / "Series" / "Season 1" / "behind.mkv")
        follow(bench, partial(knows, bench, behind), "what came")
        cool(bench)
        (behind / "Films" / "a.mkv").unlink()
        (behind / "Series" / "c.mkv").rename(behind / "Series" / "renamed.mkv")
        (bench.root / "Films" / "b.mkv").unlink()
        follow(bench, partial(knows, bench, behind), "what went", BOUND_SECONDS + KEPT_SECONDS)


def test_what_the_kernel_caches_of_a_directory_for_a_minute_does_not_hide_what_came(tmp_path: Path) -> None:
    with on_fuse(tmp_path, "attr_timeout=60", "entry_timeout=60") as (bench, behind):
        put(behind / "Series" / "Season 1" / "behind.mkv")
        follow(bench, partial(knows, bench, behind), "what came")


def knows(bench: RootBench, behind: Path) -> bool:
    """Whether the log has what is there, by name; the mount itself is not read, because that would refresh its cache."""
    names = {os.fspath(path.relative_to(behind)) for path in behind.rglob("*")}
    return set(tree_of(bench.everything())) == names
