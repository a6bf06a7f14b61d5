"""How much a client may do: messages per time, and the delay for retrying with a bad token.

Times are seconds on any monotonic clock, given as arguments. Every table is bounded.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

MESSAGES_PER_SECOND = 20.0
MESSAGE_BURST = 40.0
PENALTIES_SECONDS = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0)
"""How long the answer to the same bad token is delayed, for the first try, the second and so on: clients that reset their
back-off when a socket opens would otherwise reconnect once a second for ever."""

PENALTY_MEMORY_SECONDS = 600.0
TABLE_SIZE = 10_000


@dataclass(slots=True)
class Bucket:
    """A token bucket: `burst` at once, then `rate` a second."""

    at: float
    rate: float = MESSAGES_PER_SECOND
    burst: float = MESSAGE_BURST
    spent: float = 0.0

    def allows(self, now: float, amount: float = 1.0) -> bool:
        """Take `amount`; False if there is not that much."""
        self.spent = max(0.0, self.spent - (now - self.at) * self.rate)
        self.at = now
        if self.spent + amount > self.burst:
            return False
        self.spent += amount
        return True


class Penalties:
    """How long the answer to a bad token is delayed, by a digest of the token."""

    def __init__(self) -> None:
        self._table: OrderedDict[bytes, tuple[int, float]] = OrderedDict()

    def next_seconds(self, digest: bytes, now: float) -> float:
        """Count one more try and return how long its answer is delayed."""
        tries, last = self._table.pop(digest, (0, now))
        if now - last > PENALTY_MEMORY_SECONDS:
            tries = 0
        self._table[digest] = (tries + 1, now)
        if len(self._table) > TABLE_SIZE:
            self._table.popitem(last=False)
        return PENALTIES_SECONDS[min(tries, len(PENALTIES_SECONDS) - 1)]
