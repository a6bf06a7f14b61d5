"""What a back-end offers: to open a root and look at it as it is now, and to watch it for what changes.

Looking is the truth, watching only says where to look. A back-end may miss changes, and then says so and where; it
never reports what it has not seen, and an empty answer of a root that is gone is never passed on as an empty root.
Paths are relative to the root, `/` between components, `""` the root itself, bytes that are not UTF-8 as surrogates.
All of it may block, and is used by one thread at a time (the root's); `Backend.open` also by the one that reads whole
files, each with the tree that it opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, Self

from producer.core.facts import Print
from producer.core.normalise import Event
from schemas.raw import FileState, RootIdentity


class Backend(Protocol):
    """One root, reached in one way. `tells_all`: its watch tells of all that happens where it is watched; where it does
    not, what was lately found different is looked at again (`producer.core.activity`)."""

    tells_all: bool

    def open(self) -> Tree:
        """Open what stands at the root's place now, for one look. Raises RootFault where nothing is there, or
        nothing that can be listed."""

    def mounts(self) -> Mapping[str, RootIdentity]:
        """File systems mounted below the root now, by path. Raises nothing: what cannot be looked at is not there."""

    def watch(self, woken: Callable[[], None]) -> Watch:
        """Begin to watch; no directory is watched yet. `woken` is called from any thread when there may be something
        to drain. Raises WatchUnavailable: then the root is scanned instead."""

    def close(self) -> None:
        """Let go of whatever is kept between two looks; the next look makes it anew. Raises nothing."""


class Tree(Protocol):
    """A root, opened: every look through it goes to the directory that was opened, wherever its path leads by then.
    Symbolic links are entries like others and never followed. Left (as a context) after one look, because an open
    root keeps its mount busy."""

    @property
    def identity(self) -> RootIdentity:
        """What tells this root from another one at the same place."""

    @property
    def is_empty(self) -> bool:
        """True when the root had no entry when it was opened."""

    def stat(self, path: str) -> FileState | None:
        """What is at the path; None: nothing. Raises Unreadable where that cannot be said, RootFault where the root itself
        is lost meanwhile."""

    def entries(self, path: str) -> list[tuple[str, FileState]] | None:
        """Names and states of a directory's entries, without those that vanish meanwhile; None: no directory is
        there. Raises Unreadable, and then nothing may be said of any entry, and RootFault."""

    def fingerprint(self, path: str) -> Print | None:
        """Of a regular file that could be read and was the same before and after; else None. Its MD5 is beside it where the
        whole content was read for it and reading that again would cost more than the sum. Raises nothing."""

    def piece(self, path: str, start: int, length: int) -> tuple[FileState, bytes] | None:
        """Up to `length` bytes of a regular file from `start` on, none only at its end, and the file's state, the same
        before and after they were read; else None. Raises nothing."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...


@dataclass(frozen=True, slots=True)
class Missed:
    """Changes below `subtree` may not have been reported. `is_dead`: nor will any be again by this watch."""

    cause: str
    subtree: str = ""
    is_dead: bool = False


@dataclass(frozen=True, slots=True)
class Drained:
    """What was reported since the last time. `missed`: whether that may be less than what happened; `suspect`: the
    root itself was moved or deleted, or something was unmounted, so that identities are to be checked before anything
    is believed."""

    events: tuple[Event, ...] = ()
    missed: Missed | None = None
    suspect: bool = False


@dataclass(frozen=True, slots=True)
class Looking:
    """How a watch looks for itself: at `hot` directories, that changed lately, often, at `cold` ones rarely; `per_second`:
    looks at directories and entries, of late; `unseen_seconds`: the longest that something may have come or gone without
    being seen, as things stand."""

    hot: int
    cold: int
    per_second: float
    unseen_seconds: float


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many directories are watched and how many are not for want of room; `limit` names the setting of the
    machine or server that an operator can raise. `how` and `why`: what watches, and why that; `looking`: of a watch that
    looks for itself."""

    watched: int
    unwatched: int
    limit: str
    how: str = ""
    why: str = ""
    looking: Looking | None = None


class Watch(Protocol):
    """Watches on directories, not recursive: whoever walks adds one before listing each directory, so that nothing
    can come between. (Where one watch is on the whole tree, adding a directory says that its events are wanted.) A
    directory that appears, or may have, is to be walked anew, with all below it: until then what happens in it may not
    be reported."""

    @property
    def coverage(self) -> Coverage:
        """How much is watched now."""

    def add(self, path: str) -> None:
        """Watch a directory; beyond the limit it is counted as unwatched. One that is gone or unreadable is neither:
        whoever lists it finds out. Raises nothing."""

    def remove(self, path: str) -> None:
        """Watch a directory and everything below it no longer."""

    def drain(self, now: float) -> Drained:
        """Events in their order; both halves of a move are one, and what follows a directory's move is reported under
        its new name. A watch that looks for itself tells of directories that changed, and of nothing else. `now` in
        seconds, monotonic. Raises nothing: what goes wrong is `missed`."""

    def next_due(self) -> float | None:
        """When there is something to drain without a further call of `woken`."""

    def close(self) -> None:
        """Watch nothing any more."""
