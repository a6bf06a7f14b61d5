"""The seam between history and live, for one client and one partition.

A client's whole state in a partition is the next offset it wants. Where that lies against the ring says what
is due: in the ring, take from it; below it, read the log until the ring is met; at its end, live. The step to
live is taken in one event-loop step without an await, so nothing is lost and nothing comes twice.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from gateway.core.about import About, Framed
from gateway.core.ring import Ring, Taken


@dataclass(frozen=True, slots=True)
class Level:
    """Nothing is due: the client stands at the ring's end, or beyond it (its log reader was ahead)."""


@dataclass(frozen=True, slots=True)
class Miss:
    """What is due has left the ring: it must be read from the log."""


@dataclass(slots=True)
class Chunk:
    """What was read from the log and waits for the client, in order; `end` is the next offset after the last of them."""

    records: deque[Framed]
    end: int


Served = Taken | Level | Miss
LEVEL = Level()
MISS = Miss()


@dataclass(slots=True)
class Progress:
    """One client in one partition. `until`: where a bounded replay ends; `asked`: a read of the log is under
    way; `since`: what was appended before that time (ms) is passed over, None once there is something newer;
    `ends_at`: it ends before what is appended at that time (ms) or later, which has not come yet."""

    next: int
    until: int | None = None
    chunk: Chunk | None = None
    asked: bool = False
    since: int | None = None
    ends_at: int | None = None

    @property
    def bounded(self) -> bool:
        """True for a replay that has an end."""
        return self.until is not None or self.ends_at is not None

    @property
    def done(self) -> bool:
        """True when a bounded replay has reached its end."""
        return self.until is not None and self.next >= self.until and self.chunk is None

    def level(self, ring: Ring) -> bool:
        """True when nothing is due now."""
        return self.done or (self.chunk is None and self.next >= ring.hi)

    def step(self, ring: Ring, budget: int, limit: int | None = None) -> Served:
        """What is due now, at most `limit` and at most `budget` bytes (but one payload); the progress moves over it."""
        if self.since is not None and self.chunk is None and self.next >= ring.lo:
            self.next, come = ring.first_since(self.next, self.since)
            self.since = None if come else self.since
        if self.level(ring):
            return LEVEL
        if self.chunk is not None:
            return self._from_chunk(self.chunk, budget, limit)
        if self.next < ring.lo:
            return MISS
        taken = ring.take(self.next, budget, self.until, self.ends_at, limit)
        self.next = taken.next
        if taken.ended:
            self.until = taken.next
        return taken

    def supply(self, start: int, chunk: Chunk) -> bool:
        """Take what was read from the log from `start` on; False when the client has moved meanwhile."""
        if start != self.next or not self.asked:
            return False
        self.asked = False
        self.chunk = chunk if self.since is None else self._passed_over(chunk, self.since)
        return True

    def _passed_over(self, chunk: Chunk, since: int) -> Chunk:
        if any(at >= since for _, at, _, _ in chunk.records):
            self.since = None
        return Chunk(deque(record for record in chunk.records if record[1] >= since or not record[1]), chunk.end)

    def _from_chunk(self, chunk: Chunk, budget: int, limit: int | None) -> Taken:
        payloads: list[bytes] = []
        abouts: list[About | None] = []
        size = 0
        while chunk.records:
            offset, at, payload, about = chunk.records[0]
            size += len(payload)
            if self.ends_at is not None and at >= self.ends_at and self.until is None:
                self.until = offset
            if self.until is not None and offset >= self.until:
                break
            if (size > budget and payloads) or len(payloads) == limit:
                self.next = offset
                return Taken(payloads, abouts, offset)
            payloads.append(payload)
            abouts.append(about)
            chunk.records.popleft()
        self.next = max(self.next, chunk.end if self.until is None else min(chunk.end, self.until))
        self.chunk = None
        return Taken(payloads, abouts, self.next)
