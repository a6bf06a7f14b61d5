"""The open sessions of accounts, for listing and ending them: one's own, or everybody's for an administrator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from gateway.access.audit import record
from gateway.access.connecting import Database, connected


@dataclass(frozen=True, slots=True)
class Session:
    """An open session. `address` and `agent`: of the browser that opened it; `refreshed_at`: when it was last used to get a
    new token."""

    session_id: str
    user_id: int
    username: str
    method: str
    address: str
    agent: str
    created_at: datetime
    refreshed_at: datetime
    expires_at: datetime


async def sessions(database: Database, user_id: int | None = None, name: str | None = None) -> list[Session]:
    """The sessions of an account, by its id or its name, or of all: the newest first."""
    async with connected(database) as connection, connection.cursor(row_factory=class_row(Session)) as rows:
        await rows.execute(
            "SELECT session_id, user_id, username, method, address, agent, sessions.created_at, refreshed_at,"
            " expires_at FROM sessions JOIN users ON users.id = user_id"
            " WHERE revoked_at IS NULL AND expires_at > now() AND (%(id)s::bigint IS NULL OR user_id = %(id)s)"
            " AND (%(name)s::text IS NULL OR lower(username) = lower(%(name)s))"
            " ORDER BY sessions.created_at DESC LIMIT 1000",
            {"id": user_id, "name": name},
        )
        return await rows.fetchall()


async def end_session(database: Database, session_id: str, *, by: str, user_id: int | None = None) -> bool:
    """End a session: none of its tokens is valid any more, at every gateway within seconds. `user_id`: only if it belongs to
    this account. False if there is no such session."""
    async with connected(database) as connection, connection.transaction():
        ended = await connection.execute(
            "UPDATE sessions SET revoked_at = clock_timestamp() FROM users WHERE session_id = %(session)s"
            " AND users.id = user_id AND revoked_at IS NULL AND (%(id)s::bigint IS NULL OR user_id = %(id)s)"
            " RETURNING username",
            {"session": session_id, "id": user_id},
        )
        row = await ended.fetchone()
        if row is None:
            return False
        await record(connection, "session_ended", row[0], by)
    return True
