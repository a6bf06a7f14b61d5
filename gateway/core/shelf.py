"""A cache of what was read from the log for replays, shared by all clients that replay the same; of a client only its
offset is kept.

Limited in bytes for the whole process, however many clients replay and however slow they are; the least recently used
stretch is evicted first, and read again if a client wants it.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import OrderedDict
from collections.abc import Iterable
from typing import TypeAlias

from gateway.core.about import FramedColumns
from gateway.core.columns import Columns, Taken

Place: TypeAlias = tuple[str, int]
"""A channel and a partition of its topic."""

OVERHEAD = 150
"""Bytes that an event costs besides its payload, approximately: an offset, a time, a slot in each of four columns."""


class Stretch(Columns):
    """The records of a partition in [start, end), in order; it does not change."""

    __slots__ = ("_last",)

    def __init__(self, start: int, runs: Iterable[FramedColumns], end: int) -> None:
        """`runs`: the records, run by run."""
        super().__init__(start, end)
        for offsets, ats, payloads, abouts in runs:
            self._offsets += offsets
            self._ats += ats
            self._payloads += payloads
            self._abouts += abouts
        self._size = sum(map(len, self._payloads))
        self._last: tuple[object, Taken] | None = None

    def take(
        self,
        start: int,
        budget: int,
        until: int | None = None,
        ends_at: int | None = None,
        limit: int | None = None,
    ) -> Taken:
        """As of all columns; found once for clients that take the same one after the other."""
        wanted = start, budget, until, ends_at, limit
        if self._last is None or self._last[0] != wanted:
            self._last = wanted, super().take(start, budget, until, ends_at, limit)
        return self._last[1]

    @property
    def cost(self) -> int:
        """Bytes of memory, approximately."""
        return self._size + OVERHEAD * (1 + len(self._payloads))


class Shelf:
    """Stretches by where they are in the log."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._stretches: OrderedDict[tuple[Place, int], Stretch] = OrderedDict()
        self._starts: dict[Place, list[int]] = {}
        self._cost = 0

    @property
    def cost(self) -> int:
        """Bytes of memory, approximately."""
        return self._cost

    def put(self, place: Place, stretch: Stretch) -> None:
        """Keep it, and evict the least recently used until there is room. The newest stays whatever its size."""
        self._remove((place, stretch.lo))
        self._stretches[place, stretch.lo] = stretch
        insort(self._starts.setdefault(place, []), stretch.lo)
        self._cost += stretch.cost
        while self._cost > self._max_bytes and len(self._stretches) > 1:
            self._remove(next(iter(self._stretches)))

    def find(self, place: Place, offset: int) -> Stretch | None:
        """The stretch that covers `offset`, if one does."""
        starts = self._starts.get(place, ())
        at = bisect_right(starts, offset)
        if not at:
            return None
        key = (place, starts[at - 1])
        stretch = self._stretches[key]
        if offset >= stretch.hi:
            return None
        self._stretches.move_to_end(key)
        return stretch

    def drop(self, channel: str) -> None:
        """The channel's topic was recreated: drop its stretches."""
        for key in [key for key in self._stretches if key[0][0] == channel]:
            self._remove(key)

    def _remove(self, key: tuple[Place, int]) -> None:
        stretch = self._stretches.pop(key, None)
        if stretch is not None:
            self._cost -= stretch.cost
            starts = self._starts[key[0]]
            starts.remove(key[1])
            if not starts:
                del self._starts[key[0]]
