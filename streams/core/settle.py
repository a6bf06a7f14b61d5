"""Debounce: when a path has been quiet long enough to be believed.

Per path one pending observation, the latest. Only a changed size, mtime or identity starts the window anew.
A path settles when it was quiet for the root's debounce window, or at the max hold: a file still changing then
is reported unsettled and its hold begins anew, an empty one (and whatever is not a regular file) settles.
It knows nothing of what is known about the path: that comparison is the next stage's.
"""

from __future__ import annotations

from schemas.identity import same_state
from streams.core import ties
from streams.core.rules import Windows
from streams.core.state import Ended, Pending, RootPath, Sighting, State
from streams.core.tally import joined, left


class Settle:
    """All pending paths of a lane."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._deadlines = state.deadlines
        self._pending = state.pending

    def get(self, place: RootPath) -> Pending | None:
        """What is pending at a place."""
        return self._pending.get(place)

    def touch(self, place: RootPath, seen: Sighting, now: int, windows: Windows) -> Ended:
        """Take in an observation of a path."""
        pending = self._pending.get(place)
        if pending is None:
            pending = self._pending[place] = Pending(
                place, seen.state, seen.offset, seen.origin, seen.cause, seen.tally, seen.trace, now, now, windows
            )
            if seen.tally is not None:
                joined(self._state, seen.tally)
            self._deadlines.set(pending, pending.due_at)
            return ()
        pending.offset = seen.offset
        pending.trace = seen.trace
        ended: Ended = ()
        if seen.tally is not None:
            if pending.tally is not None:
                ended = left(self._state, pending.tally)
            pending.tally = seen.tally
            joined(self._state, seen.tally)
        if not same_state(pending.state, seen.state):
            self._change(pending, seen)
            pending.last_at = now
            pending.deadline = pending.due_at
        return ended

    def take(self, pending: Pending) -> Ended:
        """It has settled (or is settled early): no longer pending."""
        del self._pending[pending.place]
        pending.deadline = None
        return () if pending.tally is None else left(self._state, pending.tally)

    def hold_on(self, pending: Pending) -> bool:
        """Its deadline has come. True: a file still being written, its hold has begun anew at the deadline; False:
        it is to be taken, for it has settled."""
        state = pending.state
        writing = state is not None and state.type == "file" and state.size > 0 and pending.carries is None
        if not writing or not pending.still_changing:
            return False
        assert pending.deadline is not None
        pending.first_at = pending.deadline
        self._deadlines.set(pending, pending.due_at)
        return True

    def rekey(self, pending: Pending, place: RootPath) -> Ended:
        """Its directory moved: same pending path, another place. What was pending there is outdated."""
        del self._pending[pending.place]
        ended = self.drop(place)
        ties.path_moved(self._state, pending, place)
        self._pending[place] = pending
        return ended

    def drop(self, place: RootPath) -> Ended:
        """Forget what is pending at a place, if anything is."""
        pending = self._pending.get(place)
        if pending is None:
            return ()
        ties.untie(self._state, pending)
        return self.take(pending)

    def _change(self, pending: Pending, seen: Sighting) -> None:
        before, after = pending.state, seen.state
        if before is None or after is None or before.inode != after.inode:
            ties.untie(self._state, pending)  # another file than the one that was moved here
        pending.state = after
        pending.fingerprint = None
        pending.origin = seen.origin
        pending.cause = seen.cause
