"""What the producer needs of the world, as protocols: files, watches, the log, time, and named points at which a
test may end the process. Each has one real implementation and a fake that passes the same contract suite."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, Self

from producer.core.facts import Print
from producer.core.normalise import Event
from schemas.raw import FileState, RootIdentity

Point = Literal["before_send", "after_send", "after_ack", "after_outbox_delete", "after_journal_commit"]
Points = Callable[[Point], None]


def no_points(_point: Point) -> None:
    """Nothing happens at any point."""


class Tree(Protocol):
    """One root, opened: every look through it goes to the directory that was opened, wherever its path leads
    by then. Paths are relative to the root, `""` the root itself."""

    @property
    def identity(self) -> RootIdentity: ...

    def state(self, path: str) -> FileState | None:
        """What is at the path; symlinks are not followed. None: nothing. Raises Unreadable."""

    def listing(self, path: str) -> list[tuple[str, FileState]] | None:
        """Names and states of a directory's entries; None: no directory is there. Raises Unreadable."""

    def fingerprint(self, path: str) -> Print | None:
        """Of a regular file that was the same before and after it was read; else None. Raises nothing."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...


class Files(Protocol):
    """A root's place in the world."""

    def open(self) -> Tree:
        """Open what stands at the root's path now. Raises RootFault when nothing can be opened."""

    def is_empty(self) -> bool:
        """True when the directory at the root's path has no entry."""


@dataclass(frozen=True, slots=True)
class Drained:
    """What the kernel reported since the last time. `lost`: why events are missing, if any are; `suspect`: the
    root itself was moved, deleted or unmounted, so its identity is to be checked before anything is believed."""

    events: tuple[Event, ...] = ()
    lost: str | None = None
    suspect: bool = False


class Watch(Protocol):
    """Watches on directories, not recursive: whoever walks adds one before listing each directory."""

    @property
    def watched(self) -> int: ...

    @property
    def unwatched(self) -> frozenset[str]:
        """Directories beyond the limit."""

    def add(self, path: str) -> None:
        """Watch a directory; beyond the limit, or where it cannot be, it is counted as unwatched."""

    def remove(self, path: str) -> None:
        """Watch a directory and everything below it no longer."""

    def drain(self, now: float) -> Drained:
        """Events in the kernel's order; the halves of a move are one. `now` in seconds, monotonic."""

    def next_due(self) -> float | None:
        """When a half of a move that waits for the other will be given up."""

    def close(self) -> None:
        """Remove all watches."""


class Log(Protocol):
    """Where the sender writes."""

    async def append(self, lane: int, key: bytes, records: Sequence[Outgoing]) -> None:
        """Append in order and return when all are in the log. Raises LogUnavailable: any number of the first
        ones may be in it, so all are to be given again."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A row of the outbox: the bytes that are sent, each time the same."""

    seq: int
    kind: str
    value: bytes


class Clock(Protocol):
    """Time. `now_iso` is carried in records and decides nothing."""

    def monotonic(self) -> float: ...
    def now_iso(self) -> str: ...
