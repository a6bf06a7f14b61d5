"""What a root's thread remembers across restarts beside index and outbox: who the root is, whether it is lost,
whether its baseline was ever completed, scan numbers, the scans that are to be finished, the gaps that have been told and
not yet healed, whether it is paused, and how far operators' commands were read and which were carried out."""

from __future__ import annotations

import os
from dataclasses import astuple, dataclass

from producer.core.facts import Sums
from producer.database import Database
from producer.errors import LibraryChanged
from producer.orders import Order
from producer.outbox import TERM
from schemas.admin import Pause
from schemas.codec import Codec, encode
from schemas.paths import is_inside
from schemas.raw import Origin, RootIdentity

COMMANDS_READ = "commands_read"
COMMANDS_KEPT = 1_000
"""Ids of commands remembered; more than operators issue while the topic keeps them."""

_BEGIN_ANEW = "UPDATE scan SET number = NULL, added = 0, changed = 0, moved = 0, gone = 0, there = 0"
_BEGUN = """
INSERT INTO scan (command, origin, cause, subtree, number) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (command) DO UPDATE SET origin = excluded.origin, cause = excluded.cause, subtree = excluded.subtree,
    number = excluded.number
"""
_CAME_TO = "UPDATE scan SET added = ?, changed = ?, moved = ?, gone = ?, there = ? WHERE number = ?"
_WANTED = (
    "SELECT origin, cause, subtree, command, number, added, changed, moved, gone, there FROM scan ORDER BY id"
)
_FORGET = "DELETE FROM command WHERE rowid <= (SELECT max(rowid) FROM command) - ?"
_identity: Codec[RootIdentity] = Codec(RootIdentity)


PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Begun:
    """A scan that has been announced under `number`."""

    number: int
    sums: Sums


@dataclass(frozen=True, slots=True)
class Wanted:
    """A scan of a directory (the whole root) is wanted. `command`: id of the one that wants it, if one does; `begun`: it was
    announced, and has not been completed."""

    origin: Origin
    cause: str
    subtree: str = ""
    command: str | None = None
    begun: Begun | None = None

    def covers(self, other: Wanted) -> bool:
        """True when this one does for the other as well; what an operator wants is done for itself."""
        return self.command == other.command and is_inside(other.subtree, self.subtree)


@dataclass(frozen=True, slots=True)
class OpenGap:
    """A gap that is open below `subtree`. Numbers rise."""

    number: int
    cause: str
    subtree: str


