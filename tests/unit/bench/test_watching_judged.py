"""The measurement of watchers is judged itself: what is lost or invented on purpose is counted, and nothing else is."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from watchdog.observers.inotify_c import InotifyConstants, inotify_add_watch, inotify_init

from bench.watching.changelog import RootView
from bench.watching.judging import (
    Judgement,
    Reported,
    Seen,
    Tree,
    delayed_links,
    judge_events,
    judge_records,
    walk,
)
from bench.watching.trees import run
from schemas import raw

FILE = Seen("file", 3, 1)
OTHER = Seen("file", 4, 2)
TREE: Tree = {b"a": Seen("dir"), b"a/b": FILE, b"a/c": FILE}
NOTHING = Judgement((), ())


def without(path: bytes) -> Tree:
    return {kept: seen for kept, seen in TREE.items() if kept != path}


def test_a_correct_record_is_neither() -> None:
    assert judge_records(TREE, TREE) == NOTHING


@pytest.mark.parametrize(
    ("recorded", "judged"),
    [
        (without(b"a/b"), Judgement((b"a/b",), ())),
        (TREE | {b"a/b": OTHER}, Judgement((b"a/b",), ())),
        (TREE | {b"a/b": Seen("dir")}, Judgement((b"a/b",), ())),
        (TREE | {b"d": FILE}, Judgement((), (b"d",))),
    ],
)
def test_a_seeded_loss_and_a_seeded_invention_are_each_counted(recorded: Tree, judged: Judgement) -> None:
    assert judge_records(recorded, TREE) == judged


def test_a_deletion_recorded_where_nothing_is_removed_is_invented() -> None:
    assert judge_records(TREE, TREE, [b"a/b", b"a/.temporary"]) == Judgement((), (b"a/b",))


def names_in(events: bytes) -> Iterator[bytes]:
    """inotify(7): sixteen bytes of numbers, the last of which is the length of the name that follows."""
    at = 0
    while at < len(events):
        (length,) = struct.unpack_from("12xI", events, at)
        yield events[at + 16 : at + 16 + length].rstrip(b"\0")
        at += 16 + length


def deleted_during(folder: Path, work: Callable[[], None]) -> set[bytes]:
    """Names in the folder that the kernel reports as deleted."""
    kernel = inotify_init()
    try:
        inotify_add_watch(kernel, os.fsencode(folder), InotifyConstants.IN_DELETE)
        work()
        return set(names_in(os.read(kernel, 1 << 16)))
    finally:
        os.close(kernel)


def test_links_that_tar_makes_in_two_steps_are_told_by_their_targets(tmp_path: Path) -> None:
    """The archive is extracted by tar, whose calls show which links those are."""
    made, out = tmp_path / "made", tmp_path / "out"
    for folder in (made, out):
        folder.mkdir()
    for name, target in {
        "up": "../x",
        "inside": "a/../b",
        "absolute": "/x",
        "beside": "x",
        "dotted": "..x",
    }.items():
        (made / name).symlink_to(target)
    delayed = delayed_links(made, walk(made))
    run("tar", "-C", str(made), "-cf", str(tmp_path / "links.tar"), ".")
    removed = deleted_during(out, lambda: run("tar", "-C", str(out), "-xf", str(tmp_path / "links.tar")))
    assert delayed == removed == {b"up", b"inside", b"absolute"}


@pytest.mark.parametrize(
    ("events", "before", "judged"),
    [
        ([("there", b"a/b"), ("there", b"a/c")], {b"a": Seen("dir")}, NOTHING),
        ([("there", b"a/b")], {b"a": Seen("dir")}, Judgement((b"a/c",), ())),
        ([("there", b"a")], {}, Judgement((b"a/b", b"a/c"), ())),
        ([], TREE | {b"d": FILE}, Judgement((b"d",), ())),
        ([("there", b"d")], TREE | {b"d": FILE}, Judgement((b"d",), ())),
        ([("gone", b"d")], TREE | {b"d": FILE}, NOTHING),
        ([("gone", b"d")], TREE | {b"d": Seen("dir"), b"d/e": FILE}, NOTHING),
        ([("there", b"d")], TREE, Judgement((), (b"d",))),
        ([("there", b"d"), ("gone", b"d")], TREE, NOTHING),
        ([("gone", b"d"), ("there", b"d")], TREE, Judgement((), (b"d",))),
        ([("there", b"d/e"), ("gone", b"d")], TREE, NOTHING),
        ([("either", b"d")], TREE, NOTHING),
        ([("gone", b"a/b")], TREE, Judgement((), (b"a/b",))),
        ([], TREE, NOTHING),
    ],
)
def test_events_of_a_plain_watcher(events: list[tuple[Reported, bytes]], before: Tree, judged: Judgement) -> None:
    assert judge_events(events, before, TREE) == judged


def test_an_event_of_a_directory_that_was_moved_counts_for_what_is_below() -> None:
    moved = frozenset({b"a", b"old"})
    before: Tree = {b"old": Seen("dir"), b"old/b": FILE, b"old/c": FILE}
    assert judge_events([("gone", b"old"), ("there", b"a")], before, TREE, moved) == NOTHING
    assert judge_events([("there", b"a")], before, TREE, moved).missed == (b"old", b"old/b", b"old/c")
    assert judge_events([("gone", b"old")], before, TREE, moved).missed == (b"a", b"a/b", b"a/c")


def test_a_walk_sees_types_sizes_and_times_and_follows_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(b"abc")
    os.utime(tmp_path / "a" / "b", ns=(1, 1))
    (tmp_path / "link").symlink_to("a")
    seen = walk(tmp_path)
    assert seen.pop(b"link").type == "symlink"
    assert seen == {b"a": Seen("dir"), b"a/b": FILE}


def observed(seq: int, path: str, file: raw.FileState | None) -> raw.Observed:
    return raw.Observed(root="r", epoch="e", seq=seq, observed_at="", path=path, file=file, origin="live")


def test_a_reader_applies_each_record_once_and_moves_what_is_below() -> None:
    view = RootView()
    directory, file = raw.FileState("dir", 0, 9, 1, 1), raw.FileState("file", 3, 1, 1, 2)
    view.read(observed(1, "a", directory), 10)
    view.read(observed(2, "a/b", file), 20)
    view.read(observed(3, "a/c", file), 30)
    moved = raw.Moved(
        root="r", epoch="e", seq=4, observed_at="", path="n", from_path="a", file=directory, origin="live"
    )  # fmt: skip
    view.read(moved, 40)
    view.read(observed(3, "a/c", file), 50)
    assert view.tree == {b"n": Seen("dir"), b"n/b": FILE, b"n/c": FILE}
    view.read(observed(5, "n/c", None), 2_000)
    assert (view.tree, view.stretch.removals) == ({b"n": Seen("dir"), b"n/b": FILE}, [b"n/c"])
    assert (view.stretch.peak, view.stretch.changed_at) == (4, 2_000)
