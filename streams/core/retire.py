"""A root leaves the catalogue: everything known, pending or held below it is deleted, whatever is on the disk.

It is an operator's command and needs no settling. The root itself stays known by name, so that records that its producer
sent before and sends again are ignored; a root that is declared again begins empty.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.raw import RootRetired
from streams.core.decide import Decide
from streams.core.emit import Emitter
from streams.core.known import Known
from streams.core.moment import Moment
from streams.core.renames import Renames
from streams.core.root_changes import root_changed
from streams.core.settle import Settle
from streams.core.state import Ended, Root, Sighting, State
from streams.core.trees import Trees

CAUSE = "retired"


class Retire:
    """Retirements of a lane's roots."""

    def __init__(
        self, state: State, known: Known, settle: Settle, renames: Renames, decide: Decide, trees: Trees,
        emit: Emitter,
    ) -> None:  # fmt: skip
        self._state = state
        self._known = known
        self._settle = settle
        self._renames = renames
        self._decide = decide
        self._trees = trees
        self._emit = emit

    def retired(self, record: RootRetired, library: str, moment: Moment) -> Iterator[Ended]:
        """Delete everything of the root, one path per step. A root that is not of this library, or was never declared,
        is ignored; one that is retired already has nothing left to delete."""
        root = self._state.roots.get(record.root)
        if root is None or root.library != library:
            self._state.dropped["undeclared_root"] += 1
            return
        yield from self._trees.publish_all(library, moment)
        gone = Sighting(None, moment.offset, "live", CAUSE, None, moment.trace)
        for place in [place for place in self._state.pending if place.root == root.name]:
            yield self._settle.drop(place)
        for hold in [hold for hold in self._state.new.values() if hold.place.root == root.name]:
            yield self._renames.release(hold)
        for entry in self._known.below(root.name, ""):
            yield self._decide.replaced(entry, gone)
        yield self._end_scans(root)
        root_changed(self._emit, root, "retired", record.by, moment.trace)
        if root.epoch:
            root.former[root.epoch] = root.last_seq
            root.epoch, root.last_seq, root.jumps = "", 0, 0

    def _end_scans(self, root: Root) -> Ended:
        """End its scans: none of them will finish any more."""
        for id_ in root.scans.values():
            self._state.tallies[id_].finished = True
        root.baseline = None
        return tuple(root.scans.values())
