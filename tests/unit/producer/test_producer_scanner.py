"""A scan among events: what it records is never older than what events have reported meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from producer.core.facts import Gone, Moved, Swapped, There
from producer.core.filters import Filters
from producer.database import Database
from producer.index import Index
from producer.scanner import STEP_FACTS, Scan
from tests.fakes.producer_backend import FakeBackend
from tests.support.producer_root import StandingClock


@pytest.fixture
def index() -> Index:
    return Index(Database(Path(":memory:")))


def scan_of(index: Index, *, resend: bool = False, confirmed: frozenset[str] = frozenset()) -> Scan:
    return Scan(index, Filters([]), None, StandingClock(), resend=resend, confirmed=confirmed)


def learn(index: Index, files: FakeBackend) -> None:
    """Make the index know the tree as it is."""
    with files.open() as tree:
        for path in files.nodes:
            if path and (state := tree.stat(path)) is not None:
                index.put(path, state, None if (found := tree.fingerprint(path, state)) is None else found.xxh3)


def many(count: int) -> FakeBackend:
    files = FakeBackend()
    for number in range(count):
        files.make(f"{number}", "file", b"old")
    return files


def test_a_file_that_changes_between_two_steps_is_recorded_as_it_is_then(index: Index) -> None:
    files = many(STEP_FACTS + 10)
    scan = scan_of(index)
    with files.open() as tree:
        scan.step(tree)
        assert not scan.done
        last = f"{STEP_FACTS + 9}"
        files.nodes[last].content = b"newer"
        del files.nodes[f"{STEP_FACTS + 8}"]
        facts = scan.step(tree)
    there = {fact.path: fact.state.size for fact in facts if isinstance(fact, There)}
    assert there[last] == 5
    assert f"{STEP_FACTS + 8}" not in there


def test_what_is_unchanged_is_not_read_again_however_long_the_scan_takes(index: Index) -> None:
    files = many(STEP_FACTS + 100)
    learn(index, files)
    for number in range(STEP_FACTS + 1):
        files.nodes[f"{number}"].content = b"longer"
    scan = scan_of(index)
    with files.open() as tree:
        scan.step(tree)
        for number in range(STEP_FACTS + 1, STEP_FACTS + 100):
            files.broken.add(f"{number}")
        facts = scan.step(tree)
    assert [fact.path for fact in facts if isinstance(fact, There)] == [f"{STEP_FACTS}"]
    assert scan.unreadable == []


def test_of_a_directory_alone_only_new_directories_are_entered(index: Index) -> None:
    files = FakeBackend()
    files.make("known", "dir")
    learn(index, files)
    files.make("known/unseen", "file", b"x")
    files.make("new", "dir")
    files.make("new/a", "file", b"x")
    scan = Scan(index, Filters([]), None, StandingClock(), directories=[""])
    with files.open() as tree:
        facts = [fact for _ in range(3) for fact in scan.step(tree)]
    assert [fact.path for fact in facts if isinstance(fact, There)] == ["new", "new/a"]


def test_what_is_known_and_unchanged_is_no_fact_unless_everything_is_to_be_recorded(index: Index) -> None:
    files = many(5)
    learn(index, files)
    with files.open() as tree:
        assert scan_of(index).step(tree) == []
        assert len(scan_of(index, resend=True).step(tree)) == 5


def test_a_file_without_a_fingerprint_is_read_again(index: Index) -> None:
    files = many(1)
    learn(index, files)
    with files.open() as tree:
        state = tree.stat("0")
        assert state is not None
        index.put("0", state, None)
        (fact,) = scan_of(index).step(tree)
    assert isinstance(fact, There)
    assert fact.print is not None


def test_a_path_gone_and_a_new_one_of_the_same_identity_are_one_move_recorded_before_what_is_gone(
    index: Index,
) -> None:
    files = many(3)
    learn(index, files)
    known = index.get("0")
    assert known is not None
    files.nodes["moved"] = files.nodes.pop("0")
    del files.nodes["1"]
    with files.open() as tree:
        scan = scan_of(index)
        carried, there = scan.step(tree)
        index.remove("0")
        gone = scan.step(tree)
    assert isinstance(there, There)
    assert carried == Moved("0", "moved", there.state, left=known.state, fresh=True)
    assert gone == [Gone("1")]


def test_two_new_paths_of_one_identity_are_no_move(index: Index) -> None:
    files = many(1)
    learn(index, files)
    files.nodes["a"] = files.nodes["b"] = files.nodes.pop("0")
    with files.open() as tree:
        scan = scan_of(index)
        facts = scan.step(tree) + scan.step(tree)
    assert sorted((type(fact).__name__, fact.path) for fact in facts if not isinstance(fact, Swapped)) == [
        ("Gone", "0"),
        ("There", "a"),
        ("There", "b"),
    ]


def test_an_unreadable_directory_loses_nothing(index: Index) -> None:
    files = FakeBackend()
    files.make("closed", "dir")
    files.make("closed/a", "file", b"x")
    learn(index, files)
    files.nodes["closed"].readable = False
    scan = scan_of(index)
    with files.open() as tree:
        assert scan.step(tree) == []
    assert [error.path for error in scan.unreadable] == ["closed"]


def test_suspiciously_much_gone_is_withheld_until_a_second_scan_finds_the_same(index: Index) -> None:
    files = many(100)
    learn(index, files)
    for number in range(60):
        del files.nodes[f"{number}"]
    first = scan_of(index)
    with files.open() as tree:
        assert first.step(tree) + first.step(tree) == []
        assert first.withheld == {f"{number}" for number in range(60)}
        files.make("0", "file", b"back")
        del files.nodes["99"]
        second = scan_of(index, confirmed=first.withheld)
        gone = {fact.path for fact in second.step(tree) + second.step(tree) if isinstance(fact, Gone)}
    assert gone == {f"{number}" for number in range(1, 60)} | {"99"}
    assert second.withheld == frozenset()


def test_a_directory_whose_files_were_all_renamed_is_nothing_suspicious(index: Index) -> None:
    files = FakeBackend()
    files.make("old", "dir")
    for number in range(100):
        files.make(f"old/{number}", "file", b"x")
    learn(index, files)
    files.make("new", "dir")
    for number in range(100):
        files.nodes[f"new/{number}"] = files.nodes.pop(f"old/{number}")
    del files.nodes["old"]
    scan = scan_of(index)
    with files.open() as tree:
        for fact in scan.step(tree):
            if isinstance(fact, Moved):
                index.remove(fact.source)
        assert scan.step(tree) == [Gone("old")]
    assert scan.withheld == frozenset()


def test_a_scan_that_misses_little_does_not_count_all_that_is_known() -> None:
    database = Database(Path(":memory:"))
    statements: list[str] = []
    index, files = Index(database), many(5)
    learn(index, files)
    del files.nodes["0"]
    database._connection.set_trace_callback(statements.append)
    with files.open() as tree:
        scan = scan_of(index)
        found = scan.step(tree)
        assert [*found, *scan.step(tree)] == [Gone("0")]
    everything = [statement for statement in statements if "count(*)" in statement and "parent = x''" in statement]
    assert (everything, database.execute("SELECT count(*) FROM entry").fetchone()) == ([], (5,))
