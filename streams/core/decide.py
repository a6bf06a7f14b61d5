"""Level-triggered: a settled observation is compared with what is known, and only a difference is a change.

Duplicates and repeated observations are dropped here. A difference is either held for a rename or passed to the
catalogue at once. All methods return the tallies of which something has ended.
"""

from __future__ import annotations

from schemas.identity import other_fingerprint, same_state
from schemas.raw import FileState
from streams.core import ties
from streams.core.catalogue import Catalogue
from streams.core.known import Known
from streams.core.moment import Moment
from streams.core.renames import Renames
from streams.core.settle import Settle
from streams.core.state import Ended, Entry, Hold, Pending, Root, RootPath, Sighting, State


class Decide:
    """The comparison and its consequences. A known file that was moved, as the kernel reported, to a path that has not
    settled yet (`ties`) is not deleted before that path has settled."""

    def __init__(self, state: State, known: Known, settle: Settle, renames: Renames, catalogue: Catalogue) -> None:
        self._state = state
        self._known = known
        self._settle = settle
        self._renames = renames
        self._catalogue = catalogue

    def news(self, place: RootPath, state: FileState | None) -> bool:
        """False when an observation of a path with nothing pending is what is known already."""
        held = self._renames.new_at(place)
        if held is not None:
            return state is None or not same_state(held.seen.state, state)
        entry = self._known.get(place)
        if entry is None or self._renames.gone_at(place) is not None:
            return state is not None
        return not same_state(entry, state)

    def settled(self, pending: Pending, moment: Moment) -> Ended:
        """A path has settled, and is no longer pending."""
        entry = self._brought(pending) or self._came_from(pending)
        if pending.state is None:
            return self._nothing_at(pending.place, pending.seen, moment)
        ended, arrivals = self._moved_on(pending.place, pending.state, entry)
        if entry is not None and arrivals and arrivals[-1][0].place == entry.place:
            ring = [(pending, entry), *((p, e) for p, e in arrivals if e is not None)]
            if all(p.state is not None and p.state.type == e.type for p, e in ring):
                return ended + self._ring(ring, moment)
        return ended + self._all_arrived(arrivals, moment) + self._arrived(pending, entry, moment)

    def vacate(self, place: RootPath, moment: Moment) -> Ended:
        """Something is about to be put at `place`. If the kernel reported that what is known there was moved to a path
        that has not settled yet, that move is decided first: so the file has left before its place is taken, and keeps
        its item. At its target another known file may have been moved on as well: that one is moved before it, and so
        on, however long the chain is."""
        ended, arrivals = self._moved_on(place)
        return ended + self._all_arrived(arrivals, moment)

    def waits(self, pending: Pending, moment: Moment) -> bool:
        """Whether a path that is to settle is given more time: a file that is known elsewhere has taken its place, and
        has not been observed to have left there. A file at a free path is held instead (`renames`)."""
        if pending.waited or pending.carries is not None or not self._is_taken_over(pending.place, pending.state):
            return False
        assert pending.state is not None
        if not any(not self._has_left(entry) for entry in self._like(pending.place, pending.state)):
            return False
        self._settle.wait(pending, moment.now + self._root(pending.place).windows.rename)
        return True

    def is_another(self, pending: Pending, target: RootPath) -> bool:
        """Whether what is at the path, and moves on to `target`, is not what is known there and does not take over its
        item: it is of another type, or it is known elsewhere, even if the kernel reported a move of it to yet another
        place, because it is observed here."""
        entry, state = self._known.get(pending.place), pending.state
        if entry is None or state is None:
            return False
        if entry.type != state.type or not self._is_taken_over(pending.place, state):
            return entry.type != state.type
        library = self._root(pending.place).library
        return any(any(self._known.same(library, place, state)) for place in (pending.place, target))

    def _moved_on(
        self, place: RootPath, taker: FileState | None = None, going: Entry | None = None
    ) -> tuple[Ended, list[tuple[Pending, Entry | None]]]:
        """The pending path to which the file known at `place` was moved, with that file; then the path to which the
        file known there was moved, and so on. These paths are no longer pending, and their ties are removed, so the
        chain ends even if it is a ring. `taker`: what is at the place now, if anything: if that is another file, the
        file that was there is also searched by its identity, except `going`, whose target is known (it may be observed
        under another name as well)."""
        ended: Ended = ()
        arrivals: list[tuple[Pending, Entry | None]] = []
        while (follower := self._mover_of(place, taker, going)) is not None:
            ended += self._settle.take(follower)
            arrivals.append((follower, self._brought(follower) or self._known.get(place)))
            place, taker = follower.place, follower.state
        return ended, arrivals

    def _mover_of(self, place: RootPath, taker: FileState | None, going: Entry | None) -> Pending | None:
        """The pending path where the file known at `place` is now: as the kernel reported, else by its identity."""
        tied = ties.mover_of(self._state, place)
        entry = self._known.get(place)
        if tied is not None or entry is None or entry is going or not self._is_displaced(entry, taker):
            return tied
        for pending in self._settle.with_inode(entry.inode):
            library = self._root(pending.place).library
            if pending.carries is None and self._renames.is_where(entry, library, pending.place, pending.state):
                return pending
        return None

    def _came_from(self, pending: Pending) -> Entry | None:
        """The known file that has replaced another one, found by its identity, if it has left its own place."""
        if not self._is_taken_over(pending.place, pending.state):
            return None
        assert pending.state is not None
        found = self._like(pending.place, pending.state)
        entry = next((entry for entry in found if self._has_left(entry)), None)
        if entry is not None and (mover := ties.mover_of(self._state, entry.place)) is not None:
            ties.untie(self._state, mover)  # the file moved there had taken this file's place before
        return entry

    def _is_taken_over(self, place: RootPath, state: FileState | None) -> bool:
        """Whether a known file was at the place, and another one is there now."""
        entry = self._known.get(place)
        return (
            entry is not None and state is not None and state.type == "file" and self._is_displaced(entry, state)
        )

    @staticmethod
    def _is_displaced(entry: Entry, state: FileState | None) -> bool:
        """Whether a known file is replaced at its place by another file, or by something that is not a file."""
        return entry.type == "file" and state is not None and (state.type != "file" or entry.inode != state.inode)

    def _like(self, place: RootPath, state: FileState) -> list[Entry]:
        """Known files elsewhere with the identity of what is at a path, without those that the kernel reported to be
        somewhere else."""
        found = self._known.same(self._root(place).library, place, state)
        return [entry for entry in found if not ties.is_on_its_way(self._state, entry)]

    def _has_left(self, entry: Entry) -> bool:
        """Whether its place is observed to be empty, or to be taken by another file."""
        if self._renames.gone_at(entry.place) is not None:
            return True
        there = self._settle.get(entry.place)
        return there is not None and (there.state is None or there.state.inode != entry.inode)

    def _all_arrived(self, arrivals: list[tuple[Pending, Entry | None]], moment: Moment) -> Ended:
        """Decide the arrivals, the last one first: so each place is left before it is taken."""
        ended: Ended = ()
        for pending, entry in reversed(arrivals):
            ended += self._arrived(pending, entry, moment)
        return ended

    def _ring(self, ring: list[tuple[Pending, Entry]], moment: Moment) -> Ended:
        """Files have changed places in a ring (a to b, b to c, c to a). None can arrive before another has left, so all
        leave at once, and keep their items."""
        ended: Ended = ()
        befores = [entry.place for _, entry in ring]
        for pending, entry in ring:
            ended += self._revive(entry) + self._renames.release(self._renames.new_at(pending.place))
        self._known.move(*((entry, pending.place) for pending, entry in ring))
        published: set[RootPath] = set()
        for (pending, entry), before in zip(ring, befores, strict=True):
            root, print_ = self._root(pending.place), pending.fingerprint
            taken = before in published
            ended += self._catalogue.moved(root, entry, before, pending.seen, print_, moment, taken=taken)
            published.add(pending.place)
        return ended

    def _carried(self, pending: Pending) -> Entry | None:
        """The known file that was moved to the path, as the kernel reported; its tie is removed."""
        if pending.carries is None:
            return None
        entry = self._known.get(pending.carries)
        ties.untie(self._state, pending)
        return entry

    def _brought(self, pending: Pending) -> Entry | None:
        """The known file that was moved to the path. None if another file had taken its place before the move, and the
        known file has been observed somewhere else by now: then this was not the safe save of an editor."""
        entry = self._carried(pending)
        if entry is None or not self._is_displaced(entry, pending.state):
            return entry
        seen = self._mover_of(entry.place, pending.state, None)
        return entry if seen is None and self._renames.twin_of(entry) is None else None

    def _arrived(self, pending: Pending, entry: Entry | None, moment: Moment) -> Ended:
        """Something has settled at a path that no known file is about to leave. `entry`: the known file that it is, if
        any."""
        place, state, seen = pending.place, pending.state, pending.seen
        assert state is not None
        if entry is not None and entry.type == state.type and self._is_elsewhere(entry, place):
            return self._move(entry, place, seen, pending.fingerprint, moment)
        return self.something_at(place, seen, pending.fingerprint, moment)

    def _is_elsewhere(self, entry: Entry, place: RootPath) -> bool:
        """Still known, and not at the place itself (a directory's move may have brought it there)."""
        return entry.place != place and self._known.get(entry.place) is entry

    def unsettled(self, pending: Pending) -> None:
        """A path still changing at the max hold."""
        entry = self._known.get(pending.place)
        if entry is None or not same_state(entry, pending.state):
            root = self._root(pending.place)
            self._catalogue.unsettled(root, entry, pending.place, pending.seen)

    def expired(self, hold: Hold, moment: Moment) -> Ended:
        """No other half of a move came for a held one: it is a plain deletion or creation."""
        place = hold.place
        if not hold.is_gone:
            ended = self._renames.release(hold)
            if self._settle.get(place) is None:  # else what is there now is decided soon
                self._catalogue.created(self._root(place), place, hold.seen, hold.fingerprint, moment)
            return ended
        for unsure in (ties.mover_of(self._state, place), self._settle.get(place)):
            # it was moved and has not settled yet, or something is there again
            if unsure is not None and unsure.state is not None and unsure.deadline is not None:
                self._renames.postpone(hold, unsure.deadline)
                return ()
        entry = self._known.get(place)
        assert entry is not None
        return self._renames.release(hold) + self._catalogue.deleted(entry, hold.seen)

    def something_at(self, place: RootPath, seen: Sighting, fingerprint: str | None, moment: Moment) -> Ended:
        """Something has settled at a place, and the kernel did not report where it came from."""
        state = seen.state
        assert state is not None
        ended = self._renames.release(self._renames.new_at(place))  # a held creation has changed again
        entry = self._known.get(place)
        if entry is None:
            return ended + self._creation(place, seen, fingerprint, moment)
        ended += self._revive(entry)
        if same_state(entry, state) and not other_fingerprint(entry.fingerprint, fingerprint):
            self._known.update(entry, state, fingerprint)
            return ended
        if self._is_displaced(entry, state) and (target := self._renames.twin_of(entry)) is not None:
            ended += self._gone_to(entry, target, moment)
            return ended + self._creation(place, seen, fingerprint, moment)
        if entry.type != state.type:
            ended += self._catalogue.deleted(entry, seen)
            return ended + self._creation(place, seen, fingerprint, moment)
        return ended + self._catalogue.modified(self._root(place), entry, seen, fingerprint, moment)

    def gone(self, entry: Entry, seen: Sighting, moment: Moment) -> Ended:
        """A known path has settled as gone: it becomes the origin of a held creation, or is held itself."""
        place = entry.place
        if self._renames.gone_at(place) is not None:
            return ()
        target = self._renames.target_of(entry)
        if target is None:
            self._renames.hold_gone(entry, seen, moment.now + self._root(place).windows.rename)
            return ()
        return self._gone_to(entry, target, moment)

    def _gone_to(self, entry: Entry, target: Hold, moment: Moment) -> Ended:
        """The known file is the held creation."""
        before, root = entry.place, self._root(target.place)
        ended = self._renames.release(target)
        self._known.move((entry, target.place))
        return ended + self._catalogue.moved(root, entry, before, target.seen, target.fingerprint, moment)

    def replaced(self, entry: Entry, seen: Sighting) -> Ended:
        """Something else has taken the path of a known file: its item is deleted at once, without a hold."""
        ended = self._revive(entry)
        mover = ties.mover_of(self._state, entry.place)
        if mover is not None:
            ties.untie(self._state, mover)
        return ended + self._catalogue.deleted(entry, seen)

    def _nothing_at(self, place: RootPath, seen: Sighting, moment: Moment) -> Ended:
        ended = self._renames.release(self._renames.new_at(place))
        entry = self._known.get(place)
        return ended if entry is None else ended + self.gone(entry, seen, moment)

    def _creation(self, place: RootPath, seen: Sighting, fingerprint: str | None, moment: Moment) -> Ended:
        state = seen.state
        assert state is not None
        root = self._root(place)
        origin = self._renames.origin_of(root.library, place, state, fingerprint)
        if isinstance(origin, Entry):
            return self._move(origin, place, seen, fingerprint, moment)
        if origin:
            self._renames.hold_new(root.library, place, seen, fingerprint, moment.now + root.windows.rename)
        else:
            self._catalogue.created(root, place, seen, fingerprint, moment)
        return ()

    def _move(
        self, entry: Entry, place: RootPath, seen: Sighting, fingerprint: str | None, moment: Moment
    ) -> Ended:
        ended = self._revive(entry)
        waiting = self._settle.get(entry.place)
        if waiting is not None and waiting.state is None:
            ended += self._settle.take(waiting)
        ended += self._renames.release(self._renames.new_at(place))
        replaced = self._known.get(place)
        if replaced is not None and (target := self._renames.twin_of(replaced)) is not None:
            ended += self._revive(replaced) + self._gone_to(replaced, target, moment)
        elif replaced is not None:  # a rename over an existing file deletes the replaced item first
            ended += self.replaced(replaced, seen)
        before = entry.place
        self._known.move((entry, place))
        return ended + self._catalogue.moved(self._root(place), entry, before, seen, fingerprint, moment)

    def _revive(self, entry: Entry) -> Ended:
        """The file is not gone: release its held deletion, if there is one."""
        return self._renames.release(self._renames.gone_at(entry.place))

    def _root(self, place: RootPath) -> Root:
        """The root of something pending or known, which has always been declared."""
        return self._state.roots[place.root]
