"""Dead or slow: what the acknowledgements of a connection show about its peer.

A dead peer acknowledges nothing. A peer that is alive and reads nothing acknowledges everything, window probes included: it
is slow, and is given time. So whether it is alive is decided from the fact of acknowledgements alone, and whether it takes
what it was sent from how many bytes they cover. Times are seconds on any monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

DEAD_SECONDS = 15.0


class Verdict(Enum):
    """The result for a peer."""

    FINE = auto()
    STUCK = auto()
    """It is alive but has taken nothing of what waits for it for too long."""
    DEAD = auto()
    """It has acknowledged nothing at all for DEAD_SECONDS."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The state of one connection. `unacknowledged`: something that we sent (data, a probe) is not acknowledged yet.
    `waiting`: there are bytes that it has not taken. `taken`: a number that changes when it takes some. `ack_age_seconds`:
    time since its last acknowledgement."""

    unacknowledged: bool
    waiting: bool
    taken: int
    ack_age_seconds: float


@dataclass(slots=True)
class Pulse:
    """What earlier samples showed. `silent`: since when an acknowledgement has been missing; `stuck`: since when the peer
    has taken nothing of what waits."""

    silent: float | None = None
    stuck: float | None = None
    taken: int = -1

    def observe(self, sample: Sample, now: float, stuck_seconds: float) -> Verdict:
        """Take one more sample."""
        if not sample.unacknowledged:
            self.silent = None
        else:
            acknowledged_at = now - sample.ack_age_seconds
            self.silent = now if self.silent is None else max(self.silent, acknowledged_at)
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
        """Nothing waits and no acknowledgement is missing."""
        self.silent = self.stuck = None
