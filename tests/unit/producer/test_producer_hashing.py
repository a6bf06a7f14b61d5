"""MD5 of whole files: recorded once, for the present content, when nothing else is due, and no faster than allowed."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from producer.core.rate import Rate
from producer.database import MD5_LIMIT, Database
from producer.hashing import BATCH_BYTES, PIECE, Hasher
from producer.index import _WITHOUT_MD5, Index
from producer.orders import Order
from producer.world import Pacing
from schemas import raw
from schemas.admin import Pause, PauseRoot, ResumeRoot
from tests.support.producer_root import RootBench, SkippingClock, StandingClock, in_short, put

FAST = 10**12


def no_wait(_event: threading.Event, _seconds: float) -> None:
    """Do not wait."""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[RootBench]:
    """A root, and a hasher without a thread."""
    with RootBench(tmp_path, hasher=Hasher(FAST, SkippingClock(), no_wait)) as bench:
        yield bench


def hasher_of(bench: RootBench) -> Hasher:
    assert bench.hasher is not None
    return bench.hasher


def is_submitted(bench: RootBench) -> bool:
    return not hasher_of(bench)._submitted.empty()


def settled(bench: RootBench) -> list[raw.RawRecord]:
    """Take turns until nothing is to be done, nor to be read."""
    found = bench.settle()
    while is_submitted(bench):
        hasher_of(bench).read_next()
        found += bench.settle()
    return found


def md5s(records: list[raw.RawRecord]) -> list[tuple[str, str]]:
    return [(one.path, one.md5) for one in records if isinstance(one, raw.Fingerprint) and one.md5 is not None]


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


@pytest.mark.parametrize("content", [b"", b"x", b"ab" * PIECE])
def test_it_is_recorded_once_after_the_fingerprint_and_with_it(bench: RootBench, content: bytes) -> None:
    put(bench.root / "a.mkv", content)
    records = [one for one in settled(bench) if isinstance(one, raw.Fingerprint)]
    assert [one.md5 for one in records] == [None, md5(content)]
    assert {(one.path, one.size, one.mtime_ns, one.inode, one.xxh3) for one in records} == {
        ("a.mkv", len(content), records[0].mtime_ns, records[0].inode, records[0].xxh3)
    }
    put(bench.root / "b.mkv", b"b")
    assert md5s(settled(bench)) == [("b.mkv", md5(b"b"))]
    bench.restart()
    assert md5s(settled(bench)) == []


def test_files_of_100_mb_and_more_have_none(bench: RootBench) -> None:
    for name, size in (("small", MD5_LIMIT - 1), ("large", MD5_LIMIT)):
        (bench.root / name).touch()
        os.truncate(bench.root / name, size)
    assert [path for path, _ in md5s(settled(bench))] == ["small"]


def test_small_files_are_written_together_and_a_large_one_is_read_alone(bench: RootBench) -> None:
    for number in range(5):
        put(bench.root / f"{number}", b"x")
    put(bench.root / "5", bytes(BATCH_BYTES))
    bench.settle()
    reading = hasher_of(bench)._submitted.get_nowait()
    assert [entry.path for entry in reading.files] == ["0", "1", "2", "3", "4"]


def during(bench: RootBench, piece: int, action: Callable[[], object]) -> None:
    """Do it before a piece of the next file is read."""
    left = [action]

    def wait(_event: threading.Event, _seconds: float) -> None:
        nonlocal piece
        piece -= 1
        if piece < 0 and left:
            left.pop()()

    hasher_of(bench)._wait = wait


@pytest.mark.parametrize(
    ("what", "piece"), [("append", 2), ("append", 0), ("replace", 1), ("retag", 2), ("link", 1), ("unlink", 1)]
)
def test_a_file_that_changes_while_it_is_read_has_the_md5_of_what_it_becomes(
    bench: RootBench, what: str, piece: int
) -> None:
    file, content = bench.root / "a.mkv", b"1" * (2 * PIECE + 5)
    put(file, content)
    bench.settle()

    def change() -> None:
        match what:
            case "append":
                with file.open("ab") as grown:
                    grown.write(b"more")
            case "replace":
                put(bench.root / "new", b"2" * len(content))
                (bench.root / "new").rename(file)
            case "retag":
                before = file.stat()
                with file.open("r+b") as same:
                    same.write(b"3")
                os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
            case "link":
                away = bench.folder / "elsewhere"
                away.write_bytes(content)
                file.unlink()
                file.symlink_to(away)
            case _:
                file.unlink()

    during(bench, piece, change)
    rest = md5s(settled(bench))
    wanted = [("a.mkv", md5(file.read_bytes()))] if file.is_file() and not file.is_symlink() else []
    bench.clock.skipped += 60
    assert rest + md5s(settled(bench)) == wanted


def test_what_changes_after_it_was_read_is_not_recorded_as_it_was(bench: RootBench) -> None:
    put(bench.root / "a.mkv", b"one")
    bench.settle()
    hasher_of(bench).read_next()
    put(bench.root / "a.mkv", b"two")
    assert md5s(settled(bench)) == [("a.mkv", md5(b"two"))]


def test_a_file_that_is_being_written_is_not_read(bench: RootBench) -> None:
    bench.settle()
    with (bench.root / "a.mkv").open("wb") as file:
        file.write(b"first")
        file.flush()
        for _ in range(3):
            bench.wake.wait(0.2)
            bench.keeper.turn()
        assert not is_submitted(bench)
        file.write(b" and last")
    assert md5s(settled(bench)) == [("a.mkv", md5(b"first and last"))]


def test_it_is_kept_over_renames_and_gone_with_the_content(bench: RootBench) -> None:
    put(bench.root / "d" / "a.mkv", b"one")
    settled(bench)
    (bench.root / "d" / "a.mkv").rename(bench.root / "d" / "b.mkv")
    settled(bench)
    (bench.root / "d").rename(bench.root / "e")
    assert md5s(settled(bench)) == []
    entry = Index(bench.database).get("e/b.mkv")
    assert entry is not None
    assert entry.md5 == md5(b"one")
    put(bench.root / "e" / "b.mkv", b"two")
    assert md5s(settled(bench)) == [("e/b.mkv", md5(b"two"))]


def test_nothing_is_read_where_it_is_off(tmp_path: Path) -> None:
    with RootBench(tmp_path) as bench:
        put(bench.root / "a.mkv")
        assert md5s(bench.settle()) == []


def test_what_cannot_be_read_is_tried_again_later_and_holds_up_nothing(bench: RootBench) -> None:
    for name in "ab":
        put(bench.root / name, name.encode())
    bench.settle()

    def swap() -> None:
        bench.root.rename(bench.folder / "away")
        bench.root.mkdir()

    during(bench, 0, swap)
    hasher_of(bench).read_next()
    bench.root.rmdir()
    (bench.folder / "away").rename(bench.root)
    bench.wake.set()
    assert md5s(settled(bench)) == []
    bench.clock.skipped += 60
    assert [path for path, _ in md5s(settled(bench))] == ["a", "b"]


@pytest.mark.parametrize("what", ["root", "scans"])
def test_while_it_is_paused_nothing_is_recorded_and_afterwards_it_is(bench: RootBench, what: Pause) -> None:
    put(bench.root / "a.mkv", b"one")
    bench.settle()
    who = {"root": "films", "by": "me", "at": "now"}
    bench.orders.append(Order(1, PauseRoot(id="p", **who, reason="", what=what)))
    bench.settle()
    hasher_of(bench).read_next()
    assert md5s(settled(bench)) == []
    bench.orders.append(Order(2, ResumeRoot(id="r", **who)))
    assert md5s(settled(bench)) == [("a.mkv", md5(b"one"))]


def test_while_the_outbox_is_nearly_full_nothing_is_read(tmp_path: Path) -> None:
    hasher = Hasher(FAST, SkippingClock(), no_wait)
    with RootBench(tmp_path, Pacing(5.0, 900.0, outbox_limit=5), hasher=hasher) as bench:
        put(bench.root / "a.mkv", b"one")
        for _ in range(20):
            bench.keeper.turn()
        assert not is_submitted(bench)
        bench.new_records()
        bench.database.execute("DELETE FROM outbox")
        assert md5s(settled(bench)) == [("a.mkv", md5(b"one"))]


# -- how fast --------------------------------------------------------------------------------------------------


def test_so_many_bytes_a_second_and_no_more_after_a_rest() -> None:
    rate = Rate(1_000)
    assert [rate.spend(500, at) for at in (0.0, 0.0, 0.5)] == [0.0, 0.5, 0.5]
    assert [rate.spend(500, at) for at in (60.0, 60.0)] == [0.0, 0.5]


def test_all_roots_together_are_read_at_that_rate(tmp_path: Path) -> None:
    clock = StandingClock()
    began = clock.now

    def wait(_event: threading.Event, seconds: float) -> None:
        clock.now += seconds

    hasher = Hasher(PIECE, clock, wait)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        with RootBench(tmp_path / name, hasher=hasher) as bench:
            put(bench.root / "a.mkv", bytes(3 * PIECE))
            assert len(md5s(settled(bench))) == 1
    assert clock.now - began == pytest.approx(5.0)  # the last piece is read at once, the next one waits for it


def test_its_thread_keeps_no_process_from_ending() -> None:
    Hasher(1, SkippingClock()).start()
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "md5")


# -- what is kept ----------------------------------------------------------------------------------------------

BEFORE = """
CREATE TABLE entry (
    parent BLOB NOT NULL, name BLOB NOT NULL, type TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    dev INTEGER NOT NULL, inode INTEGER NOT NULL, nlink INTEGER NOT NULL, xxh3 TEXT,
    ctime_ns INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (parent, name)
) WITHOUT ROWID
"""


def test_the_state_of_a_build_without_md5_is_taken_over(bench: RootBench) -> None:
    put(bench.root / "a.mkv", b"one")
    bench.settle()
    bench.stop()
    database = Database(bench.state)
    database.execute("ALTER TABLE entry RENAME TO later")
    database.execute(BEFORE)
    columns = "parent, name, type, size, mtime_ns, dev, inode, nlink, xxh3, ctime_ns"
    database.execute(f"INSERT INTO entry SELECT {columns} FROM later")  # noqa: S608 - constants
    database.execute("DROP TABLE later")
    database.close()
    bench.start()
    hasher_of(bench)._submitted.get_nowait()
    rest = settled(bench)
    assert md5s(rest) == [("a.mkv", md5(b"one"))]
    assert [line for line in in_short(rest) if line[0] in "+-"] == []


def test_files_to_be_read_are_found_without_a_look_at_the_others(tmp_path: Path) -> None:
    database = Database(tmp_path / "films.sqlite")
    plan = database.execute(f"EXPLAIN QUERY PLAN {_WITHOUT_MD5}", (b"", b"", 1)).fetchall()
    database.close()
    assert ["entry_without_md5" in row[3] for row in plan] == [True], plan