class Memory:
    """Single values of one root; changed inside the journal's transactions."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def claim(self, root: str, library: str) -> None:
        """The outbox belongs to this library, for good. Raises LibraryChanged."""
        with self._db.transaction():
            before = self._db.get("library")
            if before is None:
                self._db.set("library", library)
            elif before != library:
                raise LibraryChanged(root, before, library)

    @property
    def identity(self) -> RootIdentity | None:
        """The root's, once it has been seen."""
        stored = self._db.get("identity")
        return None if stored is None else _identity.decode(stored.encode())

    def adopt(self, identity: RootIdentity) -> None:
        """This is the root."""
        self._db.set("identity", encode(identity).decode())

    @property
    def is_lost(self) -> bool:
        """`root_lost` was told and `root_back` was not."""
        return self._db.get("lost") == "1"

    def set_lost(self, lost: bool) -> None:
        """Remember what was told."""
        self._db.set("lost", "1" if lost else "0")

    @property
    def has_baseline(self) -> bool:
        """A baseline scan has been completed in this epoch."""
        return self._db.get("baseline") == "1"

    def set_baseline(self) -> None:
        """It has."""
        self._db.set("baseline", "1")

    def take_scan_number(self) -> int:
        """The next one; they rise within the epoch."""
        number = int(self._db.get("next_scan") or 1)
        self._db.set("next_scan", str(number + 1))
        return number

    def want_scan(self, command: str, cause: str, subtree: str, origin: Origin = "scan") -> None:
        """A command wants a scan: it is to be finished however often this process ends before."""
        self._db.execute(
            "INSERT OR IGNORE INTO scan (command, origin, cause, subtree) VALUES (?, ?, ?, ?)",
            (command, origin, cause, os.fsencode(subtree)),
        )

    def scan_begun(self, number: int, scan: Wanted) -> None:
        """It has been announced; what was announced before it is superseded."""
        self._db.execute("DELETE FROM scan WHERE command IS NULL")
        self._db.execute(_BEGIN_ANEW)
        row = (scan.command, scan.origin, scan.cause, os.fsencode(scan.subtree), number)
        self._db.execute(_BEGUN, row)

    def scan_came_to(self, number: int, sums: Sums) -> None:
        """Of the records of it that have been written."""
        self._db.execute(_CAME_TO, (*astuple(sums), number))

    def scan_ended(self, number: int) -> None:
        """It is complete."""
        self._db.execute("DELETE FROM scan WHERE number = ?", (number,))

    def wanted(self) -> list[Wanted]:
        """The scans that are to be finished, in the order in which they were wanted."""
        return [_wanted(*row) for row in self._db.execute(_WANTED)]

    @property
    def paused(self) -> Pause | None:
        """What operators have asked to pause."""
        return paused(self._db)

    def pause(self, what: Pause | None) -> None:
        """Remember it."""
        self._db.set(PAUSED, what or "")

    def gaps(self) -> list[OpenGap]:
        """Those open, oldest first."""
        rows = self._db.execute("SELECT id, cause, subtree FROM gap ORDER BY id")
        return [OpenGap(number, cause, os.fsdecode(subtree)) for number, cause, subtree in rows]

    def open_gap(self, cause: str, subtree: str) -> None:
        """It has been told."""
        self._db.execute("INSERT INTO gap (cause, subtree) VALUES (?, ?)", (cause, os.fsencode(subtree)))

    def close_gap(self, gap: OpenGap) -> None:
        """It has been told to be healed."""
        self._db.execute("DELETE FROM gap WHERE id = ?", (gap.number,))

    def was_carried_out(self, id: str) -> bool:
        """A command of this id was."""
        return self._db.execute("SELECT 1 FROM command WHERE id = ?", (id,)).fetchone() is not None

    def forget_all(self, order: Order) -> None:
        """Nothing that is known of the root holds any more: it begins anew, with another epoch. What operators asked
        and whose outbox it is stays. The outbox is empty."""
        forget_root(self._db)
        self.note(order)

    def note(self, order: Order) -> None:
        """The order has been seen to."""
        self._db.set(COMMANDS_READ, str(order.next_offset))
        if order.command is not None:
            self._db.execute("INSERT OR IGNORE INTO command VALUES (?)", (order.command.id,))
            self._db.execute(_FORGET, (COMMANDS_KEPT,))


def forget_root(database: Database) -> None:
    """Inside a transaction: what was observed and told of the root, and its epoch."""
    database.execute("DELETE FROM entry")
    database.execute("DELETE FROM gap")
    database.execute("DELETE FROM outbox")
    database.execute("DELETE FROM scan WHERE command IS NULL")
    database.execute(_BEGIN_ANEW)
    database.execute("DELETE FROM value WHERE key NOT IN ('library', ?, ?)", (COMMANDS_READ, TERM))


def paused(database: Database) -> Pause | None:
    """What of the root is paused."""
    stored = database.get(PAUSED)
    return "root" if stored == "root" else "scans" if stored == "scans" else None


def commands_read(database: Database) -> int | None:
    """The next offset of the control topic; None while it was never read for this root."""
    stored = database.get(COMMANDS_READ)
    return None if stored is None else int(stored)


def _wanted(
    origin: Origin, cause: str, subtree: bytes, command: str | None, number: int | None, *sums: int
) -> Wanted:
    begun = None if number is None else Begun(number, Sums(*sums))
    return Wanted(origin, cause, os.fsdecode(subtree), command, begun)
