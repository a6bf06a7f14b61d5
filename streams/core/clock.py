"""Lane time: the sum of the forward steps of append time in a lane; the only clock of the fold.

A broker's clock that steps back does no harm: lane time stands still for that step and continues from there. The
first record has lane time 0. Milliseconds.
"""

from __future__ import annotations

from msgspec import Struct


class LaneClock(Struct, array_like=True):
    """`now`: lane time; `last`: the append time of the last record, None before the first."""

    now: int = 0
    last: int | None = None

    def advance(self, append_time: int) -> int:
        """Advance by the append time of the next record (milliseconds since 1970); returns lane time."""
        last = self.last
        if last is not None and append_time > last:
            self.now += append_time - last
        self.last = append_time
        return self.now
