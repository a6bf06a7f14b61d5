"""File systems mounted below a root, told apart like roots.

Each is remembered with its identity. One that is no longer there, or in whose place another one is, is lost: of its
place, and of everything below it, nothing is believed until it is back, or until an operator asks for a scan of that
directory. One that appears is part of the root."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from producer.core.facts import Carried, Fact, Gone, Swapped, There
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
    """What became of the file system at `path`. `renumbered`: device number before and now, where it is another."""

    path: str
    became: Literal["there", "back", "lost"]
    renumbered: tuple[int, int] | None = None


class Mounts:
    """Those of one root. What it remembers is written in the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database
        rows = database.execute("SELECT path, identity, lost FROM mount").fetchall()
        self._known = {os.fsdecode(path): _identity.decode(identity) for path, identity, _ in rows}
        self._lost = {os.fsdecode(path) for path, _, lost in rows if lost}

    @property
    def lost(self) -> tuple[str, ...]:
        """Where one is missing."""
        return tuple(sorted(self._lost))

    def is_lost(self, path: str) -> bool:
        """True of a path at or below which a file system is missing, that of the path itself included."""
        return bool(self._lost) and any(is_inside(path, lost) for lost in self._lost)

    def compare(self, now: Mapping[str, RootIdentity]) -> list[MountChange]:
        """What has become of them, changing nothing."""
        changes = [MountChange(path, "there") for path in now if path not in self._known]
        for path, known in self._known.items():
            seen = now.get(path)
            if seen is None or not same_root(known, seen):
                changes += [] if path in self._lost else [MountChange(path, "lost")]
            elif path in self._lost:
                changes.append(MountChange(path, "back", (known.dev, seen.dev) if known.dev != seen.dev else None))
        return changes

    def remember(self, change: MountChange, now: Mapping[str, RootIdentity]) -> None:
        """It has been told."""
        match change.became:
            case "lost":
                self._lost.add(change.path)
            case "there" | "back":
                self._lost.discard(change.path)
                self._known[change.path] = now[change.path]
        row = os.fsencode(change.path), encode(self._known[change.path]), change.path in self._lost
        self._db.execute("INSERT OR REPLACE INTO mount VALUES (?, ?, ?)", row)

    def forget(self, directory: str) -> None:
        """Those at or below a directory that are lost are so for good: what is there now is believed."""
        for path in [lost for lost in self._lost if is_inside(lost, directory)]:
            self._lost.discard(path)
            del self._known[path]
            self._db.execute("DELETE FROM mount WHERE path = ?", (os.fsencode(path),))

    def concern(self, facts: Sequence[Fact]) -> bool:
        """True when facts tell of what is on one that is not known to be lost, so that it is to be looked for first."""
        present = self._known.keys() - self._lost
        return bool(present) and any(_touches(fact, path) for fact in facts for path in present)

    def believed(self, facts: Sequence[Fact]) -> Sequence[Fact]:
        """The facts without those that tell of one that is lost."""
        if not self._lost:
            return facts
        return [fact for fact in facts if not any(_touches(fact, path) for path in self._lost)]


def _touches(fact: Fact, mount: str) -> bool:
    match fact:
        case There(path):
            return is_inside(path, mount)
        case Gone(path):
            return is_inside(path, mount) or is_inside(mount, path)
        case Carried(source, path):
            return is_inside(source, mount) or is_inside(path, mount)
        case Swapped(one, other):
            return is_inside(one, mount) or is_inside(other, mount)
