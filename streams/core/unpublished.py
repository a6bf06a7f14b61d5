"""Directories that have moved, whose move is not published yet.

The tables are changed at once for everything below such a directory. The move is published when the directory has been
quiet, so that one that moves several times is published once, from where it was last published to where it is. Directories
are found by where they are (`State.trees`), by where they were last published, and by the directories above either.
"""

from __future__ import annotations

from streams.core.state import MovedTree, RootPath, State


def enter(state: State, tree: MovedTree) -> None:
    """Add a moved directory."""
    state.trees[tree.place] = tree
    state.trees_from[tree.published] = tree.place
    for place in tree.above:
        state.above_trees[place] += 1


def leave(state: State, tree: MovedTree) -> None:
    """Remove a directory: its move is published, or it moves again."""
    del state.trees[tree.place], state.trees_from[tree.published]
    for place in tree.above:
        state.above_trees[place] -= 1
        if not state.above_trees[place]:
            del state.above_trees[place]


def moved_from(state: State, place: RootPath) -> MovedTree | None:
    """The moved directory that was last published at the place."""
    at = state.trees_from.get(place)
    return None if at is None else state.trees[at]


def near(state: State, place: RootPath) -> bool:
    """Whether the place is below a moved directory (where it is, or where it was last published), or above one: then
    what happens there cannot be distinguished from that move."""
    return place in state.above_trees or any(p in state.trees or p in state.trees_from for p in place.above)
