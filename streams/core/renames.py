"""Which deletion and which creation are one move.

Settled deletions of known paths are held for the root's rename window; a creation is held only when a known
file elsewhere in its library has the same identity (dev, inode, size, mtime) or the same fingerprint. Whichever
half comes second finds the other, so pairing does not depend on arrival order. What a scan found is held until that
scan has finished, because it publishes what is there first and what is gone last. Identity comes before the
fingerprint: a file is not mistaken for a deleted copy of itself. Among several deleted candidates the first deletion in
the log provides the id.

It decides only by identity and knows nothing of media.
"""

from __future__ import annotations

from collections.abc import Iterable

from schemas.identity import same_identity
from schemas.raw import FileState
from streams.core import ties
from streams.core.known import Known, may_pair
from streams.core.rules import Rules
from streams.core.state import Ended, Entry, Hold, RootPath, Sighting, State, Tally
from streams.core.tally import joined, left


class Renames:
    """All held halves of a lane."""

    def __init__(self, state: State, rules: Rules, known: Known) -> None:
        self._state = state
        self._rules = rules
        self._known = known
        self._deadlines = state.deadlines
        self._gone = state.gone
        self._new = state.new
        self._new_by_inode = state.new_by_inode
        self._new_by_fingerprint = state.new_by_fingerprint

    def new_at(self, place: RootPath) -> Hold | None:
        """The creation held at a place."""
        return self._new.get(place)

    def gone_at(self, place: RootPath) -> Hold | None:
        """The deletion held of what is known at a place."""
        return self._gone.get(place)

    def origin_of(self, library: str, place: RootPath, state: FileState, fingerprint: str | None) -> Entry | bool:
        """For a settled creation: the deleted entry that it continues; True when a known file that is not (yet) deleted
        looks the same, so that the creation should wait; False when it may be published at once."""
        if state.type != "file":
            return False
        found = self._first_gone(self._known.same(library, place, state))
        return found or self._first_gone(self._known.alike(library, place, state, fingerprint))

    def _first_gone(self, candidates: Iterable[Entry]) -> Entry | bool:
        """The candidate whose deletion is the first in the log; True if there are candidates, but none is deleted."""
        waiting = False
        best: Entry | None = None
        best_offset = 0
        for entry in candidates:
            at = entry.place
            # the kernel reported where it was moved, or what had taken its place by then
            if at in self._state.movers:
                waiting = waiting or not ties.is_on_its_way(self._state, entry)
                continue
            hold = self._gone.get(at)
            if hold is None:
                waiting = True
            elif best is None or hold.seen.offset < best_offset:
                best, best_offset = entry, hold.seen.offset
        return waiting if best is None else best

    def target_of(self, entry: Entry) -> Hold | None:
        """For a settled deletion: the held creation that continues it; the first in the log."""
        if entry.type != "file" or entry.place in self._state.movers:
            return None
        found = self._twins(entry)
        if not found and entry.fingerprint is not None:
            alike = self._new_by_fingerprint.all(entry.fingerprint)
            found = [hold for hold in alike if self._may_pair(hold, entry) and not self._is_another(hold)]
        return min(found, key=lambda hold: hold.seen.offset, default=None)

    def _is_another(self, hold: Hold) -> bool:
        """Whether a held creation has the identity of another known file, for which it waits."""
        state = hold.seen.state
        assert state is not None
        same = self._known.same(hold.library, hold.place, state)
        return any(entry.place not in self._state.movers for entry in same)

    def twin_of(self, entry: Entry) -> Hold | None:
        """The held creation with the identity of a known file for which the kernel reported no move."""
        if entry.type != "file" or entry.place in self._state.movers:
            return None
        return min(self._twins(entry), key=lambda hold: hold.seen.offset, default=None)

    def is_where(self, entry: Entry, library: str, place: RootPath, state: FileState | None) -> bool:
        """Whether what was observed at a place is the known file, by its identity."""
        return (
            state is not None
            and same_identity(state, entry)
            and may_pair(self._rules, entry, library, place, state.size)
        )

    def _twins(self, entry: Entry) -> list[Hold]:
        held = self._new_by_inode.all(entry.inode)
        return [hold for hold in held if self.is_where(entry, hold.library, hold.place, hold.seen.state)]

    def hold_gone(self, entry: Entry, seen: Sighting, until: int) -> None:
        """Hold a deletion."""
        hold = self._gone[entry.place] = Hold(True, entry.library, entry.place, seen, until)
        self._start(hold)

    def hold_new(self, library: str, place: RootPath, seen: Sighting, fingerprint: str | None, until: int) -> None:
        """Hold a creation."""
        hold = self._new[place] = Hold(False, library, place, seen, until, fingerprint)
        assert seen.state is not None
        self._new_by_inode.put(seen.state.inode, hold)
        if fingerprint is not None:
            self._new_by_fingerprint.put(fingerprint, hold)
        self._start(hold)

    def fingerprinted(self, hold: Hold, fingerprint: str) -> None:
        """A held creation's content became known."""
        if hold.fingerprint is not None:
            self._new_by_fingerprint.drop(hold.fingerprint, hold)
        hold.fingerprint = fingerprint
        self._new_by_fingerprint.put(fingerprint, hold)

    def release(self, hold: Hold | None) -> Ended:
        """Release a hold that is decided. None: nothing was held."""
        if hold is None:
            return ()
        hold.deadline = None
        if hold.is_gone:
            del self._gone[hold.place]
        else:
            del self._new[hold.place]
            assert hold.seen.state is not None
            self._new_by_inode.drop(hold.seen.state.inode, hold)
            if hold.fingerprint is not None:
                self._new_by_fingerprint.drop(hold.fingerprint, hold)
        return () if hold.seen.tally is None else left(self._state, hold.seen.tally)

    def postpone(self, hold: Hold, until: int) -> None:
        """Hold it until another deadline."""
        self._deadlines.set(hold, until)

    def scan_finished(self, tally: Tally, now: int) -> None:
        """What was held for this scan is due when its window ends, and not before now."""
        for hold in [hold for hold in self._state.holds if hold.seen.tally == tally.id]:
            self._deadlines.set(hold, max(hold.expires_at, now))

    def rekey(self, hold: Hold, place: RootPath) -> None:
        """Its directory moved: hold it at another place (a deletion's entry has been moved already)."""
        held = self._gone if hold.is_gone else self._new
        del held[hold.place]
        hold.place = place
        held[place] = hold

    def _start(self, hold: Hold) -> None:
        scan = hold.seen.tally
        if scan is not None:
            joined(self._state, scan)
        if scan is None or self._state.tallies[scan].finished:
            self._deadlines.set(hold, hold.expires_at)

    def _may_pair(self, hold: Hold, entry: Entry) -> bool:
        state = hold.seen.state
        return state is not None and may_pair(self._rules, entry, hold.library, hold.place, state.size)
