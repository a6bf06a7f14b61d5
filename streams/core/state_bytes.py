"""The tables of a lane (see `state`) as bytes, and back. Derived tables are built again.

The bytes are made in pieces, so that a state of any size is written and read in short steps. All pieces are of the moment
in which that began: small tables are encoded at once; of large ones (known paths, open jobs, paths that baselines have
observed) the rows are listed at once, and a row that the fold changes before its piece is made is copied first
(`State.changing`).

Paths that are not UTF-8 are marked, and a piece with numbers beyond 64 bits is JSON. The order of files that look alike is
written too, because it decides between equals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TypeVar

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
    Request,
    Root,
    RootPath,
    State,
    Tally,
    TallyId,
)  # fmt: skip

ROWS = 1_000
"""Rows per piece: some 2 ms of work."""
_LENGTH = 4
"""Bytes of the length before each piece, big endian; one byte for its format follows the length."""
_MSGPACK, _JSON = b"m", b"j"


class _Small(Struct, array_like=True, tag=0):
    """All tables but the large ones; `seen` of tallies is empty or None. `orders`: for each of `State.indexes`, the
    places of every key that has several; `marked`: the piece has marked paths (not UTF-8)."""

    clock: LaneClock
    numbers: Numbers
    last_tally: TallyId
    last_order: int
    tallies: list[Tally]
    roots: list[Root]
    pending: list[Pending]
    gone: list[Hold]
    new: list[Hold]
    trees: list[MovedTree]
    dropped: dict[str, int]
    requests: list[Request]
    held: list[str]
    orders: tuple[list[list[RootPath]], ...]
    rules_version: int
    marked: bool = False


class _Known(Struct, array_like=True, tag=1):
    """Some of the known paths."""

    entries: list[Entry]
    marked: bool = False


class _Jobs(Struct, array_like=True, tag=2):
    """Some of the open jobs."""

    jobs: list[OpenJob]
    marked: bool = False


class _Seen(Struct, array_like=True, tag=3):
    """Some of the paths that a baseline has observed."""

    tally: TallyId
    paths: list[str]
    marked: bool = False


class _End(Struct, array_like=True, tag=4):
    """Nothing follows."""


_Rows = _Small | _Known | _Jobs | _Seen
_Piece = _Rows | _End
R = TypeVar("R", Entry, OpenJob)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Piece).decode
_decode_json = msgspec.json.Decoder(_Piece).decode
_MARK = "\0"
"""No path contains this. It marks a path that is not UTF-8: the path's bytes follow as hexadecimal digits."""


class Snapshot:
    """The state as it is now. `pieces` may be taken while the fold continues, until their end or `close`. A state can
    have one snapshot at a time."""

    def __init__(self, state: State) -> None:
        assert state.taken is None
        self._state = state
        self._entries = [entry for paths in state.known.values() for entry in paths.values()]
        self._jobs = list(state.jobs.values())
        self._seen = [(tally.id, list(tally.seen)) for tally in state.tallies.values() if tally.seen]
        self._small = _framed(_small(state))
        state.taken = {}

    def pieces(self) -> Iterator[bytes]:
        """All of it, once."""
        yield self._small
        for entries in _some(self._entries):
            yield _framed(_Known(self._as_they_were(entries)))
        for jobs in _some(self._jobs):
            yield _framed(_Jobs(self._as_they_were(jobs)))
        for tally, seen in self._seen:
            for paths in _some(seen):
                yield _framed(_Seen(tally, paths))
        self.close()
        yield _framed(_End())

    def close(self) -> None:
        """Give the snapshot up: no more pieces are taken."""
        self._state.taken = None

    def _as_they_were(self, rows: list[R]) -> list[R]:
        taken = self._state.taken
        assert taken is not None
        return [taken.pop(id(row), row) for row in rows] if taken else rows  # type: ignore[misc]


class Restoring:
    """Restores a state from the bytes of a snapshot. Raises msgspec.DecodeError for other bytes."""

    def __init__(self) -> None:
        self._state = State()
        self._rest = b""
        self._small: _Small | None = None
        self._ended = False

    def feed(self, value: bytes) -> None:
        """Add the next bytes, however they were split."""
        rest, at = self._rest + value, 0
        while len(rest) - at > _LENGTH:
            end = at + _LENGTH + int.from_bytes(rest[at : at + _LENGTH], "big")
            if len(rest) < end:
                break
            self._enter(_piece(rest[at + _LENGTH : end]))
            at = end
        self._rest = rest[at:]

    def state(self) -> State:
        """The state, with its derived tables, after all bytes were fed."""
        if self._small is None or not self._ended or self._rest:
            raise msgspec.DecodeError("it is truncated")
        _derive(self._state, self._small)
        return self._state

    def _enter(self, piece: _Piece) -> None:
        if (self._small is None) != isinstance(piece, _Small) or self._ended:
            raise msgspec.DecodeError("its pieces are not in order")
        match piece:
            case _Small():
                self._small = piece
                _enter_small(self._state, piece)
            case _Known(entries):
                _enter_known(self._state, entries)
            case _Jobs(jobs):
                self._state.jobs.update((job.id, job) for job in jobs)
            case _Seen(tally, paths):
                seen = self._state.tallies[tally].seen
                assert seen is not None
                seen.update(paths)
            case _End():
                self._ended = True


def encode(state: State) -> bytes:
    """All pieces of a snapshot."""
    return b"".join(Snapshot(state).pieces())


def decode(value: bytes) -> State:
    """The state that `encode` has written, with its derived tables. Raises msgspec.DecodeError for anything else."""
    restoring = Restoring()
    restoring.feed(value)
    return restoring.state()


