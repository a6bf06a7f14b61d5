"""Events of the audit log that tell of a change in the database: written in the transaction of that change, and from there
to Kafka by the gateways (`log.auditing`). So none is lost, whoever is killed, and none tells of what did not happen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from psycopg import AsyncConnection, AsyncCursor

from runtime.reports import now_iso
from schemas.audit import AuditAction, AuditEvent
from schemas.codec import encode

Detail: TypeAlias = str | int | bool | list[str]


async def record(
    database: AsyncConnection | AsyncCursor[Any],
    action: AuditAction,
    subject: str,
    by: str,
    details: Mapping[str, Detail] | None = None,
    *,
    address: str | None = None,
    way: str | None = None,
) -> None:
    """One event, in the transaction that is open. `by`: who did it; `way`: how somebody signed in."""
    event = AuditEvent(
        action=action, by=by, subject=subject, at=now_iso(), address=address, way=way, details=dict(details or {})
    )
    await database.execute("INSERT INTO audit_outbox (event) VALUES (%s::jsonb)", (encode(event).decode(),))
