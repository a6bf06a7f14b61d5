"""Dead or slow: what the acknowledgements of a connection say about its peer.

A peer that is gone acknowledges nothing. One that lives and reads nothing acknowledges everything, window probes too:
it is slow, and is given time. So whether it lives is asked of its acknowledgements alone, and whether it takes what it
was sent of how many bytes they are for. Times are seconds on any monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

DEAD_SECONDS = 15.0


class Verdict(Enum):
    """On a peer."""

    FINE = auto()
    STUCK = auto()
    """It lives and has taken nothing of what waits for it for too long."""
    DEAD = auto()
    """It has acknowledged nothing at all for DEAD_SECONDS."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The state of one connection. `asked`: something of ours (data, a probe) is not acknowledged yet. `waiting`:
    bytes that it has not taken. `taken`: a number that changes when it takes some. `heard_seconds`: time since its last
    acknowledgement."""

    asked: bool
    waiting: bool
    taken: int
    heard_seconds: float


@dataclass(slots=True)
class Pulse:
    """What earlier samples said. `silent`: since when it has owed us an acknowledgement; `stuck`: since when it has
    taken nothing of what waits."""

    silent: float | None = None
    stuck: float | None = None
    taken: int = -1

    def observe(self, sample: Sample, now: float, stuck_seconds: float) -> Verdict:
        """Take one more sample."""
        if not sample.asked:
            self.silent = None
        else:
            heard = now - sample.heard_seconds
            self.silent = now if self.silent is None else max(self.silent, heard)
        if not sample.waiting:
            self.stuck = None
        elif self.stuck is None or sample.taken != self.taken:
            self.stuck = now
        self.taken = sample.taken
        if self.silent is not None and now - self.silent >= DEAD_SECONDS:
            return Verdict.DEAD
        if self.stuck is not None and now - self.stuck >= stuck_seconds:
            return Verdict.STUCK
        return Verdict.FINE

    def rest(self) -> None:
        """Nothing waits and nothing is owed."""
        self.silent = self.stuck = None
