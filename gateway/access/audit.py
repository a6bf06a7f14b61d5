"""Audit events about changes in the database: written in the transaction of the change, and published from there to Kafka
by the gateways (`log.auditing`). So none is lost if a process is killed, and none reports what did not happen.
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
    """Record one event in the open transaction. `by`: who caused it; `way`: the method of signing in."""
    event = AuditEvent(
        action=action, by=by, subject=subject, at=now_iso(), address=address, way=way, details=dict(details or {})
    )
    await database.execute("INSERT INTO audit_outbox (event) VALUES (%s::jsonb)", (encode(event).decode(),))
