"""How many paths are known in a root, for those who want to know what share of it is gone: counted now and then, for
counting takes the longer the more there are."""

from __future__ import annotations

from producer.index import Index
from producer.ports import Clock

EVERY_SECONDS = 60.0
COST = 200
"""Counting takes no more than one in so many of a root's seconds."""


class Counting:
    """Of one root, in its own thread."""

    def __init__(self, index: Index, clock: Clock) -> None:
        self._index = index
        self._clock = clock
        self._due = float("-inf")
        self._known = 0

    def entries(self) -> int:
        """As last counted, which was a minute ago at most, or longer where it takes long."""
        began = self._clock.monotonic()
        if began >= self._due:
            self._known = self._index.count()
            now = self._clock.monotonic()
            self._due = now + max(EVERY_SECONDS, COST * (now - began))
        return self._known
