"""How long the producer waits before it tries again: few waits, all named here, and how they grow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waits:
    """In seconds: doubled after each failure, from the first to the longest."""

    first: float
    longest: float


KAFKA = Waits(0.2, 5.0)
"""For Kafka: to send, to report, to read what operators ask."""

LEASES = Waits(0.2, 1.0)
"""To read who watches a root: a holder that is back later than others think is silent loses it."""

ROOT = Waits(1.0, 60.0)
"""For a root whose thread failed: its state cannot be written, or the program is wrong."""

UNREACHABLE = Waits(1.0, 15.0)
"""To connect to a share's server that does not answer."""

REFUSED = Waits(5.0, 60.0)
"""To connect to one that says no: a NAS blocks an address after some ten tries in five minutes."""


class Backoff:
    """The waits of one thing that is tried again and again."""

    def __init__(self, waits: Waits) -> None:
        self._waits = waits
        self._next = waits.first

    def next_seconds(self) -> float:
        """It failed: so long until it is tried again."""
        seconds, self._next = self._next, min(self._next * 2, self._waits.longest)
        return seconds

    def reset(self) -> None:
        """It succeeded."""
        self._next = self._waits.first
