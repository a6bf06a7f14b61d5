"""Which deletion and which creation are one move.

Settled deletions of known paths are held for the root's rename window; a creation is held only when a known
file elsewhere in its library has the same identity (dev, inode, size, mtime) or the same content. Whichever
half comes second finds the other, so pairing does not depend on arrival order. What a scan found is held until
that scan has finished: it tells what is there first and what is gone last. Among several deleted candidates
the first deletion in the log gives its id.
It decides on identity alone and knows nothing of media.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.raw import FileState
from streams.core.deadlines import Deadlines
from streams.core.known import TINY, Entry, Known, Multi, Place
from streams.core.settle import Sighting
from streams.core.tally import Tally


class Hold:
    """One settled half that waits for the other. A deletion has an `entry`; a creation has a `state`."""

    __slots__ = (
        "deadline", "entry", "expires_at", "fingerprint", "library", "order", "place", "seen", "tally",
    )  # fmt: skip

    def __init__(
        self, library: str, place: Place, seen: Sighting, expires_at: int, *,
        entry: Entry | None = None, fingerprint: str | None = None,
    ) -> None:  # fmt: skip
        self.library = library
        self.place = place
        self.seen = seen
        self.entry = entry
        self.fingerprint = fingerprint
        self.expires_at = expires_at
        self.tally: Tally | None = seen.tally
        self.deadline: int | None = None
        self.order = 0

    @property
    def waits_for_scan(self) -> bool:
        """True while the scan that found it has not finished."""
        return self.tally is not None and not self.tally.live.finished


class Renames:
    """All held halves of a lane. `ended`: told of accounts that have nothing held any more."""

    def __init__(self, known: Known, deadlines: Deadlines[Hold], ended: list[Tally]) -> None:
        self._ended = ended
        self._known = known
        self._deadlines = deadlines
        self._gone: dict[Place, Hold] = {}
        self._new: dict[Place, Hold] = {}
        self._new_by_inode: Multi[Hold] = Multi()
        self._new_by_fingerprint: Multi[Hold] = Multi()

    def __iter__(self) -> Iterator[Hold]:
        yield from self._gone.values()
        yield from self._new.values()

    def __len__(self) -> int:
        return len(self._gone) + len(self._new)

    def new_at(self, place: Place) -> Hold | None:
        """The creation held at a place."""
        return self._new.get(place)

    def gone_at(self, place: Place) -> Hold | None:
        """The deletion held at a place."""
        return self._gone.get(place)

    def origin_of(self, library: str, place: Place, state: FileState, fingerprint: str | None) -> Entry | bool:
        """For a settled creation: the deleted entry that it is the new place of; True when a known file that is
        not (yet) deleted looks the same, so that it should wait; False when it may pass at once."""
        if state.type != "file":
            return False
        waiting = False
        best: Hold | None = None
        for entry in self._known.like(library, place, state, fingerprint):
            if entry.mover is not None:
                continue  # the kernel has said where it went
            if entry.gone is None:
                waiting = True
            else:
                hold = self._gone[entry.place]
                if best is None or hold.seen.offset < best.seen.offset:
                    best = hold
        return best.entry if best is not None and best.entry is not None else waiting

    def target_of(self, entry: Entry) -> Hold | None:
        """For a settled deletion: the held creation that it has become; the first in the log."""
        if entry.type != "file" or entry.mover is not None:
            return None
        found = [hold for hold in self._new_by_inode.all(entry.inode) if _identity(hold, entry)]
        if entry.fingerprint is not None:
            found += [h for h in self._new_by_fingerprint.all(entry.fingerprint) if _content(h, entry)]
        return min(found, key=lambda hold: hold.seen.offset, default=None)

    def hold_gone(self, entry: Entry, seen: Sighting, until: int) -> None:
        """Hold a deletion."""
        hold = Hold(entry.library, entry.place, seen, until, entry=entry)
        entry.gone = hold
        self._gone[entry.place] = hold
        self._start(hold)

    def hold_new(self, library: str, place: Place, seen: Sighting, fingerprint: str | None, until: int) -> None:
        """Hold a creation."""
        hold = Hold(library, place, seen, until, fingerprint=fingerprint)
        self._new[place] = hold
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

    def release(self, hold: Hold) -> None:
        """It is decided, one way or the other: no longer held."""
        hold.deadline = None
        if hold.entry is not None:
            hold.entry.gone = None
            del self._gone[hold.place]
        else:
            del self._new[hold.place]
            assert hold.seen.state is not None
            self._new_by_inode.drop(hold.seen.state.inode, hold)
            if hold.fingerprint is not None:
                self._new_by_fingerprint.drop(hold.fingerprint, hold)
        if hold.tally is not None:
            hold.tally.left(self._ended)

    def postpone(self, hold: Hold, until: int) -> None:
        """Keep it until another deadline."""
        self._deadlines.set(hold, until)

    def scan_finished(self, tally: Tally, now: int) -> None:
        """What waited for this scan is due when its window ends, now at the earliest."""
        for hold in list(self):
            if hold.tally is not None and hold.tally.live is tally:
                self._deadlines.set(hold, max(hold.expires_at, now))

    def rekey(self, hold: Hold, place: Place) -> None:
        """Its directory moved (a deletion's entry has been moved already)."""
        held = self._gone if hold.entry is not None else self._new
        del held[hold.place]
        hold.place = place
        held[place] = hold

    def _start(self, hold: Hold) -> None:
        if hold.tally is not None:
            hold.tally.live.outstanding += 1
        if not hold.waits_for_scan:
            self._deadlines.set(hold, hold.expires_at)


def _identity(hold: Hold, entry: Entry) -> bool:
    state = hold.seen.state
    return (
        state is not None
        and state.dev == entry.dev
        and state.mtime_ns == entry.mtime_ns
        and _pairable(hold, entry, state)
    )


def _content(hold: Hold, entry: Entry) -> bool:
    state = hold.seen.state
    return state is not None and _pairable(hold, entry, state)


def _pairable(hold: Hold, entry: Entry, state: FileState) -> bool:
    return (
        hold.library == entry.library
        and state.size == entry.size
        and hold.place != entry.place
        and (state.size >= TINY or entry.name == hold.place.name)
    )
