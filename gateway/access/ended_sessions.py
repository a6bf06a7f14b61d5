"""The sessions that ended before their tokens did: by sign-out, or because an account was disabled or changed.

They are kept for longer than any token of theirs holds, so a token is looked up in memory (`access.following` says how they
come here).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

REMEMBERED = timedelta(hours=25)
"""Longer than any session token holds (`gateway.token_minutes` goes up to a day)."""


class EndedSessions:
    """Which sessions ended; `session_id in ended` is what tokens are checked by. `known` is set once the database has said
    which did before this process began."""

    def __init__(self) -> None:
        self.known = asyncio.Event()
        self._ended: dict[str, datetime] = {}

    def __contains__(self, session_id: object) -> bool:
        """True when the session has ended."""
        return session_id in self._ended

    def add(self, session_id: str) -> None:
        """It ended here, now: known at once, without asking the database."""
        self._ended[session_id] = datetime.now(UTC)

    def take(self, rows: Iterable[tuple[str, datetime]]) -> list[str]:
        """What the database says; returns the sessions that are new among them. Those that nobody can have a token of any
        more are forgotten."""
        found = dict(rows)
        new = [session_id for session_id in found if session_id not in self._ended]
        self._ended.update(found)
        newest = max(found.values(), default=None)
        if newest is not None:
            for session_id in [id_ for id_, at in self._ended.items() if at < newest - REMEMBERED]:
                del self._ended[session_id]
        return new
