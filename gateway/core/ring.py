"""The newest events of one partition, in memory: the ring covers the offsets [lo, hi).

`lo` is the last evicted offset + 1 and `hi` the reader's position, not offsets of records: what lies between
is covered, holes (transaction markers, aborted records) included. It holds payloads, framed for no transport, and what
each is about; a `gap` is one like any other.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

from gateway.core.about import About, Framed
from schemas.places import next_offset

COMPACT_AT = 1_024
"""Evicted slots kept before the lists are cut: cutting at each eviction would cost their length."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Payloads in order of offset, what they are about, and the next offset wanted after them. `ended`: what is at
    `next` was appended at the time, or after it, at which the run was to end."""

    payloads: list[bytes]
    abouts: list[About | None]
    next: int
    ended: bool = False


class Ring:
    """Payloads of one partition, bounded by bytes here and by age through `evict`."""

    __slots__ = ("_abouts", "_ats", "_first", "_max_bytes", "_offsets", "_payloads", "_size", "hi", "lo")

    def __init__(self, start: int, max_bytes: int) -> None:
        """An empty ring whose reader stands at `start`."""
        self.lo = self.hi = start
        self._max_bytes = max_bytes
        self._offsets: list[int] = []
        self._ats: list[int] = []
        self._payloads: list[bytes] = []
        self._abouts: list[About | None] = []
        self._first = 0
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes of the payloads held."""
        return self._size

    def append(self, offset: int, at: int, payload: bytes, about: About | None = None) -> None:
        """Add the payload of `offset` (≥ hi), appended to the log at `at` (ms). The oldest go when it is full;
        the newest stays whatever its size."""
        self._offsets.append(offset)
        self._ats.append(at)
        self._payloads.append(payload)
        self._abouts.append(about)
        self._size += len(payload)
        self.hi = next_offset(offset)
        while self._size > self._max_bytes and self._first < len(self._payloads) - 1:
            self._drop_oldest()

    def advance(self, hi: int) -> None:
        """The reader stands at `hi` now; what was between holds no event."""
        self.hi = max(self.hi, hi)

    def evict(self, older_than: int) -> None:
        """Drop what was appended before `older_than` (ms)."""
        while self._first < len(self._payloads) and self._ats[self._first] < older_than:
            self._drop_oldest()

    def take(
        self,
        start: int,
        budget: int,
        until: int | None = None,
        ends_at: int | None = None,
        limit: int | None = None,
    ) -> Taken:
        """Payloads from `start` (lo ≤ start ≤ hi) on, before `until` and before the first that was appended at
        `ends_at` (ms) or later: at most `limit`, and at most `budget` bytes, but one at least."""
        begin = end = bisect_left(self._offsets, start, self._first)
        stop = len(self._payloads) if until is None else bisect_left(self._offsets, until, self._first)
        size = 0
        while end < stop:
            if ends_at is not None and self._ats[end] >= ends_at:
                return self._taken(begin, end, self._offsets[end], ended=True)
            size += len(self._payloads[end])
            if (size > budget and end > begin) or end - begin == limit:
                return self._taken(begin, end, self._offsets[end])
            end += 1
        return self._taken(begin, end, self.hi if until is None else min(self.hi, until))

    def first_since(self, start: int, at: int) -> tuple[int, bool]:
        """The offset of the first payload from `start` (≥ lo) on that was appended at `at` (ms) or later, and true; the
        end of the ring, and false, where there is none."""
        for index in range(bisect_left(self._offsets, start, self._first), len(self._offsets)):
            if self._ats[index] >= at:
                return self._offsets[index], True
        return max(start, self.hi), False

    def newest(self, count: int, shows: Callable[[About | None], bool]) -> list[tuple[int, int]]:
        """(append time, offset) of the `count` newest that are shown, oldest first; fewer when it has fewer."""
        found: list[tuple[int, int]] = []
        for index in range(len(self._payloads) - 1, self._first - 1, -1):
            if len(found) == count:
                break
            if shows(self._abouts[index]):
                found.append((self._ats[index], self._offsets[index]))
        return found[::-1]

    def records(self, start: int, budget: int) -> tuple[list[Framed], int]:
        """What is held from `start` (≥ lo) on, of at most `budget` bytes but one at least, and the next offset after it."""
        begin = end = bisect_left(self._offsets, start, self._first)
        size = 0
        while end < len(self._payloads) and (size < budget or end == begin):
            size += len(self._payloads[end])
            end += 1
        columns = (self._offsets, self._ats, self._payloads, self._abouts)
        found = list(zip(*(column[begin:end] for column in columns), strict=True))
        return found, self.hi if end == len(self._payloads) else self._offsets[end]

    def _taken(self, begin: int, end: int, next_: int, *, ended: bool = False) -> Taken:
        return Taken(self._payloads[begin:end], self._abouts[begin:end], next_, ended)

    def _drop_oldest(self) -> None:
        self.lo = next_offset(self._offsets[self._first])
        self._size -= len(self._payloads[self._first])
        self._payloads[self._first] = b""
        self._first += 1
        if self._first >= COMPACT_AT and self._first * 2 >= len(self._payloads):
            for column in (self._offsets, self._ats, self._payloads, self._abouts):
                del column[: self._first]
            self._first = 0
