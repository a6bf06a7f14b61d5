"""Looking behind the interface `Watch`: what changed is found in passes, in the thread that drains.

It tells of directories only; the listing that follows decides what is there. A pass ends after a moment, however slow the
file system is, and goes on in the next one."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path

from producer.backends.interface import Coverage, Drained, Looking
from producer.backends.polling.looks import Seen, look, look_inside
from producer.backends.polling.schedule import HOT_FOR_SECONDS, Pace, Place, Schedule
from producer.core.normalise import DirectoryChanged

PASS_SECONDS = 0.1
"""A pass takes no longer, so that nothing else waits for it; a look that is under way is finished."""

_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ESTALE})


class PollingWatch:
    """Looks below one root; see the interface `Watch`. `why`: that it looks, in words."""

    def __init__(self, root: Path, _woken: Callable[[], None], pace: Pace, *, why: str = "") -> None:
        self._root = os.fsencode(root)
        self._schedule = Schedule(pace)
        self._identity: tuple[int, int] | None = None
        self._why = why

    @property
    def coverage(self) -> Coverage:
        """See the interface. Nothing is beyond a limit: more directories are looked at more rarely."""
        known, hot = self._schedule.known, self._schedule.hot
        looking = Looking(hot, known - hot, self._schedule.per_second, self._schedule.unseen_seconds)
        return Coverage(known, 0, "", "polling", self._why, looking)

    def add(self, path: str) -> None:
        """See the interface. What it looks like now is what later looks are compared with; of one that is known, what it
        looked like at its last look is, because what has changed since is still to be told."""
        if self._schedule.at(path) is not None:
            return
        try:
            root = self._open()
            try:
                seen = look(root, path)
            finally:
                os.close(root)
        except OSError:  # gone or unreadable: whoever lists it finds out
            return
        if not path:
            self._identity = seen.identity
        self._schedule.add(path, seen.stamp, recent=_is_recent(seen))

    def remove(self, path: str) -> None:
        """See the interface."""
        place = self._schedule.at(path)
        if place is not None:
            self._schedule.remove(place)

    def drain(self, now: float) -> Drained:
        """See the interface."""
        if (due := self.next_due()) is not None and due > now:
            return Drained()
        self._schedule.begin(now)
        try:
            root = self._open()
        except OSError:
            return Drained(suspect=True)
        try:
            return self._pass(root)
        finally:
            os.close(root)

    def next_due(self) -> float | None:
        """See the interface."""
        return self._schedule.next_due()

    def close(self) -> None:
        """See the interface."""
        self._schedule = Schedule(self._schedule.pace)

    def _open(self) -> int:
        return os.open(self._root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)

    def _pass(self, root: int) -> Drained:
        """Where another directory than the known one stands at the root's place, nothing is said of it."""
        try:
            if self._identity is not None and look(root, "").identity != self._identity:
                return Drained(suspect=True)
        except OSError:
            return Drained(suspect=True)
        told: dict[str, None] = {}
        until = time.monotonic() + PASS_SECONDS
        while (place := self._schedule.take()) is not None:
            path = self._look(root, place)
            if path is not None:
                told[path] = None
            if time.monotonic() >= until:
                break
        return Drained(tuple(map(DirectoryChanged, told)))

    def _look(self, root: int, place: Place) -> str | None:
        """The directory to be told of, if any. Of one that is gone it is its parent, which changed by that. It is looked at
        once more before it is forgotten: it may only have been away while something else was renamed."""
        path = place.path
        cost, changed = 1, False
        try:
            seen = look(root, path)
            changed = seen.stamp != place.stamp
            place.stamp = seen.stamp
            if self._schedule.wants_entries(place) or changed:
                listed = look_inside(root, path)
                cost += 1 + listed.count
                changed = changed or listed.stamp != place.listing
                place.listing, place.size = listed.stamp, listed.count
        except OSError as error:
            if error.errno in _GONE and place.parent is not None:
                return self._gone(place)
            place.stamp = None  # whatever it is when it can be looked at again is news
            changed = False
        return path if self._schedule.looked(place, cost, changed=changed) else None

    def _gone(self, place: Place) -> str:
        above = place.parent.path if place.parent is not None else ""
        if place.stamp is None:
            self._schedule.remove(place)
        else:
            place.stamp = None
            self._schedule.looked(place, 1, changed=True)
        return above


def _is_recent(seen: Seen) -> bool:
    """True of one that changed lately by its own clock, which a server may have set wrong: then it is looked at more often
    than it need be, or only as often as others."""
    return abs(time.time() - seen.mtime) < HOT_FOR_SECONDS
