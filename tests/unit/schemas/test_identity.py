"""One definition of when two looks saw the same: what agrees for each question, and what does not count."""

from __future__ import annotations

import pytest

from schemas.identity import Stamp, same_content, same_fingerprint, same_identity, same_state, stamp_of
from tests.support.lane import a_dir, a_file


def other(field: str) -> dict[str, int]:
    return {field: 77}


FILE = a_file(2)


@pytest.mark.parametrize(
    ("field", "content", "state", "identity"),
    [
        ("size", False, False, False),
        ("mtime_ns", False, False, False),
        ("dev", True, True, False),
        ("nlink", True, True, True),
    ],
)
def test_what_counts_for_a_regular_file(field: str, content: bool, state: bool, identity: bool) -> None:
    seen = a_file(2, **other(field))
    found = (same_content(FILE, seen), same_state(FILE, seen), same_identity(FILE, seen))
    assert found == (content, state, identity)


def test_an_inode_counts_and_is_never_enough() -> None:
    assert not any(same(FILE, a_file(3)) for same in (same_content, same_state, same_identity))
    assert not any(same(FILE, a_file(2, size=5)) for same in (same_content, same_state, same_identity))


def test_of_a_directory_only_the_type_counts_and_it_is_never_paired() -> None:
    assert same_state(a_dir(1), a_dir(2))
    assert not same_state(a_dir(2), FILE)
    assert not same_identity(a_dir(1), a_dir(1))


def test_nothing_is_the_same_as_nothing_only() -> None:
    assert same_state(None, None)
    assert not same_state(None, FILE)
    assert not same_state(FILE, None)


def test_a_stamp_is_what_counts_for_the_content() -> None:
    assert stamp_of(FILE) == Stamp(FILE.size, FILE.mtime_ns, FILE.inode)
    assert same_content(stamp_of(FILE), FILE)


def test_fingerprints_agree_only_where_both_are_known() -> None:
    assert same_fingerprint("f", "f")
    assert not same_fingerprint("f", "g")
    assert not same_fingerprint(None, None)
    assert not same_fingerprint(None, "f")
