"""Whatever happens on disk and to the producers, once all is quiet the outputs describe the tree as it is."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from producer.core.normalise import Touched
from schemas.changes import Change
from tests.support.fold_truth import check, leftovers
from tests.support.small_tree import ROOTS
from tests.support.small_world import PLAY_STEPS, Picture, Step, World, histories, long_history


def tree(world: World) -> dict[tuple[str, str], tuple[str, int, int]]:
    found: dict[tuple[str, str], tuple[str, int, int]] = {}
    for root in ROOTS:
        for path in world.disk.trees[root]:
            state = world.disk.state(root, path)
            assert state is not None
            is_file = state.type == "file"
            found[root, path] = (state.type, state.size if is_file else 0, state.mtime_ns if is_file else 0)
    return found


def published(paths: dict[tuple[str, str], Change]) -> dict[tuple[str, str], tuple[str, int, int]]:
    found = {}
    for place, change in paths.items():
        is_file = change.type == "file"  # type: ignore[union-attr]
        found[place] = (change.type, change.size if is_file else 0, change.mtime_ns if is_file else 0)  # type: ignore[union-attr]
    return found


def lived(history: list[Step], *, checked: bool = True) -> tuple[World, Picture]:
    """The world after the history and some quiet, and the state by its outputs."""
    world, picture = World(), Picture()
    for step in history:
        world.live([step])
        if checked:
            picture.read(world.lane.outputs)
            check(world.lane.fold)
    world.settle_down()
    picture.read(world.lane.outputs)
    check(world.lane.fold)
    return world, picture


def converges(history: list[Step]) -> None:
    """Live, be quiet, compare."""
    world, picture = lived(history)
    assert published(picture.paths) == tree(world)
    files = {place: change for place, change in picture.paths.items() if change.type == "file"}  # type: ignore[union-attr]
    assert {id_: (i.storage_root, i.path) for id_, i in picture.items.items()} == {
        change.media_id: place  # type: ignore[union-attr]
        for place, change in files.items()
    }
    assert picture.items == picture.states
    for item in picture.items.values():
        state = world.disk.state(item.storage_root, item.path)
        assert state is not None
        assert item.file_size == state.size
    if not any(step.name == "epoch" for step in history):
        # who has lost what it knew cannot say that a file had left a directory before that was moved
        assert picture.ever <= world.ever, "a change of a path that never was"


def leaves_nothing(history: list[Step]) -> None:
    """Live, delete everything, be quiet, look what is kept."""
    world, picture = lived(history, checked=False)
    for root in ROOTS:
        for path in sorted(world.disk.trees[root], reverse=True):
            world.disk.unlink(root, path)
            world.watchers[root].queue.append(Touched(path, "gone"))
    world.settle_down()
    picture.read(world.lane.outputs)
    assert (picture.paths, picture.items, picture.states) == ({}, {}, {})
    assert leftovers(world.lane.fold) == {}


def playful(seed: int) -> list[Step]:
    """A long history in which people play: files and directories change places, are renamed again and again."""
    return long_history(seed, play=PLAY_STEPS)


seeds = st.integers(0, 2**32).map(long_history) | st.integers(0, 2**32).map(playful)


@settings(max_examples=200, deadline=None)
@given(histories)
def test_after_quiet_changes_and_items_are_the_tree(history: list[Step]) -> None:
    converges(history)


@settings(max_examples=120, deadline=None)
@example(long_history(4029226))  # a directory of the same inode comes back: it is listed, though it looks the same
@example(long_history(1003691))  # a walk comes below a directory that is not known
@example(long_history(1013944))
@example(long_history(1039041))  # a creation held for a rename is in a directory that moves to where a file was
@example(playful(976))  # a baseline had seen a path that something left afterwards
@example(playful(1883))
@given(seeds)
def test_after_a_long_history_too(history: list[Step]) -> None:
    converges(history)


@settings(max_examples=120, deadline=None)
@given(histories | seeds)
def test_when_all_is_deleted_and_quiet_nothing_is_kept(history: list[Step]) -> None:
    leaves_nothing(history)
