"""What a file is decides where it went: on a real disk, seen live or found afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas import raw
from tests.oracle.hand import Hand
from tests.oracle.steps import Step
from tests.support.producer_root import RootBench, in_short, put, tree_of


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[RootBench]:
    """A root with some episodes, its baseline recorded."""
    bench = RootBench(tmp_path)
    for number in range(2, 6):
        put(bench.root / f"E{number:02}", b"x" * number)
    with bench:
        bench.settle()
        yield bench


def rename(bench: RootBench, *pairs: tuple[str, str]) -> None:
    for source, target in pairs:
        (bench.root / source).rename(bench.root / target)


def moves(records: list[raw.RawRecord]) -> list[str]:
    return [line for line in in_short(records) if " > " in line]


def observations(records: list[raw.RawRecord]) -> list[str]:
    return [line for line in in_short(records) if line[0] in "+-"]


def away(bench: RootBench, *pairs: tuple[str, str]) -> list[raw.RawRecord]:
    """The records of renames that were not seen."""
    bench.stop()
    rename(bench, *pairs)
    bench.start()
    return bench.settle()


def test_files_shifted_while_nobody_watched_are_moves_and_none_overwrites_a_pending_one(bench: RootBench) -> None:
    records = away(bench, ("E05", "E06"), ("E04", "E05"), ("E03", "E04"), ("E02", "E03"))
    assert moves(records) == ["E05 > E06", "E04 > E05", "E03 > E04", "E02 > E03"]
    assert observations(records) == []
    assert bench.converged()


def test_a_file_whose_name_another_one_took_is_there_and_both_are_moves(bench: RootBench) -> None:
    records = away(bench, ("E02", "old"), ("E03", "E02"))
    assert moves(records) == ["E02 > old", "E03 > E02"]
    assert observations(records) == []
    assert bench.converged()


def test_files_swapped_while_nobody_watched_are_recorded_through_an_unused_name(bench: RootBench) -> None:
    records = away(bench, ("E02", "x"), ("E03", "E02"), ("x", "E03"))
    assert moves(records) == ["E02 > .~1", "E03 > E02", ".~1 > E03"]
    assert observations(records) == []
    assert bench.converged()


def test_a_ring_of_three_is_closed_by_moves_alone(bench: RootBench) -> None:
    records = away(bench, ("E02", "x"), ("E03", "E02"), ("E04", "E03"), ("x", "E04"))
    assert len(moves(records)) == 4
    assert observations(records) == []
    assert bench.converged()


def test_what_changed_on_the_way_is_not_tied_and_nothing_that_is_there_is_recorded_as_gone(
    bench: RootBench,
) -> None:
    bench.stop()
    rename(bench, ("E02", "old"), ("E03", "E02"))
    put(bench.root / "old", b"another content")
    bench.start()
    records = bench.settle()
    assert moves(records) == ["E03 > E02"]
    assert bench.converged()


def test_an_exchange_is_recorded_as_a_swap(bench: RootBench) -> None:
    assert Hand(bench.root).do(Step("exchange", "E02", "E03"))
    records = bench.settle()
    assert moves(records) == ["E02 > .~1", "E03 > E02", ".~1 > E03"]
    assert observations(records) == []
    assert bench.converged()


def test_there_and_back_is_no_exchange(bench: RootBench) -> None:
    rename(bench, ("E02", "E03"), ("E03", "E02"))
    bench.settle()
    assert bench.converged()


def test_what_came_to_a_name_and_left_it_unseen_is_not_what_was_known_there(bench: RootBench) -> None:
    (bench.root / "E02").unlink()
    put(bench.root / "E02", b"another one")
    rename(bench, ("E02", "new"))
    records = bench.settle()
    assert moves(records) == []
    assert sorted(observations(records)) == ["+ new", "- E02"]


def test_a_write_through_one_name_is_seen_at_all_names(bench: RootBench) -> None:
    (bench.root / "again").hardlink_to(bench.root / "E02")
    bench.settle()
    with (bench.root / "E02").open("ab") as file:
        file.write(b"more")
    records = bench.settle()
    assert {"+ E02", "+ again", "# E02", "# again"} <= set(in_short(records))
    assert bench.converged()


def test_content_changed_with_size_and_time_preserved_is_a_new_fingerprint_also_when_nobody_watched(
    bench: RootBench,
) -> None:
    bench.stop()
    assert Hand(bench.root).do(Step("retag", "E04"))
    bench.start()
    assert in_short(bench.settle())[2:-1] == ["# E04"]
    bench.restart()
    assert in_short(bench.settle())[2:-1] == []


def test_the_time_at_which_it_last_changed_is_carried(bench: RootBench) -> None:
    (bench.root / "E02").chmod(0o600)
    put(bench.root / "E02", b"longer than before")
    (observed,) = [record for record in bench.settle() if isinstance(record, raw.Observed)]
    assert observed.file is not None
    assert observed.file.ctime_ns == (bench.root / "E02").stat().st_ctime_ns


def test_a_touched_file_has_its_fingerprint_recorded_for_its_new_time(bench: RootBench) -> None:
    os.utime(bench.root / "E02", ns=(5, 5))
    assert in_short(bench.settle()) == ["+ E02", "# E02"]


def test_an_entry_with_an_unknown_parent_is_visited_by_the_next_scan(bench: RootBench) -> None:
    put(bench.root / "Series" / "a.mkv")
    bench.settle()
    bench.stop()
    bench.start()
    bench.database.execute("DELETE FROM entry WHERE name = ?", (b"Series",))
    (bench.root / "Series" / "a.mkv").unlink()
    (bench.root / "Series").rmdir()
    records = bench.settle()
    assert "- Series/a.mkv" in in_short(records)
    assert all(not path.startswith("Series/") for path in tree_of(bench.everything()))


def test_a_path_longer_than_the_kernel_takes_is_carried_and_is_no_want_of_watches(bench: RootBench) -> None:
    deep = os.open(bench.root, os.O_RDONLY)
    for _ in range(25):
        os.mkdir("d" * 250, dir_fd=deep)
        inner = os.open("d" * 250, os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = inner
    os.close(os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=deep))
    records = bench.settle()
    end = "/".join(["d" * 250] * 25) + "/file"
    assert f"+ {end}" in in_short(records)
    os.unlink("file", dir_fd=deep)
    os.close(deep)
    assert in_short(bench.settle()) == [f"- {end}"]
    condition = bench.keeper.condition()
    assert (condition.watched, condition.unwatched, condition.problems) == (26, 0, ())
