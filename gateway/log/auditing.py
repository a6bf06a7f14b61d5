"""The audit log's way to Kafka: what the database keeps of changes (`access.audit`), and what was asked and refused here.

An event of the database is deleted there once the log has acknowledged it; who is killed between leaves it, and it is
written again with the same id. An act that is asked of the log is written before it is done, and is not done where that
fails. Refusals are written as they come, but no more a second than a disk can bear; the others are counted.
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

LOOK_SECONDS = 1.0
AT_ONCE = 100
WARN_AFTER = 10
"""Looks: a start takes some."""
REFUSALS_PER_SECOND = 2.0
REFUSALS_AT_ONCE = 20.0

_decode = msgspec.json.Decoder(AuditEvent).decode
_log = log.get(__name__)


class Auditing:
    """One a gateway; gateways share the work."""

    def __init__(self, pool: AsyncConnectionPool, publishing: Publishing) -> None:
        self._pool = pool
        self._publishing = publishing
        self._refusals = Bucket(time.monotonic(), REFUSALS_PER_SECOND, REFUSALS_AT_ONCE)
        self._unlogged = 0
        self._writing: set[asyncio.Task[None]] = set()
        self._failures = 0

    async def run(self, stop: Stop) -> None:
        """Carry over what the database keeps, until asked to stop."""
        while not stop.asked:
            try:
                while await self._carry():
                    pass
                self._failures = 0
            except (psycopg.Error, NotPublished) as error:
                self._failures += 1
                if self._failures == WARN_AFTER:
                    _log.warning("the audit log waits", error=f"{type(error).__name__}: {error}")
            await stop.wait(LOOK_SECONDS)

    async def used(self, event: AuditEvent) -> None:
        """Somebody is about to do something. Raises NotPublished: then it is not to be done."""
        await self._publishing.audit(event)

    def refused(
        self, action: AuditAction, by: str, subject: str, *, address: str, why: str, permission: str | None = None,
        way: str | None = None, method: str | None = None, path: str | None = None, request_id: str | None = None,
    ) -> None:  # fmt: skip
        """Somebody was; nobody waits for it to be written, for the answer is the same whether it can be."""
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
        """Some events; True where there may be more. Those that another gateway is carrying are left to it."""
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
