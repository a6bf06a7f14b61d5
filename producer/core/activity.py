"""Which directories are listed again although no change of them was reported.

A share's server reports little: a file's name when it appears, and mostly nothing of what is written to it later, or done on
the server itself. But what has just changed is likely to change again soon: its directory is listed again after a second,
then after twice as long each time, at last every minute, and from the beginning whenever something differs there, until
nothing has for a quarter of an hour. A directory that takes long to list is listed less often."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from producer.core.facts import Fact, Gone, Moved, Swapped, There

FIRST_SECONDS = 1.0
"""Less than a change takes to settle, so that a growing file is noticed."""

LONGEST_SECONDS = 60.0
QUIET_SECONDS = 900.0
MOST = 64
"""Directories at once; those that differed last."""

SHARE = 20.0
"""Listing one directory takes at most one in this many seconds."""


@dataclass(slots=True)
class _Busy:
    at: float
    seconds: float
    differed: float
    is_waiting: bool = False


class Activity:
    """Of one root. Times in seconds of any one monotonic clock."""

    def __init__(self) -> None:
        self._busy: dict[str, _Busy] = {}

    def saw(self, facts: Iterable[Fact], now: float) -> None:
        """These facts differed from the index."""
        for directory in {above for fact in facts for above in _above(fact)}:
            self._busy.pop(directory, None)
            self._busy[directory] = _Busy(now + FIRST_SECONDS, FIRST_SECONDS, now)
        while len(self._busy) > MOST:
            del self._busy[next(iter(self._busy))]

    def due(self, now: float) -> list[str]:
        """Directories to be listed now; each is due again only after `listed`."""
        self._busy = {path: busy for path, busy in self._busy.items() if now - busy.differed < QUIET_SECONDS}
        found = [path for path, busy in self._busy.items() if busy.at <= now and not busy.is_waiting]
        for path in found:
            self._busy[path].is_waiting = True
        return found

    def listed(self, directory: str, now: float, took: float) -> None:
        """It was listed, in `took` seconds."""
        busy = self._busy.get(directory)
        if busy is None or not busy.is_waiting:
            return
        busy.is_waiting = False
        busy.seconds = min(busy.seconds * 2, LONGEST_SECONDS)
        busy.at = now + min(max(busy.seconds, took * SHARE), LONGEST_SECONDS)

    def forget(self) -> None:
        """The root is no longer observed; all of it will be scanned when it is again."""
        self._busy.clear()

    def next_due(self) -> float | None:
        """When a directory is due."""
        return min((busy.at for busy in self._busy.values() if not busy.is_waiting), default=None)


def _above(fact: Fact) -> list[str]:
    match fact:
        case There(path) | Gone(path):
            paths = [path]
        case Moved(source, path):
            paths = [source, path]
        case Swapped(one, other):
            paths = [one, other]
    return [path.rpartition("/")[0] for path in paths]
