"""Logging of refusals before any work: a line a second for each reason, the others counted."""

from __future__ import annotations

import time

from runtime import log

SECONDS = 1.0
SHOWN_CHARACTERS = 200

_log = log.get(__name__)


class RefusalLog:
    """Logs refusals, as `event`. Reasons come from the program, so there are few."""

    def __init__(self, event: str = "refused") -> None:
        self._event = event
        self._logged_at: dict[str, float] = {}
        self._unlogged: dict[str, int] = {}

    def refused(self, why: str, **details: str) -> None:
        """Log a refusal with its details."""
        now = time.monotonic()
        if now - self._logged_at.get(why, -SECONDS) < SECONDS:
            self._unlogged[why] = self._unlogged.get(why, 0) + 1
            return
        self._logged_at[why] = now
        shown = {name: value[:SHOWN_CHARACTERS] for name, value in details.items()}
        _log.warning(self._event, why=why, **shown, unlogged=self._unlogged.pop(why, 0))
