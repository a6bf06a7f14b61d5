"""Faults of a root: nothing is invented, nothing is lost unnoticed, and everything is made up for."""

from __future__ import annotations

import errno
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from producer.backends.interface import Watch
from producer.backends.local.reader import Reader
from producer.backends.local.watch import InotifyWatch
from producer.world import Pacing
from schemas import raw
from tests.fakes.producer_backend import FakeBackend
from tests.support.producer_root import RootBench, in_short, put, tree_of
from tests.support.unprivileged import unprivileged
from tests.support.waiting import wait_until


@contextmanager
def with_two_files(folder: Path) -> Iterator[RootBench]:
    """A root with two files, its baseline recorded."""
    bench = RootBench(folder)
    put(bench.root / "a.mkv")
    put(bench.root / "Series" / "b.mkv")
    with bench:
        bench.settle()
        yield bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[RootBench]:
    """The same, in the test's folder."""
    with with_two_files(tmp_path) as bench:
        yield bench


def deletions(records: list[raw.RawRecord]) -> list[str]:
    return [record.path for record in records if isinstance(record, raw.Observed) and record.file is None]


def moved_away(bench: RootBench) -> Callable[[], None]:
    """The root is not at its path until the returned function is called."""
    away = bench.folder / "away"
    bench.root.rename(away)

    def back() -> None:
        if bench.root.is_dir():
            shutil.rmtree(bench.root)
        elif bench.root.exists():
            bench.root.unlink()
        away.rename(bench.root)

    return back


def nothing_there(_bench: RootBench) -> None:
    """Missing."""


def an_empty_folder(bench: RootBench) -> None:
    """Like an unmounted disk."""
    bench.root.mkdir()


def another_library(bench: RootBench) -> None:
    """Swapped."""
    put(bench.root / "other.mkv")


def a_file(bench: RootBench) -> None:
    """No directory at all."""
    bench.root.touch()


@pytest.mark.parametrize(
    ("instead", "cause"),
    [
        (nothing_there, "missing"),
        (an_empty_folder, "replaced_by_empty"),
        (another_library, "swapped"),
        (a_file, "not_a_directory"),
    ],
)
def test_a_root_that_is_not_itself_deletes_nothing_and_is_observed_again(
    bench: RootBench, instead: Callable[[RootBench], None], cause: str
) -> None:
    back = moved_away(bench)
    instead(bench)
    bench.clock.skipped += 5
    assert in_short(bench.settle()) == [f"RootLost {cause}"]
    fault = bench.keeper.condition().fault
    assert fault is not None
    assert str(bench.root) in fault.detail or cause in ("swapped", "replaced_by_empty")
    back()
    put(bench.root / "Series" / "while-away.mkv")
    bench.clock.skipped += 5
    assert in_short(bench.settle()) == [
        "RootBack root_back", "ScanStarted scan root_back", "+ Series/while-away.mkv", "# Series/while-away.mkv",
        "ScanFinished scan root_back",
    ]  # fmt: skip
    put(bench.root / "Series" / "live-again.mkv")
    assert in_short(bench.settle()) == ["+ Series/live-again.mkv", "# Series/live-again.mkv"]


