"""The sessions that ended before their tokens expired: by sign-out, or because an account was disabled or changed.

They are kept for longer than any of their tokens is valid, so checking a token is a look-up in memory (`access.following`
reads them from the database).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

REMEMBERED = timedelta(hours=25)
"""Longer than any session token is valid (`gateway.token_minutes` is at most a day)."""


class EndedSessions:
    """Which sessions ended; tokens are checked with `session_id in ended`. `known` is set when the sessions that ended
    before this process began have been read."""

    def __init__(self) -> None:
        self.known = asyncio.Event()
        self._ended: dict[str, datetime] = {}

    def __contains__(self, session_id: object) -> bool:
        """True if the session has ended."""
        return session_id in self._ended

    def add(self, session_id: str) -> None:
        """It ended here, now: known at once, without a query."""
        self._ended[session_id] = datetime.now(UTC)

    def take(self, rows: Iterable[tuple[str, datetime]]) -> list[str]:
        """Take rows of the database; returns the sessions that are new among them. Sessions without any valid token left
        are dropped."""
        found = dict(rows)
        new = [session_id for session_id in found if session_id not in self._ended]
        self._ended.update(found)
        newest = max(found.values(), default=None)
        if newest is not None:
            for session_id in [id_ for id_, at in self._ended.items() if at < newest - REMEMBERED]:
                del self._ended[session_id]
        return new
