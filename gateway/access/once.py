"""Values that are good once, at any gateway: their names are in a table from their first use."""

from __future__ import annotations

from psycopg import AsyncConnection


async def used_first(connection: AsyncConnection, name: str) -> bool:
    """False if it was used before. Remembered for longer than anything good once is valid (ten minutes)."""
    await connection.execute("DELETE FROM used_tickets WHERE expires_at < now() - interval '1 hour'")
    used = await connection.execute(
        "INSERT INTO used_tickets (ticket, expires_at) VALUES (%s, now() + interval '15 minutes') ON CONFLICT DO NOTHING",
        (name,),
    )
    return bool(used.rowcount)
