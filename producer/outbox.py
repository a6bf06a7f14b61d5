"""The outbox: records of a root in the order of their `seq`, from the transaction that wrote them until Kafka has
acknowledged them.

`seq` is dense per (root, epoch) and assigned here, once; a record is encoded here, once, so that a repeated send has the
same bytes."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from producer.core.facts import Print
from producer.database import Database
from producer.ports import Clock, Outgoing
from producer.settings import NAS_JUNK, RootSpec
from schemas import raw
from schemas.codec import encode
from schemas.paths import to_wire
from schemas.raw import Counts, FileState, Origin, RootIdentity

MAX_UNSEEN_BYTES = 8_192
"""Limit for the list of unreadable paths at the end of a scan (a record stays small); if they are more, the whole subtree
is given as unseen."""


@dataclass(frozen=True, slots=True)
class Via:
    """How something was observed: `scan` where an announced scan found it, `cause` where one is known."""

    origin: Origin
    scan: int | None = None
    cause: str | None = None


LIVE = Via("live")

TERM = "term"
"""Key of the single value with the term of the claim under which the outbox is written."""


_FORGET = "DELETE FROM outbox WHERE seq <= ? AND ? = (SELECT value FROM outbox WHERE seq = ?)"


class _Head(TypedDict):
    root: str
    epoch: str
    seq: int
    observed_at: str


class Outbox:
    """Writes records, each inside the caller's transaction: `begin` first, `end` last. Those of one transaction carry the
    same `observed_at`. `root`: its name; `epoch`: drawn when the outbox is created, and kept for its life."""

    def __init__(self, database: Database, root: str, clock: Clock) -> None:
        self._db = database
        self.root = root
        self._clock = clock
        with database.transaction():
            if database.get("epoch") is None:
                database.set("epoch", secrets.token_hex(8))
                database.set("next_seq", "1")
        self.epoch = database.get("epoch") or ""
        self._next = 0
        self._now = ""
        self._rows: list[tuple[int, str, bytes]] = []

    def begin(self) -> None:
        """Read the next `seq`: a transaction rolled back must not have used any."""
        self._next = int(self._db.get("next_seq") or 1)
        self._now = self._clock.now_iso()
        self._rows.clear()

    def end(self) -> None:
        """Insert the written records and store the next `seq`, which continues from there even when the outbox is empty."""
        self._db.insert("INSERT INTO outbox VALUES", self._rows)
        self._rows.clear()
        self._db.set("next_seq", str(self._next))

    def observed(self, path: str, file: FileState | None, via: Via) -> None:
        """What is at a path now, or that nothing is."""
        shown, b64 = to_wire(path)
        # without `_head`, here and below: a scan of many files makes one of each for each of them
        self._write(
            "observed",
            raw.Observed(
                root=self.root, epoch=self.epoch, seq=self._next, observed_at=self._now, path=shown, path_b64=b64,
                file=file, origin=via.origin, scan=via.scan, cause=via.cause,
            ),
        )  # fmt: skip

    def moved(self, source: str, path: str, file: FileState, via: Via) -> None:
        """What was at `source` is at `path`."""
        shown, b64 = to_wire(path)
        source_shown, source_b64 = to_wire(source)
        self._write(
            "moved",
            raw.Moved(
                **self._head(), path=shown, path_b64=b64, from_path=source_shown, from_path_b64=source_b64,
                file=file, origin=via.origin, scan=via.scan, cause=via.cause,
            ),
        )  # fmt: skip

    def fingerprint(self, path: str, print_: Print) -> None:
        """The fingerprint of what was just observed at a path."""
        shown, b64 = to_wire(path)
        self._write(
            "fingerprint",
            raw.Fingerprint(
                root=self.root, epoch=self.epoch, seq=self._next, observed_at=self._now, path=shown, path_b64=b64,
                size=print_.size, mtime_ns=print_.mtime_ns, inode=print_.inode, xxh3=print_.xxh3, md5=print_.md5,
            ),
        )  # fmt: skip

    def declared(self, spec: RootSpec, identity: RootIdentity | None) -> None:
        """The root's settings, the patterns that always apply included."""
        self._write(
            "root_declared",
            raw.RootDeclared(
                **self._head(), library=spec.library, site=spec.site, protocol=spec.protocol,
                location=spec.location, identity=identity, debounce_ms=spec.debounce_ms,
                max_hold_ms=spec.max_hold_ms, rename_window_ms=spec.rename_window_ms, include=spec.include,
                exclude=NAS_JUNK + spec.exclude, term=int(self._db.get(TERM) or 0),
            ),
        )  # fmt: skip

    def lost(self, cause: str) -> None:
        """The root cannot be observed."""
        self._write("root_lost", raw.RootLost(**self._head(), cause=cause))

    def back(self, cause: str) -> None:
        """The root can be observed again."""
        self._write("root_back", raw.RootBack(**self._head(), cause=cause))

    def gap_open(self, cause: str, subtree: str) -> None:
        """Observations below a directory may be missing from here on."""
        shown, b64 = to_wire(subtree)
        self._write("gap_open", raw.GapOpen(**self._head(), cause=cause, subtree=shown, subtree_b64=b64))

    def gap_closed(self, cause: str, subtree: str, counts: Counts) -> None:
        """A scan has made up for a gap."""
        shown, b64 = to_wire(subtree)
        self._write(
            "gap_closed",
            raw.GapClosed(**self._head(), cause=cause, subtree=shown, subtree_b64=b64, counts=counts),
        )

    def scan_started(self, number: int, origin: Origin, cause: str, subtree: str) -> None:
        """A scan of a directory and all below it begins."""
        shown, b64 = to_wire(subtree)
        self._write(
            "scan_started",
            raw.ScanStarted(
                **self._head(), scan=number, origin=origin, cause=cause, subtree=shown, subtree_b64=b64
            ),
        )

    def scan_finished(
        self, number: int, origin: Origin, cause: str, subtree: str, *, total: int, counts: Counts,
        unseen: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """A scan is complete. `total`: of its records, those naming something that is there; `unseen`: paths that could
        not be read."""
        if sum(len(os.fsencode(path)) for path in unseen) > MAX_UNSEEN_BYTES:
            unseen = (subtree,)
        shown, b64 = to_wire(subtree)
        self._write(
            "scan_finished",
            raw.ScanFinished(
                **self._head(), scan=number, origin=origin, cause=cause, total=total, counts=counts, subtree=shown,
                subtree_b64=b64, unseen=tuple(raw.Unseen(*to_wire(path)) for path in unseen),
            ),
        )  # fmt: skip

    def _head(self) -> _Head:
        return {"root": self.root, "epoch": self.epoch, "seq": self._next, "observed_at": self._now}

    def _write(self, kind: str, record: raw.ProducerRecord) -> None:
        self._rows.append((self._next, kind, encode(record)))
        self._next += 1


class Unsent:
    """The sender's view of an outbox, with a connection of its own. Its deletions need not survive a power cut: rows that
    reappear are sent again, the same."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def first(self, count: int) -> list[Outgoing]:
        """The oldest rows, in order."""
        rows = self._db.execute("SELECT seq, kind, value FROM outbox ORDER BY seq LIMIT ?", (count,))
        return [Outgoing(*row) for row in rows]

    def forget(self, last: Outgoing) -> None:
        """Delete the rows up to this one: Kafka has acknowledged them. Where another row has its `seq` by now, the outbox
        has started over while it was being sent, and nothing is deleted."""
        self._db.execute(_FORGET, (last.seq, last.value, last.seq))


def depth(database: Database) -> int:
    """How many rows wait. `seq` is dense, so no counting is needed."""
    row = database.execute("SELECT (SELECT min(seq) FROM outbox), (SELECT max(seq) FROM outbox)").fetchone()
    low, high = row
    return 0 if low is None else high - low + 1
