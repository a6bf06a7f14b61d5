"""The tables of a lane as bytes, and back: `state` says which there are. Whatever can be derived is built again.

Paths that are no UTF-8 are marked, and of files that look alike the order is written too, for it decides between equals.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from streams.core import directories
from streams.core.clock import LaneClock
from streams.core.deadlines import Deadlines
from streams.core.state import (
    Entry,
    FileIndex,
    Hold,
    MovedTree,
    Numbers,
    OpenJob,
    Pending,
    Root,
    RootPath,
    State,
    Tally,
    TallyId,
)  # fmt: skip


class _Kept(Struct, array_like=True):
    """The tables as they are written. `orders`: of each of `State.indexes`, the places of every key that
    has several; `marked`: paths that are no UTF-8 are written so."""

    clock: LaneClock
    numbers: Numbers
    last_tally: TallyId
    last_order: int
    tallies: list[Tally]
    roots: list[Root]
    known: list[Entry]
    pending: list[Pending]
    gone: list[Hold]
    new: list[Hold]
    trees: list[MovedTree]
    jobs: list[OpenJob]
    dropped: dict[str, int]
    orders: tuple[list[list[RootPath]], ...]
    marked: bool = False


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Kept).decode
_MARK = "\0"
"""No path has it. It stands before the bytes, in hexadecimal digits, of a path that is no UTF-8."""


def encode(state: State) -> bytes:
    """The tables as MessagePack. Raises OverflowError where a record told a number beyond 64 bits."""
    kept = _Kept(
        state.clock, state.numbers, state.last_tally, state.deadlines.last_order,
        [*state.tallies.values()], [*state.roots.values()],
        [entry for paths in state.known.values() for entry in paths.values()],
        [*state.pending.values()], [*state.gone.values()], [*state.new.values()], [*state.trees.values()],
        [*state.jobs.values()],
        dict(state.dropped),
        tuple(map(_order, state.indexes)),
    )  # fmt: skip
    try:
        return _encode(kept)
    except UnicodeEncodeError:  # a path with surrogates (`schemas.paths`)
        return _encode(replace(_rewritten(kept, _marked), marked=True))


def decode(value: bytes) -> State:
    """What `encode` has written, with all that is derived. Raises msgspec.DecodeError for anything else."""
    kept = _decode(value)
    if kept.marked:
        kept = _rewritten(kept, _unmarked)
    state = State()
    state.clock, state.numbers, state.last_tally = kept.clock, kept.numbers, kept.last_tally
    state.tallies = {tally.id: tally for tally in kept.tallies}
    state.roots = {root.name: root for root in kept.roots}
    state.pending = {pending.place: pending for pending in kept.pending}
    state.gone = {hold.place: hold for hold in kept.gone}
    state.new = {hold.place: hold for hold in kept.new}
    state.jobs = OrderedDict((job.id, job) for job in kept.jobs)
    state.dropped = Counter(kept.dropped)
    _enter_known(state, kept.known)
    _derive(state, kept)
    return state


def _enter_known(state: State, entries: list[Entry]) -> None:
    once: dict[str, str] = {}  # the names of a few libraries and roots stand in every row
    for entry in entries:
        entry.library = once.setdefault(entry.library, entry.library)
        entry.root = once.setdefault(entry.root, entry.root)
        state.known.setdefault(entry.root, {})[entry.path] = entry
        directories.put(state.directories.setdefault(entry.root, {}), entry.path)
        if entry.type == "file":
            state.by_inode.put(entry.inode, entry)
            if entry.fingerprint is not None:
                state.by_fingerprint.put(entry.fingerprint, entry)


def _derive(state: State, kept: _Kept) -> None:
    for pending in kept.pending:
        if pending.state is not None and pending.state.type == "file":
            state.pending_by_inode.put(pending.state.inode, pending)
    for hold in kept.new:
        if hold.seen.state is not None:
            state.new_by_inode.put(hold.seen.state.inode, hold)
        if hold.fingerprint is not None:
            state.new_by_fingerprint.put(hold.fingerprint, hold)
    state.movers = {pending.carries: pending.place for pending in kept.pending if pending.carries is not None}
    state.trees = {tree.place: tree for tree in kept.trees}
    state.trees_from = {tree.told: tree.place for tree in kept.trees}
    state.above_trees = Counter(above for tree in kept.trees for above in tree.above)
    subjects: list[Pending | Hold | MovedTree | Tally] = [
        *kept.pending,
        *kept.gone,
        *kept.new,
        *kept.trees,
        *kept.tallies,
    ]
    state.deadlines = Deadlines(subjects, kept.last_order)
    for index, places in zip(state.indexes, kept.orders, strict=True):
        _reorder(index, places)


def _order(index: FileIndex) -> list[list[RootPath]]:
    return [[row.place for row in rows] for _key, rows in index.several()]


def _reorder(index: FileIndex, orders: list[list[RootPath]]) -> None:
    rank = {place: number for places in orders for number, place in enumerate(places)}
    for _key, rows in index.several():
        rows.sort(key=lambda row: rank[row.place])


def _marked(path: str) -> str:
    try:
        path.encode()
    except UnicodeEncodeError:
        return _MARK + path.encode("utf-8", "surrogateescape").hex()
    return path


def _unmarked(path: str) -> str:
    return bytes.fromhex(path[1:]).decode("utf-8", "surrogateescape") if path.startswith(_MARK) else path


def _rewritten(kept: _Kept, change: Callable[[str], str]) -> _Kept:
    """With every path changed."""

    def at(place: RootPath) -> RootPath:
        return RootPath(place.root, change(place.path))

    def of_tally(tally: Tally) -> Tally:
        seen = tally.seen if tally.seen is None else {*map(change, tally.seen)}
        return replace(tally, subtree=change(tally.subtree), seen=seen)

    def of_root(root: Root) -> Root:
        gaps, left = (
            [replace(g, subtree=change(g.subtree)) for g in gaps] for gaps in (root.gaps, root.left_gaps)
        )
        return replace(root, gaps=gaps, left_gaps=left)

    def of_pending(pending: Pending) -> Pending:
        carries = pending.carries if pending.carries is None else at(pending.carries)
        return replace(pending, place=at(pending.place), carries=carries)

    return replace(
        kept,
        tallies=[of_tally(tally) for tally in kept.tallies],
        roots=[of_root(root) for root in kept.roots],
        known=[replace(entry, path=change(entry.path)) for entry in kept.known],
        pending=[of_pending(pending) for pending in kept.pending],
        gone=[replace(hold, place=at(hold.place)) for hold in kept.gone],
        new=[replace(hold, place=at(hold.place)) for hold in kept.new],
        trees=[replace(tree, place=at(tree.place), told=at(tree.told)) for tree in kept.trees],
        jobs=[replace(job, place=at(job.place)) for job in kept.jobs],
        orders=tuple([[at(place) for place in places] for places in order] for order in kept.orders),
    )
