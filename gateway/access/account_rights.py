"""Changing an account's rights: its row, which the gateways poll, and the audit log, in the caller's transaction."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection, AsyncCursor

from gateway.access.audit import record
from gateway.core.rights import Rights


async def change_rights(
    database: AsyncConnection | AsyncCursor[Any], user_id: int, username: str, rights: Rights, *, by: str
) -> None:
    """Set the account's rights."""
    named = rights.names()
    await database.execute(
        "UPDATE users SET channels = %(channels)s, libraries = %(libraries)s, storage_roots = %(storage_roots)s,"
        " rights_changed_at = clock_timestamp() WHERE id = %(id)s",
        {"id": user_id, **named},
    )
    await record(database, "rights_changed", username, by, named)
