"""Level-triggered: a settled observation is compared with what is known, and only a difference is a change.

Duplicates and re-announcements disappear here. It says which stage a difference goes to: held for a rename, or
told to the catalogue at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from schemas.raw import FileState
from streams.core.catalogue import Catalogue
from streams.core.known import Entry, Known, Place, same_file
from streams.core.renames import Hold, Renames
from streams.core.roots import Roots
from streams.core.settle import Pending, Settle, Sighting


class Moment(NamedTuple):
    """`now`: lane time at which it is decided (a deadline); `at`: append time of the record being applied, ms."""

    now: int
    at: int


class Decide:
    """The comparison and its consequences. `moved_away`: places whose file the kernel has tied to a path that
    has not settled yet; a deletion there waits for it."""

    def __init__(self, known: Known, roots: Roots, settle: Settle, renames: Renames, catalogue: Catalogue) -> None:
        self._roots = roots
        self._known = known
        self._settle = settle
        self._renames = renames
        self._catalogue = catalogue
        self.moved_away: dict[Place, Pending] = {}

    def news(self, place: Place, state: FileState | None) -> bool:
        """False when an observation of a path with nothing pending says only what is known already."""
        held = self._renames.new_at(place)
        if held is not None:
            return state is None or not _same(held.seen.state, state)
        entry = self._known.get(*place)
        if entry is None:
            return state is not None
        if entry.gone is not None:
            return state is not None
        return state is None or not same_file(entry, state)

    def settled(self, pending: Pending, moment: Moment) -> None:
        """A path has settled."""
        place = pending.place
        seen = Sighting(pending.state, pending.offset, pending.origin, pending.cause, pending.tally)
        self._forget_move(pending)
        if pending.state is None:
            self._nothing_at(place, seen, moment)
            return
        source = pending.came_from
        entry = None if source is None else self._known.get(*source)
        if entry is not None and entry.type == pending.state.type and source != place:
            self._move(entry, place, seen, pending.fingerprint, moment)
            return
        follower = self._mover(place)
        if follower is not None and self._known.get(*place) is not None:
            # what was here is elsewhere, though that path is still changing: the move comes first
            self._settle.take(follower)
            self.settled(follower, moment)
        self.something_at(place, seen, pending.fingerprint, moment)

    def unsettled(self, pending: Pending) -> None:
        """A path still changing at the max hold."""
        entry = self._known.get(*pending.place)
        if entry is not None and pending.state is not None and same_file(entry, pending.state):
            return
        seen = Sighting(pending.state, pending.offset, pending.origin, pending.cause, pending.tally)
        self._catalogue.unsettled(self._roots.of(pending.place.root), entry, pending.place, seen)

    def expired(self, hold: Hold, moment: Moment) -> None:
        """Nothing came to explain a held half: it is what it looks like."""
        if hold.entry is None:
            self._renames.release(hold)
            self._catalogue.created(
                self._roots.of(hold.place.root), hold.place, hold.seen, hold.fingerprint, *moment
            )
            return
        mover = self._mover(hold.place)
        if mover is not None and mover.deadline is not None:
            self._renames.postpone(hold, mover.deadline)
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
        entry = self._known.get(*place)
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
        entry = self._known.get(*place)
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
            self._catalogue.created(self._roots.of(place.root), place, seen, fingerprint, *moment)

    def _move(self, entry: Entry, place: Place, seen: Sighting, fingerprint: str | None, moment: Moment) -> None:
        self._revive(entry)
        waiting = self._settle.get(entry.place)
        if waiting is not None and waiting.state is None:
            self._forget_move(waiting)
            self._settle.take(waiting)
        held = self._renames.new_at(place)
        if held is not None:
            self._renames.release(held)
        replaced = self._known.get(*place)
        if replaced is not None:  # rename over an existing file closes the replaced item first
            self.replaced(replaced, seen)
        self._catalogue.moved(self._roots.of(place.root), entry, place, seen, fingerprint, moment.now)

    def replaced(self, entry: Entry, seen: Sighting) -> None:
        """Something else has taken the path of a known file: its item is closed, without a hold."""
        self._revive(entry)
        self._catalogue.deleted(entry, seen)

    def untie(self, origin: Place, pending: Pending) -> None:
        """What is pending did not come from there after all."""
        if self.moved_away.get(origin) is pending:
            del self.moved_away[origin]

    def rekey_moves(self, rewritten: Callable[[Place], Place]) -> None:
        """Directories moved: origins of moves below them are at other places now."""
        self.moved_away = {rewritten(place): mover for place, mover in self.moved_away.items()}

    def _revive(self, entry: Entry) -> None:
        if isinstance(entry.gone, Hold):
            self._renames.release(entry.gone)

    def _forget_move(self, pending: Pending) -> None:
        if pending.came_from is not None:
            self.untie(pending.came_from, pending)

    def _mover(self, place: Place) -> Pending | None:
        """The pending path that the kernel has tied to what was known at a place."""
        mover = self.moved_away.get(place)
        if mover is None or (mover.came_from == place and mover.deadline is not None):
            return mover
        del self.moved_away[place]  # something else has come to that path since
        return None


def _same(a: FileState | None, b: FileState) -> bool:
    return a is not None and a.type == b.type and (a.size, a.mtime_ns, a.inode) == (b.size, b.mtime_ns, b.inode)
