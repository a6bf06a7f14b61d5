"""File systems mounted below a root, identified like roots.

Each is stored with its identity. One that is no longer mounted, or in whose place another one is, is lost: observations at
its place and below it are discarded until it is back, or until an operator requests a scan of that directory. One that
appears is part of the root."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from producer.core.facts import Fact, Gone, Moved, Swapped, There
from producer.database import Database
from schemas.codec import Codec, encode
from schemas.identity import same_root
from schemas.paths import is_inside
from schemas.raw import RootIdentity

UNMOUNTED = "unmounted"
"""Cause of the gap below a file system that is lost."""

MOUNTED = "mounted"
"""Cause of the scan of one that appears, or is back."""

_identity: Codec[RootIdentity] = Codec(RootIdentity)


@dataclass(frozen=True, slots=True)
class MountChange:
    """What happened to the file system at `path`. `renumbered`: old and new device number, where they differ."""

    path: str
    became: Literal["there", "back", "lost"]
    renumbered: tuple[int, int] | None = None


class Mounts:
    """Those of one root. Changes are written in the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database
        rows = database.execute("SELECT path, identity, lost FROM mount").fetchall()
        self._known = {os.fsdecode(path): _identity.decode(identity) for path, identity, _ in rows}
        self._lost = {os.fsdecode(path) for path, _, lost in rows if lost}

    @property
    def lost(self) -> tuple[str, ...]:
        """The paths where one is missing."""
        return tuple(sorted(self._lost))

    def is_lost(self, path: str) -> bool:
        """True if the path is on a file system that is missing, its mount point included."""
        return bool(self._lost) and any(is_inside(path, lost) for lost in self._lost)

    def compare(self, now: Mapping[str, RootIdentity]) -> list[MountChange]:
        """The changes since the last time; changes nothing."""
        changes = [MountChange(path, "there") for path in now if path not in self._known]
        for path, known in self._known.items():
            seen = now.get(path)
            if seen is None or not same_root(known, seen):
                changes += [] if path in self._lost else [MountChange(path, "lost")]
            elif path in self._lost:
                changes.append(MountChange(path, "back", (known.dev, seen.dev) if known.dev != seen.dev else None))
        return changes

    def remember(self, change: MountChange, now: Mapping[str, RootIdentity]) -> None:
        """Store a change that has been handled."""
        match change.became:
            case "lost":
                self._lost.add(change.path)
            case "there" | "back":
                self._lost.discard(change.path)
                self._known[change.path] = now[change.path]
        row = os.fsencode(change.path), encode(self._known[change.path]), change.path in self._lost
        self._db.execute("INSERT OR REPLACE INTO mount VALUES (?, ?, ?)", row)

    def forget(self, directory: str) -> None:
        """Forget the lost ones at or below a directory for good: what is there now counts."""
        for path in [lost for lost in self._lost if is_inside(lost, directory)]:
            self._lost.discard(path)
            del self._known[path]
            self._db.execute("DELETE FROM mount WHERE path = ?", (os.fsencode(path),))

    def concern(self, facts: Sequence[Fact]) -> bool:
        """True when facts are about a file system that is not known to be lost, so that it is to be checked first."""
        present = self._known.keys() - self._lost
        return bool(present) and any(_touches(fact, path) for fact in facts for path in present)

    def without_lost(self, facts: Sequence[Fact]) -> Sequence[Fact]:
        """The facts without those about a file system that is lost."""
        if not self._lost:
            return facts
        return [fact for fact in facts if not any(_touches(fact, path) for path in self._lost)]


def _touches(fact: Fact, mount: str) -> bool:
    match fact:
        case There(path):
            return is_inside(path, mount)
        case Gone(path):
            return is_inside(path, mount) or is_inside(mount, path)
        case Moved(source, path):
            return is_inside(source, mount) or is_inside(path, mount)
        case Swapped(one, other):
            return is_inside(one, mount) or is_inside(other, mount)
