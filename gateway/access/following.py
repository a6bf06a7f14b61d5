"""Changes to accounts while their tokens are valid: sessions end, rights change, tokens of machines are issued and revoked.

Every gateway polls the database for them every two seconds, whoever made them. While the database is away, the last known
state applies: valid tokens stay valid, and streaming continues. A gateway that has not read it once since its start accepts
no token yet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import LiteralString, Protocol

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from gateway.access.current_rights import ChangedRights, CurrentRights
from gateway.access.ended_sessions import REMEMBERED, EndedSessions
from gateway.access.service_tokens import ServiceToken, ServiceTokens
from gateway.core.rights import Rights
from runtime import log

POLL_SECONDS = 2.0
OVERLAP = timedelta(seconds=60)
"""A transaction may become visible this long after the time that it wrote."""

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

_SESSIONS: LiteralString = "SELECT session_id, revoked_at FROM sessions WHERE revoked_at > %s"
_RIGHTS: LiteralString = (
    "SELECT id, channels, libraries, storage_roots, rights_changed_at FROM users WHERE rights_changed_at > %s"
)
_TOKENS: LiteralString = (
    "SELECT id, name, secret_hash, role_id, channels, libraries, storage_roots, expires_at, revoked_at IS NOT NULL,"
    " changed_at FROM service_tokens WHERE changed_at > %s AND expires_at > now()"
)

_log = log.get(__name__)


class Affected(Protocol):
    """The owner of the accounts' sockets."""

    def close_sessions(self, session_ids: Collection[str]) -> None:
        """Close the sockets of these sessions, which have ended."""

    def review(self, user_ids: Collection[int]) -> None:
        """Apply the new rights of these accounts."""


class Following:
    """Keeps the three up to date, and notifies the owner of the sockets."""

    affected: Affected

    def __init__(self, pool: AsyncConnectionPool, known_away: Callable[[], bool]) -> None:
        """`affected` must be set before anything happens. `known_away`: true if the database is unavailable and that has
        been logged already."""
        self.ended = EndedSessions()
        self.rights = CurrentRights()
        self.tokens = ServiceTokens()
        self._pool = pool
        self._known_away = known_away
        self._sessions_since = self._rights_since = datetime.now(UTC) - REMEMBERED
        self._tokens_since = LONG_AGO

    async def run(self) -> None:
        """Poll for ever. An error is logged once, and only if nothing else logs it: the database's own check finds out
        before the second failure here whether all of the database is away, and connections come back some time later."""
        failures, away, logged = 0, False, False
        while True:
            try:
                await self.poll()
                failures, away, logged = 0, False, False
                self.ended.known.set()
            except psycopg.Error as error:
                failures += 1
                known = self._known_away()
                away |= known
                reported = known or (away and isinstance(error, PoolTimeout))
                if failures > 1 and not reported and not logged:
                    logged = True
                    _log.warning("changes of accounts cannot be read", error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(POLL_SECONDS)

    async def poll(self) -> None:
        """Query the database now. Raises psycopg.Error."""
        async with self._pool.connection() as connection:
            await self._poll_sessions(connection)
            await self._poll_rights(connection)
            await self._poll_tokens(connection)

    def end(self, session_id: str) -> None:
        """The session ended here, now."""
        self.ended.add(session_id)
        self.affected.close_sessions([session_id])

    async def _poll_sessions(self, connection: AsyncConnection) -> None:
        rows = await (await connection.execute(_SESSIONS, (self._sessions_since,))).fetchall()
        if new := self.ended.take((row[0], row[1]) for row in rows):
            self.affected.close_sessions(new)
        self._sessions_since = _later(self._sessions_since, [row[1] for row in rows])

    async def _poll_rights(self, connection: AsyncConnection) -> None:
        rows = await (await connection.execute(_RIGHTS, (self._rights_since,))).fetchall()
        if news := self.rights.take([ChangedRights(row[0], Rights.of(*row[1:4])) for row in rows]):
            self.affected.review(news)
        self._rights_since = _later(self._rights_since, [row[4] for row in rows])

    async def _poll_tokens(self, connection: AsyncConnection) -> None:
        rows = await (await connection.execute(_TOKENS, (self._tokens_since,))).fetchall()
        found = [ServiceToken(
                id=row[0], name=row[1], secret_hash=row[2], role_id=row[3], rights=Rights.of(*row[4:7]),
                expires_at=row[7], revoked=row[8],
            )
            for row in rows
        ]  # fmt: skip
        if revoked := self.tokens.take(found):
            self.affected.close_sessions(revoked)
        self._tokens_since = _later(self._tokens_since, [row[9] for row in rows])


def _later(since: datetime, seen: list[datetime]) -> datetime:
    return max(since, max(seen, default=since) - OVERLAP)