def test_an_unmounted_root_is_lost_at_once_and_another_file_system_is_not_taken_for_it(tmp_path: Path) -> None:
    bench = RootBench(tmp_path)
    mount = ["mount", "-t", "tmpfs", "none", str(bench.root)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    put(bench.root / "a.mkv")
    with bench:
        bench.settle()
        subprocess.run(["umount", str(bench.root)], check=True)
        assert in_short(bench.settle()) == ["RootLost replaced_by_empty"]
        subprocess.run(mount, check=True)
        bench.clock.skipped += 5
        assert bench.settle() == []
        subprocess.run(["umount", str(bench.root)], check=True)


def test_a_root_swapped_while_stopped_deletes_nothing(bench: RootBench) -> None:
    bench.stop()
    back = moved_away(bench)
    another_library(bench)
    bench.start()
    assert in_short(bench.settle()) == ["RootDeclared", "RootLost swapped"]
    bench.restart()
    assert in_short(bench.settle()) == ["RootDeclared"]
    back()
    bench.clock.skipped += 5
    assert in_short(bench.settle()) == [
        "RootBack root_back",
        "ScanStarted scan root_back",
        "ScanFinished scan root_back",
    ]


def test_a_root_removed_with_all_its_files_is_lost_and_not_deleted(bench: RootBench) -> None:
    shutil.rmtree(bench.root)
    bench.clock.skipped += 5
    records = bench.settle()
    assert in_short(records) == ["RootLost missing"]


def test_deletions_seen_just_before_the_root_goes_are_recorded_only_if_it_stayed(bench: RootBench) -> None:
    (bench.root / "a.mkv").unlink()
    back = moved_away(bench)
    assert deletions(bench.settle()) == []
    back()
    bench.clock.skipped += 5
    assert deletions(bench.settle()) == ["a.mkv"]


def test_a_root_never_seen_is_declared_when_it_appears(tmp_path: Path) -> None:
    bench = RootBench(tmp_path)
    bench.root.rmdir()
    with bench:
        assert bench.settle() == []
        put(bench.root / "a.mkv")
        bench.clock.skipped += 5
        records = bench.settle()
    assert in_short(records)[:2] == ["RootDeclared", "ScanStarted baseline start"]
    declared = records[0]
    assert isinstance(declared, raw.RootDeclared)
    assert declared.identity is not None
    assert declared.identity.inode == bench.root.stat().st_ino


def test_an_unreadable_directory_is_reported_and_keeps_what_is_known_below_it() -> None:
    with unprivileged() as folder, with_two_files(folder) as bench:
        (bench.root / "Series").chmod(0)
        bench.restart()
        records = bench.settle()
        (bench.root / "Series").chmod(0o755)
        assert deletions(records) == []
        assert "cannot be read" in bench.keeper.condition().problems[0]


def test_a_baseline_names_what_it_could_not_see(tmp_path: Path) -> None:
    files = FakeBackend(watchable=False)
    for directory in ("closed", "open", "late"):
        files.make(directory, "dir")
        files.make(f"{directory}/a.mkv", "file", b"a")
    files.nodes["closed"].readable = False
    with RootBench(tmp_path, backend=files) as bench:
        (finished,) = [record for record in bench.settle() if isinstance(record, raw.ScanFinished)]
    assert (finished.origin, finished.unseen) == ("baseline", (raw.Unseen("closed"),))


def test_so_many_unseen_paths_that_a_record_would_grow_large_are_recorded_as_everything(tmp_path: Path) -> None:
    files = FakeBackend(watchable=False)
    for number in range(60):
        files.make(f"{number} {'x' * 200}", "dir")
        files.nodes[f"{number} {'x' * 200}"].readable = False
    with RootBench(tmp_path, backend=files) as bench:
        (finished,) = [record for record in bench.settle() if isinstance(record, raw.ScanFinished)]
    assert finished.unseen == (raw.Unseen(""),)


def test_so_much_gone_at_once_needs_a_second_healthy_scan(tmp_path: Path) -> None:
    bench = RootBench(tmp_path)
    for number in range(100):
        put(bench.root / f"{number}.mkv", str(number).encode())
    with bench:
        bench.settle()
        bench.stop()
        for number in range(60):
            (bench.root / f"{number}.mkv").unlink()
        bench.start()
        records = bench.settle()
        assert in_short(records)[1:] == [
            "ScanStarted scan start",
            "ScanFinished scan start",
            "GapOpen mass_deletion",
        ]
        assert "gone" in bench.keeper.condition().problems[0]
        put(bench.root / "0.mkv")
        bench.settle()
        bench.clock.skipped += 60
        records = bench.settle()
        assert len(deletions(records)) == 59
        assert in_short(records)[-2:] == ["ScanFinished scan mass_deletion", "GapClosed mass_deletion"]
        assert bench.converged()


def test_a_tree_deleted_while_it_is_watched_needs_no_second_scan(tmp_path: Path) -> None:
    bench = RootBench(tmp_path)
    for number in range(100):
        put(bench.root / "Series" / f"{number}.mkv")
    with bench:
        bench.settle()
        shutil.rmtree(bench.root / "Series")
        assert len(deletions(bench.settle())) == 101


class HaltedReader(Reader):
    """Reads nothing while it is halted, so that the kernel's own queue overflows."""

    def __init__(self, wake: Callable[[], None], limit: int, free: threading.Event) -> None:
        super().__init__(wake, limit)
        self._free = free

    def pull(self) -> int:
        return super().pull() if self._free.is_set() else self.place


def test_an_overflow_of_the_kernels_queue_is_recorded_and_made_up_for(tmp_path: Path) -> None:
    free = threading.Event()
    free.set()

    class HaltedWatch(InotifyWatch):
        @staticmethod
        def make_reader(wake: Callable[[], None], limit: int) -> Reader:
            return HaltedReader(wake, limit, free)

    bench = RootBench(tmp_path, make_watch=HaltedWatch)
    put(bench.root / "Series" / "b.mkv")
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    with bench:
        bench.settle()
        free.clear()
        (bench.root / "first").touch()
        for number in range(limit):  # each is opened and closed again: two events and more
            (bench.root / "Series" / f"{number % 2_000}.txt").touch()
        (bench.root / "Series").rename(bench.root / "Serien")
        free.set()
        records = bench.settle(60)
        assert "GapOpen overflow" in in_short(records)
        assert in_short(records)[-1] == "GapClosed overflow"
        assert bench.converged()
        assert bench.keeper.condition().watched == 2
        put(bench.root / "Serien" / "after.mkv")
        bench.settle()
        assert bench.converged()


def test_events_beyond_our_own_queue_are_an_overflow_too(tmp_path: Path) -> None:
    bench = RootBench(tmp_path, make_watch=partial(InotifyWatch, queue_limit=10))
    with bench:
        bench.settle()
        for number in range(50):
            put(bench.root / f"{number}.mkv")
        records = in_short(bench.settle())
        assert "GapOpen overflow" in records
        assert records[-1] == "GapClosed overflow"
        assert bench.converged()


def test_directories_beyond_the_watch_limit_are_scanned_and_the_limit_is_named(tmp_path: Path) -> None:
    bench = RootBench(tmp_path, make_watch=partial(InotifyWatch, watch_limit=3))
    for number in range(6):
        put(bench.root / f"{number}" / "a.mkv")
    with bench:
        records = bench.settle()
        assert in_short(records)[-1] == "GapOpen watch_limit"
        problem = bench.keeper.condition().problems[0]
        assert "3 directories are watched, 7 are needed" in problem
        assert "fs.inotify.max_user_watches" in problem
        for number in range(6):
            put(bench.root / f"{number}" / "b.mkv")
        bench.settle()
        assert not bench.converged()
        bench.clock.skipped += 60
        bench.settle()
        assert bench.converged()
        bench.make_watch = InotifyWatch
        bench.restart()
        assert in_short(bench.settle())[-1] == "GapClosed watch_limit"
        assert bench.keeper.condition().problems == ()


def test_an_unwatched_directory_that_is_gone_is_wanted_no_longer(tmp_path: Path) -> None:
    bench = RootBench(tmp_path, make_watch=partial(InotifyWatch, watch_limit=2))
    for name in ("a", "b", "c"):
        put(bench.root / name / "inner" / "x.mkv")
    with bench:
        bench.settle()
        assert bench.keeper.condition().unwatched == 5
        for name in ("a", "b", "c"):
            shutil.rmtree(bench.root / name)
        bench.clock.skipped += 60
        bench.settle()
        condition = bench.keeper.condition()
        assert (condition.watched, condition.unwatched, condition.problems) == (1, 0, ())


def none_free(*_: object) -> Watch:
    raise OSError(errno.EMFILE, "Too many open files")


def test_without_an_inotify_instance_the_root_is_scanned_instead(tmp_path: Path) -> None:
    bench = RootBench(tmp_path, make_watch=none_free)
    with bench:
        assert in_short(bench.settle())[-1] == "GapOpen watch_unavailable"
        put(bench.root / "a.mkv")
        bench.clock.skipped += 60
        bench.settle()
        assert bench.converged()
        assert "max_user_instances" in bench.keeper.condition().problems[0]
        bench.make_watch = InotifyWatch
        bench.clock.skipped += 60
        assert in_short(bench.settle())[-1] == "GapClosed watch_unavailable"


class Mortal(Reader):
    """Fails at the first event about `poison`."""

    def _keep(self, piece: bytes) -> None:
        if b"poison" in piece:
            self.stop()
        else:
            super()._keep(piece)


class MortalWatch(InotifyWatch):
    """With such a reader."""

    @staticmethod
    def make_reader(wake: Callable[[], None], limit: int) -> Reader:
        return Mortal(wake, limit)


def test_a_dead_reader_is_noticed_replaced_and_made_up_for(tmp_path: Path) -> None:
    bench = RootBench(tmp_path, make_watch=MortalWatch)
    with bench:
        bench.settle()
        put(bench.root / "poison")
        bench.clock.skipped += 5
        bench.make_watch = InotifyWatch
        records: list[str] = []

        def healed() -> bool:  # the reader fails at a time of its own
            records.extend(in_short(bench.settle()))
            return "GapClosed watcher_died" in records

        wait_until(healed, 20, what="the gap to be closed")
        assert "GapOpen watcher_died" in records
        assert bench.converged()
        put(bench.root / "after.mkv")
        bench.settle()
        assert bench.converged()


def test_a_failure_of_the_journal_is_a_gap_and_made_up_for(bench: RootBench) -> None:
    bench.stop()
    put(bench.root / "unseen.mkv")
    bench.start(failure="journal_failed")
    assert in_short(bench.settle()) == [
        "RootDeclared", "GapOpen journal_failed", "ScanStarted scan start", "+ unseen.mkv", "# unseen.mkv",
        "ScanFinished scan start", "GapClosed journal_failed",
    ]  # fmt: skip


def test_a_full_disk_writes_nothing_by_halves_and_is_made_up_for(bench: RootBench) -> None:
    bench.settle()
    pages = bench.database.execute("PRAGMA page_count").fetchone()[0]
    bench.database.execute(f"PRAGMA max_page_count={pages}")
    before = len(bench.everything())
    for number in range(400):
        put(bench.root / f"{number}-{'x' * 150}.mkv")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        bench.settle()
    state, index = tree_of(bench.everything()), bench.database.execute("SELECT count(*) FROM entry").fetchone()[0]
    assert len(state) == index
    assert len(bench.everything()) >= before
    bench.stop()
    bench.start(failure="state_unwritable")
    records = in_short(bench.settle())
    assert "GapOpen state_unwritable" in records
    assert records[-1] == "GapClosed state_unwritable"
    assert bench.converged()


def test_the_periods_are_settable() -> None:
    assert Pacing(1.0, 2.0, 3).confirm_seconds == 60.0
