"""The sessions that ended before their tokens did: by sign-out, or because an account was disabled or changed.

Every gateway reads them from the database every two seconds, whoever ended them, so a token is looked up in memory. While
the database is away the list stands as it is: tokens that were good stay good, and streaming goes on. A gateway that has
not read it once since its start knows no token as good yet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg_pool import AsyncConnectionPool

from runtime import log

POLL_SECONDS = 2.0
REMEMBERED = timedelta(hours=25)
"""Longer than any session token holds (`gateway.token_minutes` goes up to a day)."""

OVERLAP = timedelta(seconds=60)
"""A transaction may become visible this long after the time that it wrote."""

_log = log.get(__name__)


class EndedSessions:
    """Which sessions ended; `session_id in ended` is what tokens are checked by."""

    def __init__(self) -> None:
        self.known = asyncio.Event()
        self._ended: dict[str, datetime] = {}

    def __contains__(self, session_id: object) -> bool:
        """True when the session has ended."""
        return session_id in self._ended

    def add(self, session_id: str) -> None:
        """It ended here, now: known at once, without asking the database."""
        self._ended[session_id] = datetime.now(UTC)

    async def follow(self, pool: AsyncConnectionPool, close: Callable[[Collection[str]], None]) -> None:
        """For ever: ask the database, and `close` what belongs to the sessions that are new in the list. `known` is set
        by the first answer."""
        since = datetime.now(UTC) - REMEMBERED
        away = False
        while True:
            try:
                since = await self._ask(pool, since, close)
                away = False
                self.known.set()
            except psycopg.Error as error:
                if not away:
                    _log.warning("cannot ask which sessions ended", error=f"{type(error).__name__}: {error}")
                away = True
            await asyncio.sleep(POLL_SECONDS)

    async def _ask(
        self, pool: AsyncConnectionPool, since: datetime, close: Callable[[Collection[str]], None]
    ) -> datetime:
        async with pool.connection() as connection:
            found = await connection.execute(
                "SELECT session_id, revoked_at FROM sessions WHERE revoked_at > %s", (since,)
            )
            rows = await found.fetchall()
        new = [session_id for session_id, _ in rows if session_id not in self._ended]
        self._ended.update(rows)
        if new:
            close(new)
        newest: datetime = max((at for _, at in rows), default=since + OVERLAP)
        for session_id in [id_ for id_, at in self._ended.items() if at < newest - REMEMBERED]:
            del self._ended[session_id]
        return max(since, newest - OVERLAP)
