"""What a difference means."""

from __future__ import annotations

import msgspec
import pytest

from producer.core.diff import differs, suspicious, tied
from producer.core.facts import IndexEntry
from schemas.raw import FileState

FILE = FileState("file", 1000, 5, 1, 7)
DIRECTORY = FileState("dir", 4096, 5, 1, 8, 2)


def but(state: FileState, **changes: object) -> FileState:
    return msgspec.structs.replace(state, **changes)


@pytest.mark.parametrize("change", [{"size": 1}, {"mtime_ns": 6}, {"inode": 9}, {"dev": 2}, {"type": "symlink"}])
def test_a_file_differs_by_content_time_or_identity(change: dict[str, object]) -> None:
    assert differs(FILE, but(FILE, **change))


def test_a_link_count_is_no_difference() -> None:
    assert not differs(FILE, but(FILE, nlink=2))


def test_a_directory_differs_by_identity_only() -> None:
    assert not differs(DIRECTORY, but(DIRECTORY, size=1, mtime_ns=9))
    assert differs(DIRECTORY, but(DIRECTORY, inode=9))


def test_what_was_not_known_differs() -> None:
    assert differs(None, FILE)


def test_a_new_path_is_tied_to_a_known_one_of_the_same_identity() -> None:
    known = IndexEntry("old", FILE)
    assert tied(FILE, [known, IndexEntry("other", but(FILE, mtime_ns=9))]) == [known]


@pytest.mark.parametrize("change", [{"size": 0}, {"nlink": 2}, {"type": "symlink"}])
def test_an_empty_a_linked_or_no_regular_file_is_tied_to_nothing(change: dict[str, object]) -> None:
    seen = but(FILE, **change)
    assert tied(seen, [IndexEntry("old", seen)]) == []


@pytest.mark.parametrize("change", [{"size": 1}, {"mtime_ns": 6}, {"dev": 2}])
def test_an_inode_alone_ties_nothing(change: dict[str, object]) -> None:
    assert tied(but(FILE, **change), [IndexEntry("old", FILE)]) == []


@pytest.mark.parametrize(
    ("gone", "known", "doubtful"),
    [(50, 50, False), (51, 51, True), (51, 255, False), (200, 1_000, False), (201, 1_000, True),
     (1_000, 9_999, False), (1_001, 1_000_000, True), (0, 0, False)],
)  # fmt: skip
def test_over_a_thousand_or_over_fifty_and_a_fifth_is_suspicious(gone: int, known: int, doubtful: bool) -> None:
    assert suspicious(gone, known) is doubtful
