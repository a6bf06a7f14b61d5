"""Reads the projector's history: roots, scans, and the change log, paged by position."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool

from gateway.core.rights import Rights
from gateway.errors import GatewayError
from gateway.tables.sight import named, seen, sight


class BadPage(GatewayError):
    """A page's cursor that is not one of ours."""


@dataclass(frozen=True, slots=True)
class StoredRoot:
    """A storage root as the fold (`state`) and the status agent (`status`) see it."""

    root: str
    library: str
    site: str
    protocol: str
    location: str
    state: str
    status: str
    message: str | None
    details: dict[str, Any] | None
    changed_at: datetime
    status_at: datetime | None
    items: int


@dataclass(frozen=True, slots=True)
class StoredScan:
    """One scan of a root."""

    scan_id: int
    library: str
    root: str
    state: str
    origin: str
    cause: str
    subtree: str
    total: int | None
    counts: dict[str, Any] | None
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredChange:
    """One change with its position in the log."""

    event_id: UUID
    at: datetime
    n: int
    record: dict[str, Any]
    src_partition: int
    src_offset: int

    @property
    def page(self) -> str:
        """The cursor of the next page after it."""
        text = f"{self.at.astimezone(UTC).isoformat()} {self.src_partition} {self.src_offset}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Changes:
    """Which changes. `path` matches both the present and the former path."""

    root: str | None = None
    path: str | None = None
    media_id: int | None = None
    kind: str | None = None
    since: datetime | None = None
    newest_first: bool = True
    after: str | None = None
    limit: int = 50


_SEEN = seen("root", "library")
_WAS_SEEN = named("from_root", "library")
_KIND_SEEN: LiteralString = (
    "CASE WHEN NOT "
    + _SEEN
    + " THEN 'deleted' WHEN from_root IS NOT NULL AND NOT %(sees_all)s AND NOT "
    + _WAS_SEEN
    + " THEN 'created' ELSE kind END = %(kind)s"
)

_ROOTS: LiteralString = (
    "SELECT root, library, site, protocol, location, state, status, message, details, changed_at,"
    " status_at, (SELECT coalesce(sum(m.items), 0)::bigint FROM media_counts m"
    " WHERE m.storage_root = r.root) AS items FROM storage_roots r WHERE state <> 'retired' AND "
)
_SCANS: LiteralString = (
    "SELECT scan_id, library, root, state, origin, cause, subtree, total, counts, started_at, ended_at"
    " FROM scans WHERE (%(root)s::text IS NULL OR root = %(root)s) AND "
)
_CHANGES: LiteralString = "SELECT event_id, at, n, record, src_partition, src_offset FROM change_log"

_MATCHES: tuple[tuple[str, LiteralString], ...] = (
    ("root", "(root = %(root)s OR from_root = %(root)s)"),
    ("path", "(path = %(path)s OR from_path = %(path)s)"),
    ("media_id", "media_id = %(media_id)s"),
    ("kind", "kind = %(kind)s"),
    ("since", "at >= %(since)s"),
)


class History:
    """Queries; each raises psycopg's errors while the database is away."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool

    async def roots(self, rights: Rights) -> list[StoredRoot]:
        """All roots that are not retired, by name, with their numbers of items."""
        async with self._pool.connection() as connection:
            rows = connection.cursor(row_factory=class_row(StoredRoot))
            await rows.execute(
                _ROOTS + _SEEN + " ORDER BY root",
                sight(rights),
            )
            return await rows.fetchall()

    async def scans(self, root: str | None, limit: int, rights: Rights) -> list[StoredScan]:
        """The newest scans first."""
        async with self._pool.connection() as connection:
            rows = connection.cursor(row_factory=class_row(StoredScan))
            await rows.execute(
                _SCANS
                + _SEEN
                + " ORDER BY coalesce(started_at, ended_at) DESC NULLS LAST, scan_id DESC LIMIT %(limit)s",
                {"root": root, "limit": limit, **sight(rights)},
            )
            return await rows.fetchall()

    async def changes(self, wanted: Changes, rights: Rights) -> list[StoredChange]:
        """A page of changes in order of time, as they are in the log: `core.changes_seen` decides how they are shown. Raises
        BadPage."""
        values: dict[str, object] = {name: getattr(wanted, name) for name in wanted.__dataclass_fields__}
        values |= sight(rights)
        where: LiteralString = " WHERE true" if rights.all_roots else " WHERE (" + _SEEN + " OR " + _WAS_SEEN + ")"
        for name, condition in _MATCHES:
            if values[name] is not None:
                where += " AND " + (_KIND_SEEN if name == "kind" and not rights.all_roots else condition)
        if wanted.after is not None:
            values["at"], values["partition"], values["offset"] = _page(wanted.after)
            sign: LiteralString = "<" if wanted.newest_first else ">"
            where += " AND (at, src_partition, src_offset) " + sign + " (%(at)s, %(partition)s, %(offset)s)"
        order: LiteralString = (
            " ORDER BY at DESC, src_partition DESC, src_offset DESC"
            if wanted.newest_first
            else " ORDER BY at, src_partition, src_offset"
        )
        async with self._pool.connection() as connection:
            rows = connection.cursor(row_factory=class_row(StoredChange))
            await rows.execute(_CHANGES + where + order + " LIMIT %(limit)s", values)
            return await rows.fetchall()


def _page(text: str) -> tuple[datetime, int, int]:
    try:
        at, partition, offset = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().split(" ")
        return datetime.fromisoformat(at), int(partition), int(offset)
    except (ValueError, binascii.Error) as error:
        raise BadPage(text) from error
