"""What is good once, at whichever gateway: its name is in a table from its first use on."""

from __future__ import annotations

from psycopg import AsyncConnection


async def used_first(connection: AsyncConnection, name: str) -> bool:
    """False when it was used before. Remembered for longer than anything that is good once holds (ten minutes)."""
    await connection.execute("DELETE FROM used_tickets WHERE expires_at < now() - interval '1 hour'")
    used = await connection.execute(
        "INSERT INTO used_tickets (ticket, expires_at) VALUES (%s, now() + interval '15 minutes') ON CONFLICT DO NOTHING",
        (name,),
    )
    return bool(used.rowcount)
