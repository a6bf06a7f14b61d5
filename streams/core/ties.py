"""Ties: which known file was moved, as the kernel reported, to which path that has not settled yet.

A known file is tied to one such path at most, and a path to one known file. Until the path has settled, the file is
neither deleted nor paired with anything else. Both are named by their places, which change when a directory moves.
"""

from __future__ import annotations

from streams.core.state import Entry, Pending, RootPath, State


def tie(state: State, pending: Pending, entry: RootPath) -> None:
    """The known file at `entry` was moved to the pending path; this replaces any earlier tie of it."""
    untie(state, pending)
    other = mover_of(state, entry)
    if other is not None:
        untie(state, other)
    pending.carries = entry
    state.movers[entry] = pending.place


def untie(state: State, pending: Pending) -> None:
    """What is at the path is not, or no longer, a known file that was moved there."""
    if pending.carries is not None:
        del state.movers[pending.carries]
        pending.carries = None


def mover_of(state: State, entry: RootPath) -> Pending | None:
    """The pending path to which the known file at `entry` was moved."""
    place = state.movers.get(entry)
    return None if place is None else state.pending[place]


def is_on_its_way(state: State, entry: Entry) -> bool:
    """Whether the kernel reported where the known file was moved, and it is this file that is there, not another file
    that had taken its place before the move."""
    pending = mover_of(state, entry.place)
    return pending is not None and (pending.state is None or pending.state.inode == entry.inode)


def entry_moved(state: State, before: RootPath, after: RootPath) -> None:
    """The known file has another place: move its tie."""
    pending = mover_of(state, before)
    if pending is not None:
        del state.movers[before]
        state.movers[after] = pending.place
        pending.carries = after


def path_moved(state: State, pending: Pending, place: RootPath) -> None:
    """The pending path has another place: move its tie."""
    pending.place = place
    if pending.carries is not None:
        state.movers[pending.carries] = place
