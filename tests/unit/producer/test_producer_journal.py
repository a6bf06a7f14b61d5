"""The records that facts result in, in a real SQLite file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from producer.core.facts import Gone, Moved, Print, Swapped, There
from producer.database import Database
from producer.index import Index
from producer.journal import Journal, Written
from producer.outbox import LIVE, Outbox, Unsent
from producer.ports import no_points
from schemas.codec import raw_codec
from schemas.raw import FileState, Fingerprint
from tests.support.producer_root import SkippingClock, in_short

DIRECTORY = FileState("dir", 4096, 1, 1, 100, 2)


def file(inode: int, size: int = 5) -> FileState:
    return FileState("file", size, 1, 1, inode)


class Desk:
    """A journal and what it has recorded."""

    def __init__(self, folder: Path, *, records_md5: bool = True) -> None:
        self.database = Database(folder / "root.sqlite")
        self.index = Index(self.database)
        outbox = Outbox(self.database, "films", SkippingClock())
        self.journal = Journal(self.database, self.index, outbox, no_points, lambda: None, records_md5=records_md5)

    def write(self, *facts: There | Gone | Moved | Swapped) -> Written:
        return self.journal.write(facts, LIVE)

    @property
    def recorded(self) -> list[str]:
        return in_short([raw_codec.decode(row.value) for row in Unsent(self.database).first(1_000)])


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.database.close()


def test_nothing_is_recorded_below_an_unknown_directory_and_the_nearest_known_one_is_listed(
    desk: Desk,
) -> None:
    desk.write(There("a", DIRECTORY), There("f", file(7)))
    written = desk.write(There("a/b/c", file(8)), Moved("f", "a/b/f", file(7), None))
    assert desk.recorded == ["+ a", "+ f"]
    assert written.unplaced == ["a", "a"]


def test_a_file_is_no_directory_to_put_things_below(desk: Desk) -> None:
    desk.write(There("a", file(7)))
    assert desk.write(There("a/b", file(8))).unplaced == [""]
    assert desk.recorded == ["+ a"]


def test_a_directory_that_may_be_new_at_its_place_is_listed_though_nothing_is_recorded_for_it(desk: Desk) -> None:
    assert desk.write(There("a", DIRECTORY)).opened == ["a"]
    assert desk.write(There("a", DIRECTORY)).opened == []
    assert desk.write(There("a", DIRECTORY, another=True)).opened == ["a"]
    assert desk.recorded == ["+ a"]


def test_directories_that_are_gone_or_something_else_by_now_are_closed(desk: Desk) -> None:
    desk.write(There("a", DIRECTORY), There("b", DIRECTORY))
    assert desk.write(Gone("a"), There("b", file(7))).closed == ["a", "b"]


def test_a_swap_that_is_none_any_more_is_what_is_there(desk: Desk) -> None:
    desk.write(There("a", file(1)), There("b", file(2)))
    desk.write(Swapped("a", "b", file(3), file(1)))
    assert desk.recorded[2:] == ["+ a", "+ b"]


def test_a_move_of_what_was_not_known_there_takes_nothing_along(desk: Desk) -> None:
    desk.write(There("a", file(1)))
    desk.write(Moved("a", "b", file(1, size=6), None, fresh=True), Gone("a"))
    assert desk.recorded[1:] == ["+ b", "- a"]


@pytest.mark.parametrize("records_md5", [True, False])
def test_an_md5_that_came_with_a_fingerprint_is_recorded_and_known_unless_it_is_off(
    tmp_path: Path, records_md5: bool
) -> None:
    desk, md5 = Desk(tmp_path, records_md5=records_md5), "1" * 32
    desk.write(There("a", file(7), Print(5, 1, 7, "0" * 32, md5)))
    known, record = desk.index.get("a"), raw_codec.decode(Unsent(desk.database).first(9)[1].value)
    assert known is not None
    assert isinstance(record, Fingerprint)
    assert (known.md5, record.md5) == ((md5, md5) if records_md5 else (None, None))
    desk.write(There("a", file(7), Print(5, 1, 7, "0" * 32, md5)))
    assert desk.recorded == ["+ a", "# a"]
