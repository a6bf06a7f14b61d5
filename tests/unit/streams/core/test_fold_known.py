"""The index finds an entry by place, identity and content, and by nothing that it was before."""

from __future__ import annotations

import pytest

from schemas.identity import same_identity, same_state
from schemas.raw import FileState
from streams.core.known import Known
from streams.core.multi import Multi
from streams.core.rules import RULES_1
from streams.core.state import Entry, RootPath, State
from tests.support.lane import a_dir, a_file


def entry(path: str, file: FileState, *, root: str = "films", fingerprint: str | None = None) -> Entry:
    made = Entry.seen("home", RootPath(root, path), file, 0)
    made.fingerprint = fingerprint
    return made


def like(known: Known, file: FileState, fingerprint: str | None = None, at: str = "new.mkv") -> list[str]:
    place = RootPath("films", at)
    found = (*known.same("home", place, file), *known.alike("home", place, file, fingerprint))
    return [each.path for each in found]


@pytest.mark.parametrize("field", ["size", "mtime_ns", "dev", "inode"])
def test_identity_is_all_of_it(field: str) -> None:
    other = a_file(2, **{field: 77}) if field != "inode" else a_file(78)
    known = entry("a", a_file(2))
    assert same_identity(known, a_file(2))
    assert not same_identity(known, other)
    assert same_state(known, other) == (field == "dev")


def test_directories_differ_by_type_only() -> None:
    assert same_state(entry("d", a_dir(1)), a_dir(2))
    assert not same_state(entry("d", a_dir(1)), a_file(1))


def test_found_by_identity_and_by_content_elsewhere_in_the_library() -> None:
    known = Known(State(), RULES_1)
    known.add(entry("a.mkv", a_file(1), fingerprint="f"))
    known.add(entry("b.mkv", a_file(2), fingerprint="f"))
    assert like(known, a_file(1)) == ["a.mkv"]
    assert like(known, a_file(1), "f") == ["a.mkv", "b.mkv"]
    assert like(known, a_file(9), "f") == ["a.mkv", "b.mkv"]
    assert like(known, a_file(9, size=7_000), "f") == []
    assert like(known, a_file(1), at="a.mkv") == []
    assert list(known.same("away", RootPath("x", "new"), a_file(1))) == []
    assert list(known.alike("away", RootPath("x", "new"), a_file(1), "f")) == []


def test_not_found_by_what_it_was() -> None:
    known = Known(State(), RULES_1)
    file = entry("a.mkv", a_file(1), fingerprint="f")
    known.add(file)
    known.update(file, a_file(2, size=3_000), None)
    assert (like(known, a_file(1), "f"), like(known, a_file(2, size=3_000))) == ([], ["a.mkv"])
    known.move((file, RootPath("music", "b.mkv")))
    assert known.get(RootPath("films", "a.mkv")) is None
    assert known.get(RootPath("music", "b.mkv")) is file
    known.remove(file)
    assert (len(known), like(known, a_file(2, size=3_000))) == (0, [])


def test_a_seen_again_unchanged_entry_keeps_its_fingerprint() -> None:
    known = Known(State(), RULES_1)
    file = entry("a.mkv", a_file(1), fingerprint="f")
    known.add(file)
    known.update(file, a_file(1, dev=5), None)
    assert like(known, a_file(9), "f") == ["a.mkv"]


def test_below_is_the_directory_and_what_is_in_it_parents_first() -> None:
    known = Known(State(), RULES_1)
    for path in ("S/b/c", "S2", "S/b", "S", "T/S"):
        known.add(entry(path, a_dir(1)))
    assert [e.path for e in known.below("films", "S")] == ["S", "S/b", "S/b/c"]
    assert [e.path for e in known.below("films", "")] == ["S", "S/b", "S/b/c", "S2", "T/S"]
    assert known.below("music", "") == []


def test_a_multi_map_keeps_order_and_forgets_empty_keys() -> None:
    multi: Multi[str] = Multi()
    for value in ("one", "two", "three"):
        multi.put(1, value)
    multi.drop(1, "one")
    assert tuple(multi.all(1)) == ("two", "three")
    multi.drop(1, "never")
    multi.drop(1, "two")
    multi.drop(1, "three")
    assert multi == {}
