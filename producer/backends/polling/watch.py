"""Polling behind the interface `Watch`: changes are found in passes, in the thread that drains.

It reports directories only; the listing that follows decides what is there. A pass ends after a moment, however slow the
file system is, and the next one continues."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path

from producer.backends.interface import Coverage, Drained, PollingStats
from producer.backends.polling.looks import Seen, look, look_inside
from producer.backends.polling.schedule import HOT_FOR_SECONDS, Directory, Pace, Schedule
from producer.core.normalise import DirectoryChanged

PASS_SECONDS = 0.1
"""A pass takes no longer, so that nothing else waits for it; a look that has begun is finished."""

_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ESTALE})


class PollingWatch:
    """Polls one root; see the interface `Watch`. `why`: the reason for polling, for people."""

    def __init__(self, root: Path, _wake: Callable[[], None], pace: Pace, *, why: str = "") -> None:
        self._root = os.fsencode(root)
        self._schedule = Schedule(pace)
        self._identity: tuple[int, int] | None = None
        self._why = why

    @property
    def coverage(self) -> Coverage:
        """See the interface. There is no limit: the more directories, the more rarely each is looked at."""
        known, hot = self._schedule.known, self._schedule.hot
        polling = PollingStats(hot, known - hot, self._schedule.per_second, self._schedule.unseen_seconds)
        return Coverage(known, 0, "", "polling", self._why, polling)

    def add(self, path: str) -> None:
        """See the interface. Later looks are compared with what is seen now; a known directory keeps what its last look
        saw, because what has changed since is still to be reported."""
        if self._schedule.at(path) is not None:
            return
        try:
            root = self._open()
            try:
                seen = look(root, path)
            finally:
                os.close(root)
        except OSError:  # gone or unreadable, which is noticed when it is listed
            return
        if not path:
            self._identity = seen.identity
        self._schedule.add(path, seen.stamp, recent=_is_recent(seen))

    def remove(self, path: str) -> None:
        """See the interface."""
        directory = self._schedule.at(path)
        if directory is not None:
            self._schedule.remove(directory)

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
        """Where the directory at the root's path is not the known one, nothing is reported for it."""
        try:
            if self._identity is not None and look(root, "").identity != self._identity:
                return Drained(suspect=True)
        except OSError:
            return Drained(suspect=True)
        reported: dict[str, None] = {}
        until = time.monotonic() + PASS_SECONDS
        while (directory := self._schedule.take()) is not None:
            path = self._look(root, directory)
            if path is not None:
                reported[path] = None
            if time.monotonic() >= until:
                break
        return Drained(tuple(map(DirectoryChanged, reported)))

    def _look(self, root: int, directory: Directory) -> str | None:
        """The directory to be reported, if any. For one that is gone that is its parent, which changed by that. It is looked
        at once more before it is forgotten: it may only have been away while something else was renamed."""
        path = directory.path
        cost, changed = 1, False
        try:
            seen = look(root, path)
            changed = seen.stamp != directory.stamp
            directory.stamp = seen.stamp
            if self._schedule.needs_entries(directory) or changed:
                listed = look_inside(root, path)
                cost += 1 + listed.count
                changed = changed or listed.stamp != directory.listing
                directory.listing, directory.size = listed.stamp, listed.count
        except OSError as error:
            if error.errno in _GONE and directory.parent is not None:
                return self._gone(directory)
            directory.stamp = None  # whatever is seen next counts as a change
            changed = False
        return path if self._schedule.looked(directory, cost, changed=changed) else None

    def _gone(self, directory: Directory) -> str:
        above = directory.parent.path if directory.parent is not None else ""
        if directory.stamp is None:
            self._schedule.remove(directory)
        else:
            directory.stamp = None
            self._schedule.looked(directory, 1, changed=True)
        return above


def _is_recent(seen: Seen) -> bool:
    """True of one that changed lately by its own clock. A server may have set that wrong: then it is looked at more often
    than necessary, or only as often as others."""
    return abs(time.time() - seen.mtime) < HOT_FOR_SECONDS
