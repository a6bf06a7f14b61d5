"""Debounce: when a path has been quiet long enough.

There is one pending observation per path, the latest. Only a changed size, mtime or identity restarts the window.
A path settles when it was quiet for the root's debounce window, or at the max hold: a file that still changes then
is published as unsettled and its hold restarts; an empty file (and anything that is not a regular file) settles.
This stage does not use what is known about the path: the next stage compares that.
"""

from __future__ import annotations

from collections.abc import Iterable

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
        self._by_inode = state.pending_by_inode

    def get(self, place: RootPath) -> Pending | None:
        """What is pending at a place."""
        return self._pending.get(place)

    def touch(self, place: RootPath, seen: Sighting, now: int, windows: Windows) -> Ended:
        """Apply an observation of a path."""
        pending = self._pending.get(place)
        if pending is None:
            pending = self._pending[place] = Pending(
                place, seen.state, seen.offset, seen.origin, seen.cause, seen.tally, seen.trace, now, now, windows
            )
            if seen.tally is not None:
                joined(self._state, seen.tally)
            self._deadlines.set(pending, pending.due_at)
            self._enter(pending)
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
            # its decision had been postponed
            if pending.deadline is not None and pending.due_at < pending.deadline:
                self._deadlines.set(pending, pending.due_at)
            else:
                pending.deadline = pending.due_at
        return ended

    def take(self, pending: Pending) -> Ended:
        """The path has settled (or is decided early): it is no longer pending."""
        del self._pending[pending.place]
        self._leave(pending)
        pending.deadline = None
        return () if pending.tally is None else left(self._state, pending.tally)

    def hold_on(self, pending: Pending) -> bool:
        """The deadline of a path has come. True: the file is still being written, and its hold has restarted at the
        deadline. False: it has settled and is to be taken."""
        state = pending.state
        writing = state is not None and state.type == "file" and state.size > 0 and pending.carries is None
        if not writing or not pending.still_changing:
            return False
        assert pending.deadline is not None
        pending.first_at = pending.deadline
        self._deadlines.set(pending, pending.due_at)
        return True

    def wait(self, pending: Pending, until: int) -> None:
        """Postpone its decision, once."""
        pending.waited = True
        self._deadlines.set(pending, until)

    def with_inode(self, inode: int) -> Iterable[Pending]:
        """The pending paths with a file of that inode."""
        return self._by_inode.all(inode)

    def rekey(self, pending: Pending, place: RootPath) -> Ended:
        """Its directory moved: the pending path has another place. What was pending there is dropped."""
        del self._pending[pending.place]
        ended = self.drop(place)
        ties.path_moved(self._state, pending, place)
        self._pending[place] = pending
        return ended

    def drop(self, place: RootPath) -> Ended:
        """Drop what is pending at a place, if anything is."""
        pending = self._pending.get(place)
        if pending is None:
            return ()
        ties.untie(self._state, pending)
        return self.take(pending)

    def _change(self, pending: Pending, seen: Sighting) -> None:
        before, after = pending.state, seen.state
        if before is None or after is None or before.inode != after.inode:
            ties.untie(self._state, pending)  # another file than the one that was moved here
        self._leave(pending)
        pending.state = after
        self._enter(pending)
        pending.fingerprint = None
        pending.waited = False
        pending.origin = seen.origin
        pending.cause = seen.cause

    def _enter(self, pending: Pending) -> None:
        if pending.state is not None and pending.state.type == "file":
            self._by_inode.put(pending.state.inode, pending)

    def _leave(self, pending: Pending) -> None:
        if pending.state is not None and pending.state.type == "file":
            self._by_inode.drop(pending.state.inode, pending)
