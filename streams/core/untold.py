"""Directories that have moved, of which that has not been told yet.

The tables know at once where everything below such a directory is; readers are told when it has been quiet, so that a
directory that moves on is told of once, from where readers know it to where it is. Found by where it is (`State.trees`),
by where readers know it, and by what stands above either.
"""

from __future__ import annotations

from streams.core.state import MovedTree, RootPath, State


def enter(state: State, tree: MovedTree) -> None:
    """One more."""
    state.trees[tree.place] = tree
    state.trees_from[tree.told] = tree.place
    for place in tree.above:
        state.above_trees[place] += 1


def leave(state: State, tree: MovedTree) -> None:
    """It is told, or moves on."""
    del state.trees[tree.place], state.trees_from[tree.told]
    for place in tree.above:
        state.above_trees[place] -= 1
        if not state.above_trees[place]:
            del state.above_trees[place]


def told_at(state: State, place: RootPath) -> MovedTree | None:
    """The tree that readers still know at the place."""
    at = state.trees_from.get(place)
    return None if at is None else state.trees[at]


def near(state: State, place: RootPath) -> bool:
    """Whether the place lies below a moved directory (where it is, or where readers know it), or above one: then what
    happens there cannot be told apart from that move."""
    return place in state.above_trees or any(p in state.trees or p in state.trees_from for p in place.above)
