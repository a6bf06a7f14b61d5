"""How many paths a root has, so that the share of missing ones can be computed. Counting takes longer the more paths there
are, so it is done only now and then."""

from __future__ import annotations

from producer.index import Index
from producer.ports import Clock

EVERY_SECONDS = 60.0
COST = 200
"""Counting takes at most one in this many seconds of a root's time."""


class Counting:
    """The count of one root, used by its thread."""

    def __init__(self, index: Index, clock: Clock) -> None:
        self._index = index
        self._clock = clock
        self._due = float("-inf")
        self._known = 0

    def entries(self) -> int:
        """The last count: at most a minute old, or older where counting takes long."""
        began = self._clock.monotonic()
        if began >= self._due:
            self._known = self._index.count()
            now = self._clock.monotonic()
            self._due = now + max(EVERY_SECONDS, COST * (now - began))
        return self._known
