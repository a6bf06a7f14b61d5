"""Scans: their beginning and end, what passes from one to the next, and what a baseline found missing.

A scan that another one covers before it finished is superseded: what it still held passes to that one. At the
end of a baseline, known paths that were not observed are gone, if everything it announced arrived, the root is
the one that was known, and it could be read where they were.
"""

from __future__ import annotations

from typing import Literal

from schemas.changes import ScanChanged
from schemas.ids import scan_id
from schemas.paths import display, from_wire, is_inside
from schemas.raw import ScanFinished, ScanStarted
from streams.core.catalogue import Catalogue
from streams.core.emit import Emitter
from streams.core.known import Known, Place
from streams.core.renames import Renames
from streams.core.roots import Root
from streams.core.settle import Settle
from streams.core.tally import Tally


class Scans:
    """The scans of a lane."""

    def __init__(
        self, known: Known, settle: Settle, renames: Renames, catalogue: Catalogue, emit: Emitter, id_base: int
    ) -> None:
        self._known = known
        self._settle = settle
        self._renames = renames
        self._catalogue = catalogue
        self._emit = emit
        self._id_base = id_base

    def started(self, root: Root, record: ScanStarted, offset: int) -> None:
        """A scan begins."""
        tally = Tally(root.library, root.name, scan_id(self._id_base, self._emit.lane, offset))
        tally.number, tally.origin, tally.cause = record.scan, record.origin, record.cause
        tally.subtree = from_wire(record.subtree, record.subtree_b64)
        self._tell(tally, "started", total=record.total)
        for number, other in list(root.scans.items()):
            covered = not other.finished and is_inside(other.subtree, tally.subtree)
            if covered or number == record.scan:
                self._supersede(other, tally)
                del root.scans[number]
                if root.baseline is other:
                    root.baseline = None
        if record.origin == "baseline":
            tally.jumps = root.jumps
            tally.seen = set()
            root.baseline = tally
        root.scans[record.scan] = tally

    def finished(self, root: Root, record: ScanFinished, now: int) -> list[Place]:
        """A scan is complete: what waited for it is due; returns what a baseline found missing."""
        tally = root.scans.get(record.scan)
        if tally is None or tally.finished:
            return []
        tally.finished = True
        self._tell(tally, "finished", record=record)
        self._renames.scan_finished(tally, now)
        if root.baseline is tally:
            root.baseline = None
        missing = self._missing(root, tally, record)
        tally.seen = None
        return missing

    def heals(self, root: Root, tally: Tally | None, record: ScanFinished) -> bool:
        """Whether it makes up for all jumps of seq: only a baseline says everything again, and what was lost
        must have been lost before it began."""
        return (
            tally is not None
            and 0 < root.jumps == tally.jumps
            and tally.subtree == ""
            and tally.arrived == record.total
            and not record.unseen
        )

    def close(self, root: Root, tally: Tally, now: int) -> None:
        """If nothing of the scan is open any more, say what its analysis came to and forget it."""
        if not tally.complete:
            return
        if root.scans.get(tally.number) is tally:
            del root.scans[tally.number]
            self._catalogue.complete(tally, now)

    def _missing(self, root: Root, tally: Tally, record: ScanFinished) -> list[Place]:
        """What is known, or was about to be, and has not been observed since the baseline began."""
        seen = tally.seen
        if seen is None or tally.arrived != record.total or not root.same_identity:
            return []
        unseen = [from_wire(one.path, one.path_b64) for one in record.unseen]
        known = [entry.place for entry in self._known.below(root.name, tally.subtree)]
        pending = [pending.place for pending in self._settle]
        held = [hold.place for hold in self._renames]
        return [
            place
            for place in dict.fromkeys((*known, *pending, *held))
            if place.root == root.name
            and is_inside(place.path, tally.subtree)
            and place.path not in seen
            and place.path != tally.subtree
            and not any(is_inside(place.path, path) for path in unseen)
        ]

    def _supersede(self, old: Tally, new: Tally) -> None:
        new.absorb(old)
        self._tell(old, "superseded")

    def _tell(
        self, tally: Tally, state: Literal["started", "finished", "superseded"], *,
        total: int | None = None, record: ScanFinished | None = None,
    ) -> None:  # fmt: skip
        assert tally.scan_id is not None
        self._emit.change(
            ScanChanged(
                library=tally.library, root=tally.root, at=self._emit.at, scan_id=tally.scan_id, state=state,
                origin=tally.origin, cause=tally.cause, subtree=display(tally.subtree),
                total=total if record is None else record.total, counts=None if record is None else record.counts,
            ),
            "scan_changed",
            tally.root,
        )  # fmt: skip