def _some(rows: list[R] | list[str]) -> Iterator[list]:  # type: ignore[type-arg]
    """The rows in parts; each part is removed from the list when it is returned."""
    rows.reverse()
    while rows:
        some = rows[: -ROWS - 1 : -1]
        del rows[-ROWS:]
        yield some


def _small(state: State) -> _Small:
    return _Small(
        state.clock, state.numbers, state.last_tally, state.deadlines.last_order,
        [replace(tally, seen=None if tally.seen is None else set()) for tally in state.tallies.values()],
        [*state.roots.values()], [*state.pending.values()], [*state.gone.values()], [*state.new.values()],
        [*state.trees.values()], dict(state.dropped), [*state.requests.values()], sorted(state.held),
        tuple(map(_order, state.indexes)), state.rules_version,
    )  # fmt: skip


def _framed(piece: _Piece) -> bytes:
    try:
        form, value = _MSGPACK, _encode(piece)
    except UnicodeEncodeError:  # a path with surrogates (`schemas.paths`)
        assert not isinstance(piece, _End)
        return _framed(replace(_rewritten(piece, _marked), marked=True))
    except OverflowError:  # a record has a number beyond 64 bits
        form, value = _JSON, msgspec.json.encode(piece)
    return (len(value) + 1).to_bytes(_LENGTH, "big") + form + value


def _piece(value: bytes) -> _Piece:
    piece: _Piece = _decode_json(value[1:]) if value[:1] == _JSON else _decode(value[1:])
    return _rewritten(piece, _unmarked) if not isinstance(piece, _End) and piece.marked else piece


def _enter_small(state: State, small: _Small) -> None:
    state.rules_version = small.rules_version
    state.clock, state.numbers, state.last_tally = small.clock, small.numbers, small.last_tally
    state.tallies = {tally.id: tally for tally in small.tallies}
    state.roots = {root.name: root for root in small.roots}
    state.pending = {pending.place: pending for pending in small.pending}
    state.gone = {hold.place: hold for hold in small.gone}
    state.new = {hold.place: hold for hold in small.new}
    state.trees = {tree.place: tree for tree in small.trees}
    state.requests = {request.id: request for request in small.requests}
    state.held = set(small.held)
    state.dropped = Counter(small.dropped)


def _enter_known(state: State, entries: list[Entry]) -> None:
    once: dict[str, str] = {}  # the names of a few libraries and roots are in every row
    for root in state.roots.values():
        once[root.name], once[root.library] = root.name, root.library
    for entry in entries:
        entry.library = once.setdefault(entry.library, entry.library)
        entry.root = once.setdefault(entry.root, entry.root)
        state.known.setdefault(entry.root, {})[entry.path] = entry
        directories.put(state.directories.setdefault(entry.root, {}), entry.path)
        if entry.type == "file":
            state.by_inode.put(entry.inode, entry)
            if entry.fingerprint is not None:
                state.by_fingerprint.put(entry.fingerprint, entry)


def _derive(state: State, small: _Small) -> None:
    for pending in small.pending:
        if pending.state is not None and pending.state.type == "file":
            state.pending_by_inode.put(pending.state.inode, pending)
    for hold in small.new:
        if hold.seen.state is not None:
            state.new_by_inode.put(hold.seen.state.inode, hold)
        if hold.fingerprint is not None:
            state.new_by_fingerprint.put(hold.fingerprint, hold)
    state.movers = {pending.carries: pending.place for pending in small.pending if pending.carries is not None}
    state.trees_from = {tree.published: tree.place for tree in small.trees}
    state.above_trees = Counter(above for tree in small.trees for above in tree.above)
    subjects: list[Pending | Hold | MovedTree | Tally] = [
        *small.pending, *small.gone, *small.new, *small.trees, *small.tallies,
    ]  # fmt: skip
    state.deadlines = Deadlines(subjects, small.last_order)
    for index, places in zip(state.indexes, small.orders, strict=True):
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


def _rewritten(piece: _Rows, change: Callable[[str], str]) -> _Rows:
    """The piece with every path changed."""

    def at(place: RootPath) -> RootPath:
        return RootPath(place.root, change(place.path))

    match piece:
        case _Known(entries):
            return replace(piece, entries=[replace(entry, path=change(entry.path)) for entry in entries])
        case _Jobs(jobs):
            return replace(piece, jobs=[replace(job, place=at(job.place)) for job in jobs])
        case _Seen(paths=paths):
            return replace(piece, paths=[change(path) for path in paths])
        case _Small():
            return _rewritten_small(piece, change, at)


def _rewritten_small(
    small: _Small, change: Callable[[str], str], at: Callable[[RootPath], RootPath]
) -> _Small:  # fmt: skip
    def of_root(root: Root) -> Root:
        gaps, left = (
            [replace(g, subtree=change(g.subtree)) for g in gaps] for gaps in (root.gaps, root.left_gaps)
        )
        return replace(root, gaps=gaps, left_gaps=left)

    def of_pending(pending: Pending) -> Pending:
        carries = pending.carries if pending.carries is None else at(pending.carries)
        return replace(pending, place=at(pending.place), carries=carries)

    return replace(
        small,
        tallies=[replace(tally, subtree=change(tally.subtree)) for tally in small.tallies],
        requests=[replace(request, subtree=change(request.subtree)) for request in small.requests],
        roots=[of_root(root) for root in small.roots],
        pending=[of_pending(pending) for pending in small.pending],
        gone=[replace(hold, place=at(hold.place)) for hold in small.gone],
        new=[replace(hold, place=at(hold.place)) for hold in small.new],
        trees=[replace(tree, place=at(tree.place), published=at(tree.published)) for tree in small.trees],
        orders=tuple([[at(place) for place in places] for places in order] for order in small.orders),
    )
