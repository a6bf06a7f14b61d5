"""The clocks of the machine behind the port `Clock`."""

from __future__ import annotations

import time

from runtime.reports import now_iso


class SystemClock:
    """The machine's clocks."""

    def monotonic(self) -> float:
        """Seconds; only differences mean something."""
        return time.monotonic()

    def now_iso(self) -> str:
        """The wall clock in UTC."""
        return now_iso()
