"""How long to wait before a component that died is restarted. Pure: the time it ran is an argument."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_SECONDS = 0.2
CEILING_SECONDS = 10.0
FACTOR = 2.0
LONG_LIFE_SECONDS = 10.0
"""A component that ran this long starts again with the first delay."""


@dataclass(frozen=True, slots=True)
class RestartDelay:
    """The delay before the next restart."""

    seconds: float = FIRST_SECONDS

    def after(self, lived_seconds: float) -> tuple[float, RestartDelay]:
        """The delay after a run of this length, and the state for the next time."""
        delay = FIRST_SECONDS if lived_seconds >= LONG_LIFE_SECONDS else self.seconds
        return delay, RestartDelay(min(delay * FACTOR, CEILING_SECONDS))
