"""What was found at paths, before it is compared with the index: passed from the readers (events, scans) to the only writer
(the journal).

A fact is level-triggered: it gives the present state, and comparing it with the index makes a record of it or nothing, so a
repeated fact is harmless. What a scan makes of each entry is a struct, which costs a tenth of a frozen dataclass."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import Struct

from schemas.identity import same_content
from schemas.raw import Counts, FileState


class Print(Struct, frozen=True):
    """A fingerprint and the identity that the file had before and after it was read. `xxh3`: 32 hex digits; `md5`: as many,
    of the whole content, where that was read."""

    size: int
    mtime_ns: int
    inode: int
    xxh3: str
    md5: str | None = None

    def of(self, state: FileState) -> bool:
        """True when it belongs to the file in that state."""
        return same_content(self, state)


class There(Struct, frozen=True):
    """Something is at `path`; `print` is its content's, where it was worth reading. `another`: it may be new at its
    place, so a directory is listed even where nothing differs."""

    path: str
    state: FileState
    print: Print | None = None
    another: bool = False


@dataclass(frozen=True, slots=True)
class Gone:
    """Nothing observed is at `path` any more, nor below it. `cause`: why, where it is not a plain deletion."""

    path: str
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """What was at `source` was moved to `path`, where `state` is now and `left` is what is at `source` now. `fresh`: what
    was known at `source` need not be what moved, so it counts as moved only where it is the same as what is seen now."""

    source: str
    path: str
    state: FileState | None
    left: FileState | None
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Swapped:
    """What was at `one` is at `other` now, and the other way round; both states are the present ones."""

    one: str
    other: str
    at_one: FileState
    at_other: FileState


Fact = There | Gone | Moved | Swapped


class IndexEntry(Struct, frozen=True):
    """The index's entry for a path: exactly what was last written to the outbox."""

    path: str
    state: FileState
    xxh3: str | None = None
    md5: str | None = None


@dataclass(slots=True)
class Sums:
    """Numbers of the records that facts resulted in. `there`: those that name something that is there."""

    added: int = 0
    changed: int = 0
    moved: int = 0
    gone: int = 0
    there: int = 0

    def plus(self, other: Sums) -> Sums:
        """Both together."""
        return Sums(
            self.added + other.added,
            self.changed + other.changed,
            self.moved + other.moved,
            self.gone + other.gone,
            self.there + other.there,
        )

    def counts(self) -> Counts:
        """In the form that records carry."""
        return Counts(self.added, self.changed, self.moved, self.gone)
