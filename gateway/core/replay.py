"""The transition from history to live, for one client and one partition.

A client's whole state in a partition is the next offset that it wants. Its place relative to the ring decides what is due:
inside the ring, take from it; below it, read the log until the ring is reached; at its end, live. The step to live is taken
in one event-loop step without an await, so nothing is lost and nothing is delivered twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.core.columns import Taken
from gateway.core.ring import Ring
from gateway.core.shelf import Stretch


@dataclass(frozen=True, slots=True)
class Level:
    """Nothing is due: the client is at the ring's end, or beyond it (its log reader was ahead)."""


@dataclass(frozen=True, slots=True)
class Miss:
    """What is due is not in memory: it must be read from the log."""


Served = Taken | Level | Miss
LEVEL = Level()
MISS = Miss()


@dataclass(slots=True)
class Progress:
    """One client in one partition. `until`: where a bounded replay ends; `reading`: a read of the log is under way; `since`:
    what was appended before that time (ms) is skipped, None once there is something newer; `ends_at`: it ends before what is
    appended at that time (ms) or later, which is in the future; `first`: gaps that are due before everything else, by a
    number below every offset."""

    next: int
    until: int | None = None
    reading: bool = False
    since: int | None = None
    ends_at: int | None = None
    first: dict[int, bytes] = field(default_factory=dict)

    @property
    def bounded(self) -> bool:
        """True for a replay with an end."""
        return self.until is not None or self.ends_at is not None

    @property
    def done(self) -> bool:
        """True when a bounded replay has reached its end."""
        return self.until is not None and self.next >= self.until and not self.first

    def level(self, ring: Ring) -> bool:
        """True when nothing is due now."""
        return self.done or (not self.first and self.next >= ring.hi)

    def step(self, held: Ring | Stretch | None, budget: int, limit: int | None = None) -> Served:
        """What is due now, at most `limit` events and at most `budget` bytes (but at least one payload); advances the
        progress. `held`: what memory has at `next`; None: nothing."""
        if self.done:
            return LEVEL
        if self.first:
            gaps = list(self.first.values())
            self.first = {}
            return Taken(gaps, [None] * len(gaps), self.next)
        if held is None:
            return MISS
        if self.since is not None:
            self.next, come = held.first_since(self.next, self.since)
            self.since = None if come else self.since
        if self.next >= held.hi:
            return LEVEL if isinstance(held, Ring) else Taken([], [], self.next)
        taken = held.take(self.next, budget, self.until, self.ends_at, limit)
        self.next = taken.next
        if taken.ended:
            self.until = taken.next
        return taken
