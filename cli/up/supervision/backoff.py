"""How long to wait before a component that died is restarted. Pure: the time it ran is an argument."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.waits import COMPONENT

LONG_LIFE_SECONDS = 10.0
"""A component that ran this long starts again with the first delay."""


@dataclass(frozen=True, slots=True)
class RestartDelay:
    """The delay before the next restart. `short_lives`: how many short runs there were in a row."""

    short_lives: int = 0

    def after(self, lived_seconds: float) -> tuple[float, RestartDelay]:
        """The delay after a run of this length, and the state for the next time."""
        lives = 1 if lived_seconds >= LONG_LIFE_SECONDS else self.short_lives + 1
        return COMPONENT.after(lives), RestartDelay(lives)
