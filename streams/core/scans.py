"""Scans: their beginning and end, what passes from one to the next, and what a baseline found missing.

A scan that another one covers before it has finished is superseded: its open paths and jobs pass to that one. At the end
of a baseline, known paths that were not observed are gone, if all records of the baseline have arrived, the root is still
the one that was known, and the scan could read the places where they were.
"""

from __future__ import annotations

from itertools import chain
from typing import Literal

from schemas.changes import ScanChanged
from schemas.ids import scan_id
from schemas.paths import display, is_inside
from schemas.raw import ScanFinished, ScanStarted
from streams.core.emit import Emitter
from streams.core.known import Known
from streams.core.moment import Moment
from streams.core.renames import Renames
from streams.core.state import Root, RootPath, State, Tally
from streams.core.tally import absorb, opened


class Scans:
    """The scans of a lane. `id_base`: see `schemas.ids.scan_id`."""

    def __init__(self, state: State, known: Known, renames: Renames, emit: Emitter, id_base: int) -> None:
        self._state = state
        self._known = known
        self._renames = renames
        self._emit = emit
        self._id_base = id_base

    def of(self, root: Root, number: int) -> Tally | None:
        """The tally of the producer's scan of that number, while it is not complete."""
        id_ = root.scans.get(number)
        return None if id_ is None else self._state.tallies[id_]

    def started(self, root: Root, record: ScanStarted, moment: Moment) -> None:
        """A scan begins."""
        tally = opened(self._state, root.library, root.name)
        tally.scan_id = scan_id(self._id_base, self._emit.lane, moment.offset)
        tally.number, tally.origin, tally.cause = record.scan, record.origin, record.cause
        tally.subtree, tally.finished = record.subtree, False
        self._report(tally, "started", moment, total=record.total)
        for number, id_ in list(root.scans.items()):
            other = self._state.tallies[id_]
            covered = not other.finished and is_inside(other.subtree, tally.subtree)
            if covered or number == record.scan:
                self._report(other, "superseded", moment)
                absorb(self._state, tally, other)
                del root.scans[number]
                if root.baseline == id_:
                    root.baseline = None
        if record.origin == "baseline":
            tally.jumps = root.jumps
            tally.seen = set()
            root.baseline = tally.id
        root.scans[record.scan] = tally.id

    def mark(self, root: Root, path: str, *, there: bool) -> None:
        """Note for a baseline in progress what was observed at the path: if something is there, it is not missing; if
        nothing is there any more, what is still known there is missing."""
        if root.baseline is not None and (seen := self._state.tallies[root.baseline].seen) is not None:
            (seen.add if there else seen.discard)(path)

    def seen_below(self, root: Root, directory: str) -> list[str]:
        """The paths that a baseline in progress has observed there."""
        seen = None if root.baseline is None else self._state.tallies[root.baseline].seen
        return [path for path in seen or () if is_inside(path, directory)]

    def finished(self, root: Root, record: ScanFinished, moment: Moment) -> list[RootPath]:
        """A scan has finished: what was held for it is due. Returns the paths that a baseline found missing."""
        tally = self.of(root, record.scan)
        if tally is None or tally.finished:
            return []
        tally.finished = True
        self._report(tally, "finished", moment, record=record)
        self._renames.scan_finished(tally, moment.now)
        if root.baseline == tally.id:
            root.baseline = None
        missing = self._missing(root, tally, record)
        tally.seen = None
        return missing

    def heals(self, root: Root, tally: Tally | None, record: ScanFinished) -> bool:
        """Whether the scan closes all jumps of seq: everything that was lost must have been lost before it began."""
        return tally is not None and 0 < root.jumps == tally.jumps and self.is_complete_baseline(tally, record)

    @staticmethod
    def is_complete_baseline(tally: Tally | None, record: ScanFinished) -> bool:
        """Whether it is a baseline of the whole root of which all records have arrived: only that publishes everything
        again."""
        return (
            tally is not None
            and record.origin == "baseline"
            and tally.subtree == ""
            and tally.arrived == record.total
            and not record.unseen
        )

    def _missing(self, root: Root, tally: Tally, record: ScanFinished) -> list[RootPath]:
        """The paths that are known, or about to be, and were not observed since the baseline began."""
        seen = tally.seen
        if seen is None or tally.arrived != record.total or not root.same_identity:
            return []
        known = (entry.place for entry in self._known.below(root.name, tally.subtree))
        pending = (pending.place for pending in self._state.pending.values())
        held = (hold.place for hold in self._state.holds)
        return [
            place
            for place in dict.fromkeys(chain(known, pending, held))
            if place.root == root.name
            and is_inside(place.path, tally.subtree)
            and place.path not in seen
            and place.path != tally.subtree
            and not any(is_inside(place.path, unseen.path) for unseen in record.unseen)
        ]

    def _report(
        self, tally: Tally, state: Literal["started", "finished", "superseded"], moment: Moment, *,
        total: int | None = None, record: ScanFinished | None = None,
    ) -> None:  # fmt: skip
        assert tally.scan_id is not None
        change = ScanChanged(
            library=tally.library, root=tally.root, at=self._emit.at, scan_id=tally.scan_id, state=state,
            origin=tally.origin, cause=tally.cause, subtree=display(tally.subtree),
            total=total if record is None else record.total, counts=None if record is None else record.counts,
        )  # fmt: skip
        self._emit.change(change, "scan_changed", tally.root, moment.trace)
