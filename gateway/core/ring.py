"""The newest events of one partition, in memory: the ring covers the offsets [lo, hi).

`lo` is the last evicted offset + 1 and `hi` the reader's position, not offsets of records: what lies between is covered,
holes (transaction markers, aborted records) included. It keeps payloads without any transport's framing, and what each is
about; a `gap` is a payload like any other.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.core.about import About
from gateway.core.columns import Columns
from schemas.places import next_offset

COMPACT_AT = 1_024
"""Evicted slots kept before the lists are cut: cutting at each eviction would cost time proportional to their length."""


class Ring(Columns):
    """Payloads of one partition, limited by bytes here and by age through `evict`."""

    __slots__ = ("_max_bytes",)

    def __init__(self, start: int, max_bytes: int) -> None:
        """An empty ring whose reader is at `start`."""
        super().__init__(start, start)
        self._max_bytes = max_bytes

    def append(self, offset: int, at: int, payload: bytes, about: About | None = None) -> None:
        """Add the payload of `offset` (≥ hi), appended to the log at `at` (ms). If the ring is full, the oldest are evicted;
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
        """The reader is at `hi` now; there is no event in between."""
        self.hi = max(self.hi, hi)

    def evict(self, older_than: int) -> None:
        """Drop what was appended before `older_than` (ms)."""
        while self._first < len(self._payloads) and self._ats[self._first] < older_than:
            self._drop_oldest()

    def newest(self, count: int, shows: Callable[[About | None], bool]) -> list[tuple[int, int]]:
        """(append time, offset) of the `count` newest that are shown, oldest first; fewer if the ring has fewer."""
        found: list[tuple[int, int]] = []
        for index in range(len(self._payloads) - 1, self._first - 1, -1):
            if len(found) == count:
                break
            if shows(self._abouts[index]):
                found.append((self._ats[index], self._offsets[index]))
        return found[::-1]

    def _drop_oldest(self) -> None:
        self.lo = next_offset(self._offsets[self._first])
        self._size -= len(self._payloads[self._first])
        self._payloads[self._first] = b""
        self._first += 1
        if self._first >= COMPACT_AT and self._first * 2 >= len(self._payloads):
            for column in (self._offsets, self._ats, self._payloads, self._abouts):
                del column[: self._first]
            self._first = 0
