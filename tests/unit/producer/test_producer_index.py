"""The index and the outbox, in a real SQLite file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.core.facts import IndexEntry
from producer.database import Database
from producer.index import Index
from producer.outbox import LIVE, Outbox, Unsent, depth
from schemas.raw import FileState
from tests.support.producer_root import SkippingClock

FOREIGN = "f\udcffremd"
BYTES = st.binary(min_size=1, max_size=8) | st.text(min_size=1, max_size=8).map(str.encode)
NAMES = BYTES.filter(lambda name: not {0, 47} & set(name)).map(
    lambda name: name.decode("utf-8", "surrogateescape")
)
PATHS = st.lists(NAMES | st.sampled_from(["a", "b"]), min_size=1, max_size=4).map("/".join)
STATES = st.builds(
    FileState,
    st.sampled_from(["file", "dir", "symlink", "other"]),
    st.integers(0, 2**63 - 1),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**64 - 1),
    st.integers(1, 2**31),
)


def state(inode: int, type_: str = "file") -> FileState:
    return FileState("dir" if type_ == "dir" else "file", 10, 1, 2, inode)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "films.sqlite")
    yield database
    database.close()


@settings(deadline=None)
@given(st.dictionaries(PATHS, STATES, max_size=12))
def test_any_path_and_any_state_comes_back_exactly(entries: dict[str, FileState]) -> None:
    database = Database(Path(":memory:"))
    index = Index(database)
    for path, stored in entries.items():
        index.put(path, stored, None)
    assert {path: index.get(path) for path in entries} == {
        path: IndexEntry(path, s) for path, s in entries.items()
    }
    assert {known.path for known in index.below("")} == set(entries)
    assert index.count() == len(entries)
    for path in entries:
        below = {other for other in entries if other.startswith(path + "/")}
        assert {known.path for known in index.below(path)} == below
    database.close()


def test_what_is_below_a_directory_is_returned_children_first(database: Database) -> None:
    index = Index(database)
    for path in ("a", "a/b", "a/b/c", "a/b/c/d", "a-side", "a/e", FOREIGN):
        index.put(path, state(1), None)
    paths = [known.path for known in index.below("a")]
    assert sorted(paths) == ["a/b", "a/b/c", "a/b/c/d", "a/e"]
    assert paths.index("a/b/c/d") < paths.index("a/b/c") < paths.index("a/b")


def test_moving_a_directory_takes_along_what_is_below_it_and_nothing_else(database: Database) -> None:
    index = Index(database)
    for path in ("a/b", f"a/{FOREIGN}", f"a/b/{FOREIGN}/c", "ab/c", "a-side"):
        index.put(path, state(1), None)
    index.move_below("a", "x/y")
    assert {known.path for known in index.below("")} == {
        "x/y/b", f"x/y/{FOREIGN}", f"x/y/b/{FOREIGN}/c", "ab/c", "a-side",
    }  # fmt: skip


def test_a_remounted_file_system_may_have_another_number(database: Database) -> None:
    index = Index(database)
    index.put("a", FileState("file", 1, 1, 2**63 + 5, 2**63 + 7), None)
    index.renumber(2**63 + 5, 3)
    assert index.get("a") == IndexEntry("a", FileState("file", 1, 1, 3, 2**63 + 7))


FEW = st.sampled_from(["a", "b", "a/a", "a/b", "a/a/a", "b/a"])
DEEDS = st.tuples(st.sampled_from(["put", "remove", "get", "children", "by_inode"]), FEW, st.integers(1, 3))


@settings(deadline=None)
@given(st.lists(st.tuples(st.lists(DEEDS, max_size=8), st.booleans()), max_size=4))
def test_it_is_what_was_put_whatever_is_queried_meanwhile_and_whatever_is_rolled_back(
    transactions: list[tuple[list[tuple[str, str, int]], bool]],
) -> None:
    database = Database(Path(":memory:"))
    index, kept = Index(database), dict[str, int]()
    for actions, is_kept in transactions:
        now = dict(kept)
        with suppress(RuntimeError), database.transaction(), index.writing():
            for action, path, number in actions:
                match action:
                    case "put":
                        index.put(path, state(number), None)
                        now[path] = number
                    case "remove":
                        index.remove(path)
                        now.pop(path, None)
                    case "get":
                        known = index.get(path)
                        assert (None if known is None else known.state.inode) == now.get(path)
                    case "children":
                        below = {other for other in now if other.rpartition("/")[0] == path}
                        assert {known.path for known in index.children(path).values()} == below
                    case _:
                        found = {known.path for known in index.by_inode(state(number))}
                        assert found == {other for other, inode in now.items() if inode == number}
            if not is_kept:
                raise RuntimeError
            kept = now
        assert {known.path: known.state.inode for known in index.below("")} == kept
        assert {path for path in ("a", "b", "a/a", "a/b", "a/a/a", "b/a") if index.get(path)} == kept.keys()
    database.close()


def write(database: Database, outbox: Outbox, *paths: str) -> None:
    with database.transaction():
        outbox.begin()
        for path in paths:
            outbox.observed(path, state(1), LIVE)
        outbox.end()


def test_seq_continues_densely_over_emptied_outboxes_and_new_processes(database: Database, tmp_path: Path) -> None:
    first = Outbox(database, "films", SkippingClock())
    write(database, first, "a", "b")
    unsent = Unsent(database)
    assert [row.seq for row in unsent.first(10)] == [1, 2]
    unsent.forget(unsent.first(10)[-1])
    assert depth(database) == 0
    reopened = Database(tmp_path / "films.sqlite")
    second = Outbox(reopened, "films", SkippingClock())
    write(reopened, second, "c")
    reopened.close()
    assert second.epoch == first.epoch
    assert [row.seq for row in unsent.first(10)] == [3]


def test_a_transaction_that_fails_has_used_no_seq_and_changed_no_index(database: Database) -> None:
    outbox, index = Outbox(database, "films", SkippingClock()), Index(database)
    with pytest.raises(RuntimeError), database.transaction(), index.writing():
        outbox.begin()
        outbox.observed("a", state(1), LIVE)
        index.put("a", state(1), None)
        outbox.end()
        raise RuntimeError
    assert (depth(database), index.count()) == (0, 0)
    write(database, outbox, "b")
    assert [row.seq for row in Unsent(database).first(10)] == [1]


def test_a_directory_of_a_transaction_that_failed_is_not_remembered(database: Database) -> None:
    index, directory = Index(database), FileState("dir", 0, 1, 1, 1)
    with pytest.raises(RuntimeError), database.transaction(), index.writing():
        index.put("a", directory, None)
        assert index.has_directory("a")
        raise RuntimeError
    assert not index.has_directory("a")
    assert index.get("a") is None


def test_what_was_a_directory_within_a_transaction_may_be_none_any_more(database: Database) -> None:
    index, directory = Index(database), FileState("dir", 0, 1, 1, 1)
    for path in ("a", "b", "c", "c/d"):
        index.put(path, directory, None)
        assert index.has_directory(path)
    index.remove("a")
    index.put("b", FileState("file", 0, 1, 1, 1), None)
    index.move_below("c", "e")
    assert [index.has_directory(path) for path in ("", "a", "b", "c", "c/d", "e/d")] == [
        True, False, False, True, False, True,
    ]  # fmt: skip
