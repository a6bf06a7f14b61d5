"""What a back-end offers: to open a root and read it as it is now, and to watch it for changes.

Reading is the truth, watching only says where to read. A back-end may miss changes, and then reports that and where; it
never reports what it has not seen, and never passes on a root that is gone as an empty one. Paths are relative to the root,
`/` between components, `""` the root itself, bytes that are not UTF-8 as surrogates. All of it may block, and is used by one
thread at a time (the root's); `Backend.open` also by the one that reads whole files, each with the tree that it opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, Self

from producer.core.facts import Print
from producer.core.normalise import Event
from schemas.raw import FileState, RootIdentity


class Backend(Protocol):
    """One root, reached in one way. `reports_all`: its watch reports every change where it watches; if not, directories that
    changed lately are listed again (`producer.core.activity`)."""

    reports_all: bool

    def open(self) -> Tree:
        """Open what is at the root's path now, for one access. Raises RootFault where nothing is there, or nothing that can
        be listed."""

    def mounts(self) -> Mapping[str, RootIdentity]:
        """File systems mounted below the root now, by path. Raises nothing: what cannot be read is left out."""

    def watch(self, wake: Callable[[], None]) -> Watch:
        """Start to watch; no directory is watched yet. `wake` is called from any thread when there may be something
        to drain. Raises WatchUnavailable: then the root is scanned instead."""

    def close(self) -> None:
        """Release what is kept between two accesses; the next one creates it again. Raises nothing."""


class Tree(Protocol):
    """An open root: every access through it goes to the directory that was opened, wherever its path leads by then.
    Symbolic links are entries like others and never followed. To be closed (as a context) after one access, because an open
    root keeps its mount busy."""

    @property
    def identity(self) -> RootIdentity:
        """What distinguishes this root from another one at the same place."""

    @property
    def is_empty(self) -> bool:
        """True when the root had no entry when it was opened."""

    def stat(self, path: str) -> FileState | None:
        """The state of the path; None: nothing is there. Raises Unreadable where that cannot be determined, RootFault where
        the root itself is lost meanwhile."""

    def entries(self, path: str) -> list[tuple[str, FileState]] | None:
        """Names and states of a directory's entries, without those that vanish meanwhile; None: no directory is
        there. Raises Unreadable, and then nothing may be recorded for any entry, and RootFault."""

    def fingerprint(self, path: str, seen: FileState) -> Print | None:
        """The fingerprint of a regular file that could be read and has the content (`schemas.identity`) after that which was
        `seen` before; else None. It has an MD5 where the whole content was read for it and reading that again would cost
        more than the sum. Raises nothing."""

    def piece(self, path: str, start: int, length: int) -> tuple[FileState, bytes] | None:
        """Up to `length` bytes of a regular file from `start` on, none only at its end, and the file's state, the same
        before and after the reading; else None. Raises nothing."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...


@dataclass(frozen=True, slots=True)
class Missed:
    """Changes below `subtree` may not have been reported. `is_dead`: this watch will report nothing more."""

    cause: str
    subtree: str = ""
    is_dead: bool = False


@dataclass(frozen=True, slots=True)
class Drained:
    """What was reported since the last call. `missed`: changes may be missing; `suspect`: the root itself was moved or
    deleted, or something was unmounted, so that identities are to be verified before anything is recorded."""

    events: tuple[Event, ...] = ()
    missed: Missed | None = None
    suspect: bool = False


@dataclass(frozen=True, slots=True)
class PollingStats:
    """How a watch polls: `hot` directories, which changed lately, often, `cold` ones rarely; `per_second`: looks at
    directories and entries, lately; `unseen_seconds`: the longest time for which a change may remain unseen at present."""

    hot: int
    cold: int
    per_second: float
    unseen_seconds: float


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many directories are watched and how many are not for lack of room; `limit` names the setting of the machine or
    server that an operator can raise. `how` and `why`: the way of watching, and the reason for it; `polling`: of a watch
    that polls."""

    watched: int
    unwatched: int
    limit: str
    how: str = ""
    why: str = ""
    polling: PollingStats | None = None


class Watch(Protocol):
    """Watches on directories, not recursive: the caller adds each directory before listing it, so that no change falls in
    between. (Where one watch covers the whole tree, adding a directory says that its events are wanted.) A directory that
    appears, or may have, is to be walked again, with all below it: until then what happens in it may not be reported."""

    @property
    def coverage(self) -> Coverage:
        """How much is watched now."""

    def add(self, path: str) -> None:
        """Watch a directory; beyond the limit it is counted as unwatched. One that is gone or unreadable is neither, which
        is noticed when it is listed. Raises nothing."""

    def remove(self, path: str) -> None:
        """Stop watching a directory and everything below it."""

    def drain(self, now: float) -> Drained:
        """Events in their order; both halves of a move are one event, and what follows a directory's move is reported under
        its new name. A watch that polls reports directories that changed, and nothing else. `now` in seconds, monotonic.
        Raises nothing: failures are `missed`."""

    def next_due(self) -> float | None:
        """When there is something to drain without a further call of `wake`."""

    def close(self) -> None:
        """Stop watching."""
