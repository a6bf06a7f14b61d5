"""Level-triggered: a settled observation is compared with what is known, and only a difference is a change.

Duplicates and re-announcements disappear here. It says which stage a difference goes to: held for a rename, or
told to the catalogue at once.
"""

from __future__ import annotations

from msgspec import Struct

from schemas.raw import FileState
from streams.core.catalogue import Catalogue
from streams.core.known import Entry, Known, Place, same_file
from streams.core.renames import Hold, Renames
from streams.core.roots import Roots
from streams.core.settle import Pending, Settle, Sighting


class Moment(Struct, frozen=True, gc=False):
    """`now`: lane time at which it is decided (a deadline); `at`: append time of the record being applied, ms."""

    now: int
    at: int


class Decide:
    """The comparison and its consequences. A known file that the kernel has tied to a path which has not settled
    yet (`Entry.mover`) is not deleted before that has."""

    def __init__(self, known: Known, roots: Roots, settle: Settle, renames: Renames, catalogue: Catalogue) -> None:
        self._roots = roots
        self._known = known
        self._settle = settle
        self._renames = renames
        self._catalogue = catalogue

    def news(self, place: Place, state: FileState | None) -> bool:
        """False when an observation of a path with nothing pending says only what is known already."""
        held = self._renames.new_at(place)
        if held is not None:
            return state is None or not _same(held.seen.state, state)
        entry = self._known.get(place)
        if entry is None:
            return state is not None
        if entry.gone is not None:
            return state is not None
        return state is None or not same_file(entry, state)

    def settled(self, pending: Pending, moment: Moment) -> None:
        """A path has settled."""
        place, state, entry = pending.place, pending.state, pending.carries
        seen = pending.seen
        pending.untie()
        if state is None:
            self._nothing_at(place, seen, moment)
            return
        self.vacate(place, moment)
        if entry is not None and entry.type == state.type and self._is_elsewhere(entry, place):
            self._move(entry, place, seen, pending.fingerprint, moment)
        else:
            self.something_at(place, seen, pending.fingerprint, moment)

    def _is_elsewhere(self, entry: Entry, place: Place) -> bool:
        """Still known, and not at the place itself (a directory's move may have brought it there)."""
        return entry.place != place and self._known.get(entry.place) is entry

    def vacate(self, place: Place, moment: Moment) -> None:
        """What was known here is elsewhere, though that path is still changing: that move comes first. Of paths
        that changed places in a ring, the last finds its item replaced."""
        entry = self._known.get(place)
        if entry is not None and isinstance(entry.mover, Pending):
            follower = entry.mover
            self._settle.take(follower)
            self.settled(follower, moment)

    def unsettled(self, pending: Pending) -> None:
        """A path still changing at the max hold."""
        entry = self._known.get(pending.place)
        if entry is not None and pending.state is not None and same_file(entry, pending.state):
            return
        self._catalogue.unsettled(self._roots.of(pending.place.root), entry, pending.place, pending.seen)

    def expired(self, hold: Hold, moment: Moment) -> None:
        """Nothing came to explain a held half: it is what it looks like."""
        if hold.entry is None:
            self._renames.release(hold)
            if self._settle.get(hold.place) is None:  # else what is there now is about to be decided
                root = self._roots.of(hold.place.root)
                self._catalogue.created(root, hold.place, hold.seen, hold.fingerprint, moment.now, moment.at)
            return
        for unsure in (hold.entry.mover, self._settle.get(hold.place)):  # it is on its way, or something is back
            if isinstance(unsure, Pending) and unsure.state is not None and unsure.deadline is not None:
                self._renames.postpone(hold, unsure.deadline)
                return
        self._renames.release(hold)
        self._catalogue.deleted(hold.entry, hold.seen)

    def something_at(self, place: Place, seen: Sighting, fingerprint: str | None, moment: Moment) -> None:
        """Something is settled at a place, with no kernel-tied origin."""
        state = seen.state
        assert state is not None
        held = self._renames.new_at(place)
        if held is not None:  # a creation that was still waiting has changed again
            self._renames.release(held)
        entry = self._known.get(place)
        if entry is None:
            self._creation(place, seen, fingerprint, moment)
            return
        self._revive(entry)
        if entry.type != state.type:
            self._catalogue.deleted(entry, seen)
            self._creation(place, seen, fingerprint, moment)
        elif same_file(entry, state):
            self._known.update(entry, state, fingerprint)
        else:
            self._catalogue.modified(self._roots.of(place.root), entry, seen, fingerprint, moment.now)

    def gone(self, entry: Entry, seen: Sighting, moment: Moment) -> None:
        """A known path is settled as gone: it becomes the origin of a waiting creation, or is held."""
        if entry.gone is not None:
            return
        target = self._renames.target_of(entry)
        if target is None:
            self._renames.hold_gone(entry, seen, moment.now + self._roots.of(entry.root).windows.rename)
            return
        self._renames.release(target)
        self._catalogue.moved(
            self._roots.of(target.place.root), entry, target.place, target.seen, target.fingerprint, moment.now
        )

    def _nothing_at(self, place: Place, seen: Sighting, moment: Moment) -> None:
        held = self._renames.new_at(place)
        if held is not None:
            self._renames.release(held)
        entry = self._known.get(place)
        if entry is not None:
            self.gone(entry, seen, moment)

    def _creation(self, place: Place, seen: Sighting, fingerprint: str | None, moment: Moment) -> None:
        state = seen.state
        assert state is not None
        library = self._roots.of(place.root).library
        origin = self._renames.origin_of(library, place, state, fingerprint)
        if isinstance(origin, Entry):
            self._move(origin, place, seen, fingerprint, moment)
        elif origin:
            until = moment.now + self._roots.of(place.root).windows.rename
            self._renames.hold_new(library, place, seen, fingerprint, until)
        else:
            self._catalogue.created(self._roots.of(place.root), place, seen, fingerprint, moment.now, moment.at)

    def _move(self, entry: Entry, place: Place, seen: Sighting, fingerprint: str | None, moment: Moment) -> None:
        self._revive(entry)
        waiting = self._settle.get(entry.place)
        if waiting is not None and waiting.state is None:
            self._settle.take(waiting)
        held = self._renames.new_at(place)
        if held is not None:
            self._renames.release(held)
        replaced = self._known.get(place)
        if replaced is not None:  # rename over an existing file closes the replaced item first
            self.replaced(replaced, seen)
        self._catalogue.moved(self._roots.of(place.root), entry, place, seen, fingerprint, moment.now)

    def replaced(self, entry: Entry, seen: Sighting) -> None:
        """Something else has taken the path of a known file: its item is closed, without a hold."""
        self._revive(entry)
        if isinstance(entry.mover, Pending):
            entry.mover.untie()
        self._catalogue.deleted(entry, seen)

    def _revive(self, entry: Entry) -> None:
        if isinstance(entry.gone, Hold):
            self._renames.release(entry.gone)


def _same(a: FileState | None, b: FileState) -> bool:
    return a is not None and a.type == b.type and (a.size, a.mtime_ns, a.inode) == (b.size, b.mtime_ns, b.inode)
