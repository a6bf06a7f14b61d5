"""Debounce: when a path has been quiet long enough to be believed.

Per path one pending observation, the latest. Only a changed size, mtime or identity starts the window anew.
A path settles when it was quiet for the root's debounce window, or at the max hold: a file still changing then
is reported unsettled and its hold begins anew, an empty one (and whatever is not a regular file) settles.
It knows nothing of what is known about the path: that comparison is the next stage's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from msgspec import Struct

from schemas.raw import FileState, Origin
from streams.core.deadlines import Deadlines
from streams.core.known import Entry, Place
from streams.core.tally import Tally


@dataclass(frozen=True, slots=True)
class Windows:
    """A root's windows in milliseconds of lane time."""

    debounce: int = 2_000
    max_hold: int = 30_000
    rename: int = 2_000


class Sighting(Struct, frozen=True):
    """One observation as the stages pass it on. `offset` and `trace` are its record's; `state` None: nothing is
    there."""

    state: FileState | None
    offset: int
    origin: Origin
    cause: str | None = None
    tally: Tally | None = None
    trace: bytes | None = None


class Pending(Struct, eq=False):
    """A path that has not settled. `carries`: the kernel says that this known file was moved here."""

    place: Place
    state: FileState | None
    offset: int
    origin: Origin
    cause: str | None
    tally: Tally | None
    trace: bytes | None
    first_at: int
    last_at: int
    windows: Windows
    carries: Entry | None = None
    fingerprint: str | None = None
    deadline: int | None = None
    order: int = 0

    @property
    def seen(self) -> Sighting:
        """What was seen last."""
        return Sighting(self.state, self.offset, self.origin, self.cause, self.tally, self.trace)

    def tie(self, entry: Entry) -> None:
        """The kernel says that the entry was moved here, wherever it was tied to before."""
        self.untie()
        if isinstance(entry.mover, Pending):
            entry.mover.untie()
        self.carries, entry.mover = entry, self

    def untie(self) -> None:
        """What is here is not, or no longer, a known file on its way."""
        if self.carries is not None:
            self.carries.mover = None
            self.carries = None

    @property
    def due_at(self) -> int:
        """Quiet for the debounce window, or the max hold."""
        quiet, held = self.last_at + self.windows.debounce, self.first_at + self.windows.max_hold
        return quiet if quiet < held else held

    @property
    def still_changing(self) -> bool:
        """At its deadline: due by the max hold and not by quiet."""
        return self.last_at + self.windows.debounce > self.first_at + self.windows.max_hold


class Settle:
    """All pending paths of a lane. `ended`: told of accounts that have nothing pending any more."""

    def __init__(self, deadlines: Deadlines[Pending], ended: list[Tally]) -> None:
        self._deadlines = deadlines
        self._ended = ended
        self._pending: dict[Place, Pending] = {}

    def __len__(self) -> int:
        return len(self._pending)

    def __iter__(self) -> Iterator[Pending]:
        return iter(self._pending.values())

    def get(self, place: Place) -> Pending | None:
        """What is pending at a place."""
        return self._pending.get(place)

    def touch(self, place: Place, seen: Sighting, now: int, windows: Windows) -> Pending:
        """Take in an observation of a path."""
        pending = self._pending.get(place)
        if pending is None:
            pending = self._pending[place] = Pending(
                place, seen.state, seen.offset, seen.origin, seen.cause, seen.tally, seen.trace, now, now, windows
            )
            if seen.tally is not None:
                seen.tally.outstanding += 1
            self._deadlines.set(pending, pending.due_at)
            return pending
        pending.offset = seen.offset
        pending.trace = seen.trace
        if seen.tally is not None:
            self._leave(pending)
            pending.tally = seen.tally
            seen.tally.outstanding += 1
        if not same_sight(pending.state, seen.state):
            _change(pending, seen)
            pending.last_at = now
            pending.deadline = pending.due_at
        return pending

    def take(self, pending: Pending) -> None:
        """It has settled (or is settled early): no longer pending."""
        del self._pending[pending.place]
        pending.deadline = None
        self._leave(pending)

    def due(self, pending: Pending) -> Literal["settled", "unsettled"]:
        """Its deadline has come. `settled`: taken out; `unsettled`: its hold begins anew at the deadline."""
        state = pending.state
        writing = state is not None and state.type == "file" and state.size > 0 and pending.carries is None
        if writing and pending.still_changing:
            assert pending.deadline is not None
            pending.first_at = pending.deadline
            self._deadlines.set(pending, pending.due_at)
            return "unsettled"
        self.take(pending)
        return "settled"

    def rekey(self, pending: Pending, place: Place) -> None:
        """Its directory moved: same pending path, another place. What was pending there is outdated."""
        del self._pending[pending.place]
        self.drop(place)
        pending.place = place
        self._pending[place] = pending

    def drop(self, place: Place) -> None:
        """Forget what is pending at a place, if anything is."""
        pending = self._pending.get(place)
        if pending is not None:
            pending.untie()
            self.take(pending)

    def _leave(self, pending: Pending) -> None:
        if pending.tally is not None:
            pending.tally.left(self._ended)


def same_sight(a: FileState | None, b: FileState | None) -> bool:
    """Size, mtime and identity agree (of directories: the type)."""
    if a is None or b is None:
        return a is b
    return a.type == b.type and (
        a.type == "dir" or (a.size == b.size and a.mtime_ns == b.mtime_ns and a.inode == b.inode)
    )


def _change(pending: Pending, seen: Sighting) -> None:
    before, after = pending.state, seen.state
    if before is None or after is None or before.inode != after.inode:
        pending.untie()  # another file than the one that was moved here
    pending.state = after
    pending.fingerprint = None
    pending.origin = seen.origin
    pending.cause = seen.cause
