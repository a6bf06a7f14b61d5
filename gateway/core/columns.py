"""A run of one partition's events, column by column: what the ring of the newest events and a stretch read from the log
have in common. It covers the offsets [lo, hi), holes (transaction markers, aborted records) included."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from gateway.core.about import About, Framed


@dataclass(frozen=True, slots=True)
class Taken:
    """Payloads in order of offset, what they are about, and the next offset wanted after them. `ended`: the record at `next`
    was appended at or after the time at which the run was to end."""

    payloads: list[bytes]
    abouts: list[About | None]
    next: int
    ended: bool = False


class Columns:
    """Offsets, append times (ms; 0: not of a record, due at any time), payloads and what they are about; the first `_first`
    slots are dropped."""

    __slots__ = ("_abouts", "_ats", "_first", "_offsets", "_payloads", "_size", "hi", "lo")

    def __init__(self, lo: int, hi: int) -> None:
        """An empty run."""
        self.lo = lo
        self.hi = hi
        self._offsets: list[int] = []
        self._ats: list[int] = []
        self._payloads: list[bytes] = []
        self._abouts: list[About | None] = []
        self._first = 0
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes of the payloads kept."""
        return self._size

    def take(
        self,
        start: int,
        budget: int,
        until: int | None = None,
        ends_at: int | None = None,
        limit: int | None = None,
    ) -> Taken:
        """Payloads from `start` (lo ≤ start ≤ hi), before `until` and before the first that was appended at `ends_at` (ms)
        or later: at most `limit`, and at most `budget` bytes, but at least one."""
        payloads, ats = self._payloads, self._ats
        begin = bisect_left(self._offsets, start, self._first)
        stop = len(payloads) if until is None else bisect_left(self._offsets, until, self._first)
        size = 0
        for end in range(begin, stop):
            if ends_at is not None and ats[end] >= ends_at:
                return self._taken(begin, end, self._offsets[end], ended=True)
            size += len(payloads[end])
            if (size > budget and end > begin) or end - begin == limit:
                return self._taken(begin, end, self._offsets[end])
        return self._taken(begin, max(begin, stop), self.hi if until is None else min(self.hi, until))

    def first_since(self, start: int, at: int) -> tuple[int, bool]:
        """The offset of the first payload from `start` (≥ lo) that is due to a reader that skips what was appended before
        `at` (ms), and whether everything from there on is due; the end and False if there is none."""
        for index in range(bisect_left(self._offsets, start, self._first), len(self._offsets)):
            if self._ats[index] >= at or not self._ats[index]:
                return self._offsets[index], self._ats[index] >= at
        return max(start, self.hi), False

    def records(self, start: int, budget: int | None = None) -> tuple[list[Framed], int]:
        """The records kept from `start` (≥ lo): all of them, or at most `budget` bytes but at least one; and the next offset
        after them."""
        begin = end = bisect_left(self._offsets, start, self._first)
        size = 0
        while end < len(self._payloads) and (budget is None or size < budget or end == begin):
            size += len(self._payloads[end])
            end += 1
        columns = (self._offsets, self._ats, self._payloads, self._abouts)
        found = list(zip(*(column[begin:end] for column in columns), strict=True))
        return found, self.hi if end == len(self._payloads) else self._offsets[end]

    def _taken(self, begin: int, end: int, next_: int, *, ended: bool = False) -> Taken:
        return Taken(self._payloads[begin:end], self._abouts[begin:end], next_, ended)
