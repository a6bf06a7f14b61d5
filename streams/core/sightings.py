"""What the record of an observation does: it makes paths pending, ties known files to the paths where they were moved, and
sets fingerprints of contents. Whether anything has happened is decided when the paths have settled.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from schemas.identity import other_fingerprint, same_content, same_state
from schemas.raw import FileState, Fingerprint, Moved, Observed
from streams.core import ties
from streams.core.catalogue import Catalogue
from streams.core.decide import Decide
from streams.core.known import Known
from streams.core.moment import Moment
from streams.core.renames import Renames
from streams.core.scans import Scans
from streams.core.settle import Settle
from streams.core.state import Ended, Root, RootPath, Sighting, State, TallyId
from streams.core.trees import Trees


class Sightings:
    """Accepted observations of a lane."""

    def __init__(
        self, state: State, known: Known, settle: Settle, renames: Renames, decide: Decide, scans: Scans,
        trees: Trees, catalogue: Catalogue,
    ) -> None:  # fmt: skip
        self._state = state
        self._known = known
        self._settle = settle
        self._renames = renames
        self._decide = decide
        self._scans = scans
        self._trees = trees
        self._catalogue = catalogue

    def observed(self, root: Root, record: Observed, moment: Moment) -> Ended:
        """Something is at a path, or nothing is."""
        scan = None if record.scan is None else self._arrived(root, record.scan, 0 if record.file is None else 1)
        seen = Sighting(record.file, moment.offset, record.origin, record.cause, scan, moment.trace)
        return self.touch(root, RootPath(root.name, record.path), seen, moment)

    def touch(self, root: Root, place: RootPath, seen: Sighting, moment: Moment) -> Ended:
        """The same, from any source."""
        if root.baseline is not None:
            self._scans.mark(root, place.path, there=seen.state is not None)
        if self._settle.get(place) is not None or self._decide.news(place, seen.state):
            return self._settle.touch(place, seen, moment.now, root.windows)
        return ()

    def moved(self, root: Root, record: Moved, moment: Moment) -> Iterator[Ended]:
        """The kernel, or the producer's index, knows where something was before. One path per step."""
        source, target = RootPath(root.name, record.from_path), RootPath(root.name, record.path)
        scan = None if record.scan is None else self._arrived(root, record.scan, 1)
        seen = Sighting(record.file, moment.offset, record.origin, record.cause, scan, moment.trace)
        if source == target:
            yield self.touch(root, target, seen, moment)
        elif record.file.type == "dir":
            yield from self._moved_tree(root, source, target, seen, moment)
        else:
            yield self._moved_file(root, source, target, seen, moment)

    def fingerprint(self, root: Root, record: Fingerprint, moment: Moment) -> Ended:
        """A content's fingerprint is known. It applies wherever that content is: pending, held or known. If another
        fingerprint was known, the content has changed although the file's attributes have not: that settles like any
        change."""
        place = RootPath(root.name, record.path)
        if (pending := self._settle.get(place)) is not None:
            state = pending.state
            if state is not None and state.type == "file" and same_content(state, record):
                pending.fingerprint = record.xxh3
        elif (hold := self._renames.new_at(place)) is not None:
            if hold.seen.state is not None and same_content(hold.seen.state, record):
                self._renames.fingerprinted(hold, record.xxh3)
        elif (entry := self._known.get(place)) is not None and entry.media_id and same_content(entry, record):
            if not other_fingerprint(entry.fingerprint, record.xxh3):
                return self._catalogue.fingerprinted(entry, record.xxh3, moment.trace)
            state = FileState(entry.type, entry.size, entry.mtime_ns, entry.dev, entry.inode)
            seen = Sighting(state, moment.offset, "live", trace=moment.trace)
            ended = self._settle.touch(place, seen, moment.now, root.windows)
            self._state.pending[place].fingerprint = record.xxh3
            return ended
        return ()

    def _arrived(self, root: Root, number: int, things: int) -> TallyId | None:
        """A record of a scan has arrived: returns the scan's tally, and counts the things that are there."""
        tally = self._scans.of(root, number)
        if tally is None:
            return None
        tally.arrived += things
        return tally.id

    def _moved_file(self, root: Root, source: RootPath, target: RootPath, seen: Sighting, moment: Moment) -> Ended:
        before = self._settle.get(source)
        # a file that has already left is not the one that was moved now: another file came after it
        carried = None if source in self._state.movers or self._known.get(source) is None else source
        fingerprint = None
        if before is not None:
            carried = before.carries or (None if self._decide.is_another(before, target) else carried)
            fingerprint = before.fingerprint if same_state(before.state, seen.state) else None
        ended = self.touch(root, source, replace(seen, state=None), moment)
        self._scans.mark(root, target.path, there=True)
        ended += self._settle.touch(target, seen, moment.now, root.windows)
        pending = self._state.pending[target]
        pending.fingerprint = pending.fingerprint or fingerprint
        if carried is None or carried == target:
            ties.untie(self._state, pending)
        else:
            ties.tie(self._state, pending, carried)
        return ended

    def _moved_tree(
        self, root: Root, source: RootPath, target: RootPath, seen: Sighting, moment: Moment
    ) -> Iterator[Ended]:
        for path in self._scans.seen_below(root, source.path):
            self._scans.mark(root, path, there=False)
            self._scans.mark(root, target.path + path[len(source.path) :], there=True)
        self._scans.mark(root, target.path, there=True)
        known = yield from self._trees.moved(root, source, target, seen, moment)
        if not known:
            yield self.touch(root, target, seen, moment)
