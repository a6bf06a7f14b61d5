"""How far a reader is behind the log, in records and in seconds, as gauges.

Seconds are the age of the oldest unprocessed record. Its time is unknown before it is read, so the earliest possible time is
assumed: it was appended after the last processed record, and after the reader was last seen at the end. The value is too
high by at most the interval between two checks, never too low, and 0 when the reader has caught up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runtime import metrics

Place = tuple[str, int]
"""A topic, by its declared name, and a partition."""


@dataclass(frozen=True, slots=True)
class Reached:
    """A reader's progress in a partition. `next_offset`: of the next record to process; `at`: append time of the last
    processed record, ms; None if it has processed none."""

    next_offset: int
    at: int | None = None


class Lag:
    """The lag of one reader (`reader`: its label). Partitions that it no longer reads are removed from the gauges. `worst`:
    seconds of the partition that is furthest behind, as last shown."""

    def __init__(self, reader: str) -> None:
        self._reader = reader
        self.worst = 0.0
        self._level_at: dict[Place, float] = {}
        self._first_seen: dict[Place, float] = {}

    def show(self, reached: Mapping[Place, Reached], ends: Mapping[Place, int], now: float) -> None:
        """Set the gauges. `ends`: the end offsets of the partitions for which they are known; `now`: Unix time, s."""
        for place in self._first_seen.keys() - reached.keys():
            self._forget(place)
        shown = [self._show(place, at, ends[place], now) for place, at in reached.items() if place in ends]
        self.worst = max(shown, default=0.0)

    def _show(self, place: Place, at: Reached, end: int, now: float) -> float:
        labels = (self._reader, *place)
        self._first_seen.setdefault(place, now)
        behind = max(0, end - at.next_offset)
        if not behind:
            self._level_at[place] = now
        metrics.LAG_RECORDS.labels(*labels).set(behind)
        seconds = self._seconds(place, at, now) if behind else 0.0
        metrics.LAG_SECONDS.labels(*labels).set(seconds)
        metrics.NEXT_OFFSET.labels(*labels).set(at.next_offset)
        return seconds

    def _seconds(self, place: Place, at: Reached, now: float) -> float:
        processed = 0.0 if at.at is None else at.at / 1000
        since = max(processed, self._level_at.get(place, 0.0))
        return max(0.0, now - (since or self._first_seen[place]))

    def _forget(self, place: Place) -> None:
        del self._first_seen[place]
        self._level_at.pop(place, None)
        for gauge in metrics.OF_READERS:
            gauge.remove(self._reader, *place)
