"""How long a dead component waits before it is started again. Pure: the time it lived is an argument."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_SECONDS = 0.2
CEILING_SECONDS = 10.0
FACTOR = 2.0
LONG_LIFE_SECONDS = 10.0
"""Who lived this long begins again at the first delay."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """The delay before the next start."""

    seconds: float = FIRST_SECONDS

    def after(self, lived_seconds: float) -> tuple[float, Backoff]:
        """The delay after a life of this length, and the state for the next time."""
        delay = FIRST_SECONDS if lived_seconds >= LONG_LIFE_SECONDS else self.seconds
        return delay, Backoff(min(delay * FACTOR, CEILING_SECONDS))
