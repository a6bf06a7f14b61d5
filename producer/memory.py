"""What a root's thread remembers across restarts beside index and outbox: the root's identity, whether it is lost, whether
its baseline was ever completed, scan numbers, the scans to be finished, the gaps that have been recorded and not yet
closed, whether it is paused, and which operators' commands were read and carried out."""

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
"""Ids of commands stored; more than operators issue within the topic's retention."""

_RESTART_SCANS = "UPDATE scan SET number = NULL, added = 0, changed = 0, moved = 0, gone = 0, there = 0"
_SCAN_STARTED = """
INSERT INTO scan (command, origin, cause, subtree, number) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (command) DO UPDATE SET origin = excluded.origin, cause = excluded.cause, subtree = excluded.subtree,
    number = excluded.number
"""
_SCAN_PROGRESSED = "UPDATE scan SET added = ?, changed = ?, moved = ?, gone = ?, there = ? WHERE number = ?"
_SCAN_REQUESTS = (
    "SELECT origin, cause, subtree, command, number, added, changed, moved, gone, there FROM scan ORDER BY id"
)
_FORGET = "DELETE FROM command WHERE rowid <= (SELECT max(rowid) FROM command) - ?"
_identity: Codec[RootIdentity] = Codec(RootIdentity)


PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class StartedScan:
    """A scan that has been announced under `number`."""

    number: int
    sums: Sums


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """A scan of a directory (`""`: the whole root) is requested. `command`: id of the command that requested it, if any;
    `started`: it was announced, and has not been completed."""

    origin: Origin
    cause: str
    subtree: str = ""
    command: str | None = None
    started: StartedScan | None = None

    def covers(self, other: ScanRequest) -> bool:
        """True when this scan makes the other one unnecessary. A scan requested by a command is run for that command."""
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
        """Bind the outbox to this library, for good. Raises LibraryChanged."""
        with self._db.transaction():
            before = self._db.get("library")
            if before is None:
                self._db.set("library", library)
            elif before != library:
                raise LibraryChanged(root, before, library)

    @property
    def identity(self) -> RootIdentity | None:
        """The root's identity, once it has been seen."""
        stored = self._db.get("identity")
        return None if stored is None else _identity.decode(stored.encode())

    def adopt(self, identity: RootIdentity) -> None:
        """Store the root's identity."""
        self._db.set("identity", encode(identity).decode())

    @property
    def is_lost(self) -> bool:
        """`root_lost` was recorded and `root_back` was not."""
        return self._db.get("lost") == "1"

    def set_lost(self, lost: bool) -> None:
        """Store which of both was recorded last."""
        self._db.set("lost", "1" if lost else "0")

    @property
    def has_baseline(self) -> bool:
        """A baseline scan has been completed in this epoch."""
        return self._db.get("baseline") == "1"

    def set_baseline(self) -> None:
        """Store that it has."""
        self._db.set("baseline", "1")

    def take_scan_number(self) -> int:
        """The next one; they rise within the epoch."""
        number = int(self._db.get("next_scan") or 1)
        self._db.set("next_scan", str(number + 1))
        return number

    def request_scan(self, command: str, cause: str, subtree: str, origin: Origin = "scan") -> None:
        """Store the scan that a command requests: it will be finished, however often this process ends before."""
        self._db.execute(
            "INSERT OR IGNORE INTO scan (command, origin, cause, subtree) VALUES (?, ?, ?, ?)",
            (command, origin, cause, os.fsencode(subtree)),
        )

    def scan_started(self, number: int, scan: ScanRequest) -> None:
        """It has been announced; scans announced before it are superseded."""
        self._db.execute("DELETE FROM scan WHERE command IS NULL")
        self._db.execute(_RESTART_SCANS)
        row = (scan.command, scan.origin, scan.cause, os.fsencode(scan.subtree), number)
        self._db.execute(_SCAN_STARTED, row)

    def scan_progressed(self, number: int, sums: Sums) -> None:
        """Store the sums of the scan's records that have been written."""
        self._db.execute(_SCAN_PROGRESSED, (*astuple(sums), number))

    def scan_ended(self, number: int) -> None:
        """It is complete."""
        self._db.execute("DELETE FROM scan WHERE number = ?", (number,))

    def scan_requests(self) -> list[ScanRequest]:
        """The scans to be finished, in the order of the requests."""
        return [_scan_request(*row) for row in self._db.execute(_SCAN_REQUESTS)]

    @property
    def paused(self) -> Pause | None:
        """What operators have paused."""
        return paused(self._db)

    def pause(self, what: Pause | None) -> None:
        """Store what is paused."""
        self._db.set(PAUSED, what or "")

    def gaps(self) -> list[OpenGap]:
        """The open gaps, oldest first."""
        rows = self._db.execute("SELECT id, cause, subtree FROM gap ORDER BY id")
        return [OpenGap(number, cause, os.fsdecode(subtree)) for number, cause, subtree in rows]

    def open_gap(self, cause: str, subtree: str) -> None:
        """Store a gap that has been recorded as open."""
        self._db.execute("INSERT INTO gap (cause, subtree) VALUES (?, ?)", (cause, os.fsencode(subtree)))

    def close_gap(self, gap: OpenGap) -> None:
        """Delete a gap that has been recorded as closed."""
        self._db.execute("DELETE FROM gap WHERE id = ?", (gap.number,))

    def was_carried_out(self, id: str) -> bool:
        """A command with this id was carried out."""
        return self._db.execute("SELECT 1 FROM command WHERE id = ?", (id,)).fetchone() is not None

    def forget_all(self, order: Order) -> None:
        """Delete everything known of the root: it starts over, with a new epoch. The commands and the library of the outbox
        are kept. The outbox is empty."""
        forget_root(self._db)
        self.mark_handled(order)

    def mark_handled(self, order: Order) -> None:
        """The order has been handled."""
        self._db.set(COMMANDS_READ, str(order.next_offset))
        if order.command is not None:
            self._db.execute("INSERT OR IGNORE INTO command VALUES (?)", (order.command.id,))
            self._db.execute(_FORGET, (COMMANDS_KEPT,))


def forget_root(database: Database) -> None:
    """Inside a transaction: delete what was observed and recorded of the root, and its epoch."""
    database.execute("DELETE FROM entry")
    database.execute("DELETE FROM gap")
    database.execute("DELETE FROM outbox")
    database.execute("DELETE FROM scan WHERE command IS NULL")
    database.execute(_RESTART_SCANS)
    database.execute("DELETE FROM value WHERE key NOT IN ('library', ?, ?)", (COMMANDS_READ, TERM))


def paused(database: Database) -> Pause | None:
    """What is paused of the root."""
    stored = database.get(PAUSED)
    return "root" if stored == "root" else "scans" if stored == "scans" else None


def commands_read(database: Database) -> int | None:
    """The next offset of the control topic; None if it was never read for this root."""
    stored = database.get(COMMANDS_READ)
    return None if stored is None else int(stored)


def _scan_request(
    origin: Origin, cause: str, subtree: bytes, command: str | None, number: int | None, *sums: int
) -> ScanRequest:
    started = None if number is None else StartedScan(number, Sums(*sums))
    return ScanRequest(origin, cause, os.fsdecode(subtree), command, started)
