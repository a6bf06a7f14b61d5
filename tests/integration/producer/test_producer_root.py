"""One root on a real file system: what is recorded of it, and that a reader of the records has the present tree."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from producer.core.fingerprint import xxh3_of
from producer.errors import LibraryChanged
from producer.world import Pacing
from schemas import raw
from tests.support.producer_root import RootBench, in_short, put, weird


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[RootBench]:
    """A root with two files, its baseline recorded."""
    bench = RootBench(tmp_path)
    put(bench.root / "a.mkv")
    put(bench.root / "Series" / "b.mkv", bytes(300_000))
    with bench:
        bench.settle()
        yield bench


def test_a_new_outbox_declares_the_root_and_records_everything(tmp_path: Path) -> None:
    bench = RootBench(tmp_path)
    put(bench.root / "Series" / "b.mkv")
    (bench.root / "link").symlink_to("/nowhere")
    os.mkfifo(bench.root / "pipe")
    with bench:
        records = bench.settle()
    assert in_short(records)[:2] == ["RootDeclared", "ScanStarted baseline start"]
    assert sorted(in_short(records)[2:-1]) == ["# Series/b.mkv", "+ Series", "+ Series/b.mkv", "+ link", "+ pipe"]
    finished = records[-1]
    assert isinstance(finished, raw.ScanFinished)
    assert (finished.total, finished.counts) == (4, raw.Counts(added=4))
    types = {r.path: r.file.type for r in records if isinstance(r, raw.Observed) and r.file is not None}
    assert types == {"Series": "dir", "Series/b.mkv": "file", "link": "symlink", "pipe": "other"}


def test_a_start_over_an_unchanged_tree_records_no_path(bench: RootBench) -> None:
    bench.restart()
    assert in_short(bench.settle()) == ["RootDeclared", "ScanStarted scan start", "ScanFinished scan start"]


def test_what_changed_while_nobody_looked_is_found_what_is_there_first_what_is_gone_last(bench: RootBench) -> None:
    bench.stop()
    (bench.root / "a.mkv").unlink()
    (bench.root / "Series" / "b.mkv").rename(bench.root / "moved.mkv")
    put(bench.root / "new.mkv")
    put(bench.root / "Series" / "c.mkv")
    bench.start()
    records = bench.settle()
    assert in_short(records)[:2] == ["RootDeclared", "ScanStarted scan start"]
    assert sorted(in_short(records)[2:6]) == ["# Series/c.mkv", "# new.mkv", "+ Series/c.mkv", "+ new.mkv"]
    assert in_short(records)[6:] == ["Series/b.mkv > moved.mkv", "- a.mkv", "ScanFinished scan start"]
    finished = records[-1]
    assert isinstance(finished, raw.ScanFinished)
    assert (finished.total, finished.counts) == (3, raw.Counts(added=2, moved=1, gone=1))
    assert bench.converged()


def test_a_file_is_observed_when_it_appears_and_fingerprinted_when_it_is_closed(bench: RootBench) -> None:
    with (bench.root / "c.mkv").open("wb", buffering=0) as file:
        assert in_short(bench.settle()) == ["+ c.mkv"]
        file.write(b"content")
        assert in_short(bench.settle()) == ["+ c.mkv"]
    assert in_short(bench.settle()) == ["# c.mkv"]
    assert bench.converged()


def test_a_file_being_written_is_looked_at_now_and_then_and_not_at_every_write(bench: RootBench) -> None:
    records = []
    with (bench.root / "c.mkv").open("wb", buffering=0) as file:
        end = time.monotonic() + 1.6
        while time.monotonic() < end:
            file.write(b"x")
            bench.keeper.turn()
            bench.wake.wait(0.01)
        records = in_short(bench.settle())
    assert 3 <= records.count("+ c.mkv") <= 7
    assert bench.converged()


def test_a_file_that_grows_for_long_has_no_fingerprint_before_it_is_closed(bench: RootBench) -> None:
    with (bench.root / "long.mkv").open("wb") as file:
        for _ in range(12):
            bench.wake.clear()
            file.write(b"more ")
            file.flush()
            assert bench.wake.wait(5)
            bench.clock.skipped += 0.4
            bench.keeper.turn()
    grown = bench.new_records()
    assert {one for one in in_short(grown) if "long.mkv" in one} == {"+ long.mkv"}
    last = bench.settle()[-1]
    assert isinstance(last, raw.Fingerprint)
    assert (last.size, last.xxh3) == (
        60,
        xxh3_of(60, lambda length, start: (b"more " * 12)[start : start + length]),
    )


def test_a_rewrite_with_the_same_content_length_is_seen(bench: RootBench) -> None:
    put(bench.root / "a.mkv", b"CONTENT")
    assert in_short(bench.settle()) == ["+ a.mkv", "# a.mkv"]


def test_a_rename_is_one_record(bench: RootBench) -> None:
    (bench.root / "a.mkv").rename(bench.root / "Series" / "c.mkv")
    assert in_short(bench.settle()) == ["a.mkv > Series/c.mkv"]


def test_a_rename_over_a_file_is_one_record(bench: RootBench) -> None:
    (bench.root / "a.mkv").rename(bench.root / "Series" / "b.mkv")
    assert in_short(bench.settle()) == ["a.mkv > Series/b.mkv"]
    assert bench.converged()


def test_names_exchanged_by_three_renames_are_recorded(bench: RootBench) -> None:
    (bench.root / "a.mkv").rename(bench.root / "t")
    (bench.root / "Series" / "b.mkv").rename(bench.root / "a.mkv")
    (bench.root / "t").rename(bench.root / "Series" / "b.mkv")
    moves = [record for record in in_short(bench.settle()) if " > " in record]
    assert moves == ["a.mkv > t", "Series/b.mkv > a.mkv", "t > Series/b.mkv"]
    assert bench.converged()


def test_names_exchanged_while_each_rename_is_looked_at_alone_keep_their_identity(bench: RootBench) -> None:
    (bench.root / "a.mkv").rename(bench.root / "t")
    first = bench.settle()
    (bench.root / "Series" / "b.mkv").rename(bench.root / "a.mkv")
    second = bench.settle()
    (bench.root / "t").rename(bench.root / "Series" / "b.mkv")
    moves = [record for record in in_short([*first, *second, *bench.settle()]) if " > " in record]
    assert moves == ["a.mkv > t", "Series/b.mkv > a.mkv", "t > Series/b.mkv"]
    assert bench.converged()


def test_a_file_renamed_then_deleted_before_anybody_looks_is_gone_under_its_last_name(bench: RootBench) -> None:
    (bench.root / "a.mkv").rename(bench.root / "t")
    (bench.root / "t").unlink()
    assert in_short(bench.settle())[-1] in ("- t", "- a.mkv")
    assert bench.converged()


def test_an_atomic_save_is_a_rewrite_of_the_file(bench: RootBench) -> None:
    put(bench.root / "a.tmp", b"new content")
    (bench.root / "a.tmp").rename(bench.root / "a.mkv")
    records = in_short(bench.settle())
    assert records in (
        ["+ a.mkv", "# a.mkv"],
        ["+ a.tmp", "# a.tmp", "a.tmp > a.mkv"],
        ["+ a.tmp", "a.tmp > a.mkv"],
    )
    assert bench.converged()


def test_a_directory_renamed_is_one_record_and_events_below_it_go_on(bench: RootBench) -> None:
    (bench.root / "Series").rename(bench.root / "Serien")
    put(bench.root / "Serien" / "c.mkv")
    assert in_short(bench.settle()) == ["Series > Serien", "+ Serien/c.mkv", "# Serien/c.mkv"]
    put(bench.root / "Serien" / "d.mkv")
    assert in_short(bench.settle()) == ["+ Serien/d.mkv", "# Serien/d.mkv"]
    assert bench.converged()


def test_a_directory_moved_out_takes_everything_with_it_and_is_watched_no_longer(bench: RootBench) -> None:
    outside = bench.folder / "outside"
    (bench.root / "Series").rename(outside)
    assert in_short(bench.settle()) == ["- Series/b.mkv", "- Series"]
    put(outside / "c.mkv")
    assert bench.settle() == []
    assert bench.keeper.condition().watched == 1


def test_a_directory_moved_in_is_watched_then_scanned(bench: RootBench) -> None:
    outside = bench.folder / "outside"
    put(outside / "deep" / "c.mkv")
    outside.rename(bench.root / "in")
    assert in_short(bench.settle()) == ["+ in", "+ in/deep", "+ in/deep/c.mkv", "# in/deep/c.mkv"]
    put(bench.root / "in" / "deep" / "d.mkv")
    assert in_short(bench.settle()) == ["+ in/deep/d.mkv", "# in/deep/d.mkv"]


def test_a_deleted_tree_is_gone_children_first(bench: RootBench) -> None:
    shutil.rmtree(bench.root / "Series")
    assert in_short(bench.settle()) == ["- Series/b.mkv", "- Series"]


def test_a_file_that_becomes_a_directory_and_back(bench: RootBench) -> None:
    (bench.root / "a.mkv").unlink()
    put(bench.root / "a.mkv" / "inner")
    bench.settle()
    assert bench.converged()
    shutil.rmtree(bench.root / "a.mkv")
    put(bench.root / "a.mkv")
    bench.settle()
    assert bench.converged()


def test_each_hard_link_is_a_path_of_its_own(bench: RootBench) -> None:
    (bench.root / "link.mkv").hardlink_to(bench.root / "a.mkv")
    assert in_short(bench.settle()) == ["+ link.mkv", "# link.mkv"]
    (bench.root / "a.mkv").unlink()
    assert in_short(bench.settle()) == ["- a.mkv"]
    assert bench.converged()


def test_a_time_set_from_outside_is_a_change(bench: RootBench) -> None:
    os.utime(bench.root / "a.mkv", ns=(5, 5))
    assert "+ a.mkv" in in_short(bench.settle())
    assert bench.converged()


@pytest.mark.parametrize(
    "name",
    [b"line\nbreak.mkv", b"latin-\xe9.mkv", b"\xff" * 255, "ünïcode 🎬.mkv".encode(), b" -rf *", b"\x01\x7f"],
)
def test_any_name_is_carried_exactly(bench: RootBench, name: bytes) -> None:
    path = weird(bench.root / "Series", name)
    put(path)
    bench.settle()
    assert bench.converged()
    path.rename(weird(bench.root, name))
    bench.settle()
    assert bench.converged()
    bench.restart()
    assert in_short(bench.settle())[1:] == ["ScanStarted scan start", "ScanFinished scan start"]


def test_what_is_excluded_is_never_observed_and_a_name_that_leaves_the_excluded_is(bench: RootBench) -> None:
    put(bench.root / "@eaDir" / "thumb.jpg")
    put(bench.root / "._a.mkv")
    assert bench.settle() == []
    assert bench.keeper.condition().watched == 2
    (bench.root / "@eaDir").rename(bench.root / "shown")
    assert in_short(bench.settle()) == ["+ shown", "+ shown/thumb.jpg", "# shown/thumb.jpg"]
    (bench.root / "shown").rename(bench.root / "@eaDir")
    assert in_short(bench.settle()) == ["- shown/thumb.jpg", "- shown"]


def test_a_path_newly_excluded_is_deleted_with_that_cause(bench: RootBench) -> None:
    bench.stop()
    bench.settings["exclude"] = ("Series",)
    bench.start()
    records = bench.settle()
    assert in_short(records)[2:] == ["- Series/b.mkv", "- Series", "ScanFinished scan start"]
    assert {r.cause for r in records if isinstance(r, raw.Observed)} == {"excluded"}
    assert (bench.root / "Series" / "b.mkv").exists()


def test_a_root_may_not_change_its_library(bench: RootBench) -> None:
    bench.stop()
    bench.settings["library"] = "other"
    with pytest.raises(LibraryChanged, match=r"films.*home.*other"):
        bench.start()
    bench.settings["library"] = "home"
    bench.start()


def test_a_periodic_reconcile_finds_what_no_event_reported(bench: RootBench) -> None:
    watch = bench.keeper._watch
    assert watch is not None
    watch.remove("Series")
    put(bench.root / "Series" / "unseen.mkv")
    assert bench.settle() == []
    bench.clock.skipped += 900
    assert in_short(bench.settle()) == [
        "ScanStarted reconcile periodic", "+ Series/unseen.mkv", "# Series/unseen.mkv",
        "ScanFinished reconcile periodic",
    ]  # fmt: skip


def test_an_interrupted_baseline_continues_and_records_the_rest(tmp_path: Path) -> None:
    bench = RootBench(tmp_path)
    for number in range(600):  # more than one step of a scan records
        put(bench.root / f"{number}.mkv")
    bench.start()
    for _ in range(2):
        bench.keeper.turn()
    first = in_short(bench.new_records())
    assert "ScanStarted baseline start" in first
    assert "ScanFinished baseline start" not in first
    bench.restart()
    again = in_short(bench.settle())
    assert "ScanStarted baseline start" not in again
    assert again[-1] == "ScanFinished baseline start"
    assert len([s for s in first + again if s.startswith("+")]) == 600
    bench.restart()
    assert in_short(bench.settle())[1] == "ScanStarted scan start"
    bench.stop()


def test_a_hundred_thousand_unchanged_files_cause_no_record(tmp_path: Path) -> None:
    bench = RootBench(tmp_path)
    for directory in range(100):
        (bench.root / f"{directory:03}").mkdir()
        for number in range(1_000):
            (bench.root / f"{directory:03}" / f"{number}.mkv").touch()
    with bench:
        began = time.monotonic()
        bench.settle(120)
        baseline = time.monotonic() - began
        bench.restart()
        began = time.monotonic()
        records = bench.settle(60)
        unchanged = time.monotonic() - began
        print(f"\n100,000 files: baseline {baseline:.1f} s, start over them unchanged {unchanged:.1f} s")
    assert in_short(records) == ["RootDeclared", "ScanStarted scan start", "ScanFinished scan start"]


def test_a_root_beyond_its_outbox_is_frozen_and_made_up_for_when_there_is_room(tmp_path: Path) -> None:
    bench = RootBench(tmp_path, Pacing(5.0, 900.0, outbox_limit=20))
    with bench:
        bench.settle()
        for number in range(12):
            put(bench.root / f"{number}.mkv")
        bench.settle()
        assert bench.keeper.condition().state == "frozen"
        assert in_short(bench.everything())[-1] == "GapOpen outbox_full"
        put(bench.root / "unseen.mkv")
        (bench.root / "1.mkv").unlink()
        before = bench.everything()
        bench.database.execute("DELETE FROM outbox")
        after = bench.settle()
        assert in_short(after)[-1] == "GapClosed outbox_full"
        assert {"+ unseen.mkv", "- 1.mkv"} <= set(in_short(after))
        assert bench.keeper.condition().state == "watching"
        assert before
