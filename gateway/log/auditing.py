"""Publishes the audit log to Kafka: events about changes from the database (`access.audit`), and requests and refusals here.

An event of the database is deleted there once the log has acknowledged it; if the process is killed between, it is published
again with the same id. An action that must be audited is published before it is done, and is not done if that fails.
Refusals are published as they occur, but no more a second than a disk can bear; the others are counted.
"""

from __future__ import annotations

import asyncio
import time

import msgspec
import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from gateway.core.limits import Bucket
from gateway.log.publishing import NotPublished, Publishing
from runtime import log
from runtime.lifecycle import Stop
from runtime.reports import now_iso
from schemas.audit import AuditAction, AuditEvent

POLL_SECONDS = 1.0
AT_ONCE = 100
WARN_AFTER = 10
"""Polls: a start takes some."""
REFUSALS_PER_SECOND = 2.0
REFUSALS_AT_ONCE = 20.0

_decode = msgspec.json.Decoder(AuditEvent).decode
_log = log.get(__name__)


class Auditing:
    """One per gateway; gateways share the work."""

    def __init__(self, pool: AsyncConnectionPool, publishing: Publishing) -> None:
        self._pool = pool
        self._publishing = publishing
        self._refusals = Bucket(time.monotonic(), REFUSALS_PER_SECOND, REFUSALS_AT_ONCE)
        self._unlogged = 0
        self._writing: set[asyncio.Task[None]] = set()
        self._failures = 0

    async def run(self, stop: Stop) -> None:
        """Publish the events that the database has, until requested to stop."""
        while not stop.requested:
            try:
                while await self._carry():
                    pass
                self._failures = 0
            except (psycopg.Error, NotPublished) as error:
                self._failures += 1
                if self._failures == WARN_AFTER:
                    _log.warning("the audit log waits", error=f"{type(error).__name__}: {error}")
            await stop.wait(POLL_SECONDS)

    async def used(self, event: AuditEvent) -> None:
        """Audit an action that is about to be done. Raises NotPublished: then it must not be done."""
        await self._publishing.audit(event)

    def refused(
        self, action: AuditAction, by: str, subject: str, *, address: str, why: str, permission: str | None = None,
        way: str | None = None, method: str | None = None, path: str | None = None, request_id: str | None = None,
    ) -> None:  # fmt: skip
        """Audit a refusal; nobody waits for it, because the answer does not depend on it."""
        if not self._refusals.allows(time.monotonic()):
            self._unlogged += 1
            return
        event = AuditEvent(
            action=action, by=by, subject=subject, at=now_iso(), address=address, why=why, permission=permission,
            way=way, method=method, path=path, request_id=request_id, unlogged=self._unlogged,
        )  # fmt: skip
        self._unlogged = 0
        task = asyncio.get_running_loop().create_task(self._write(event))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _write(self, event: AuditEvent) -> None:
        try:
            await self._publishing.audit(event)
        except NotPublished as error:
            self._unlogged += 1 + event.unlogged
            _log.warning("a refusal is not in the audit log", action=event.action, why=event.why, error=str(error))

    async def _carry(self) -> bool:
        """Publish some events; True if there may be more. Events that another gateway is publishing are left to it."""
        async with self._pool.connection() as connection, connection.transaction():
            rows = await (
                await connection.execute(
                    "SELECT id, event_id::text, event::text FROM audit_outbox ORDER BY id LIMIT %s"
                    " FOR UPDATE SKIP LOCKED",
                    (AT_ONCE,),
                )
            ).fetchall()
            for _, event_id, event in rows:
                await self._publishing.audit(_decode(event), id=event_id)
            await _forget(connection, [row[0] for row in rows])
        return len(rows) == AT_ONCE


async def _forget(connection: AsyncConnection, ids: list[int]) -> None:
    if ids:
        await connection.execute("DELETE FROM audit_outbox WHERE id = ANY(%s)", (ids,))
