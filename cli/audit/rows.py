"""Reads the catalogue's rows from PostgreSQL, in read-only transactions."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import asynccontextmanager

import psycopg

from cli.audit.findings import PathState
from cli.errors import DatabaseUnreadable
from gateway.tables.database import reason_of
from runtime.database import OPTIONS
from schemas.paths import from_wire
from schemas.raw import FileType
from schemas.topics import CHANGES
from streams.projector.reading import place

CONNECT_SECONDS = 10
FETCH_ROWS = 5_000
AT_ONCE = 5_000

_ROWS = """
SELECT path, path_b64, type, size, mtime_ns FROM media_files WHERE root = %s AND deleted_at IS NULL
"""
_AT = _ROWS.rstrip() + " AND place = ANY(%s)"
_POSITION = "SELECT next_offset FROM sink_offset WHERE topic = %s AND partition = %s"

FileColumns = tuple[str, str, FileType, int, int]


class CatalogueRows:
    """One connection."""

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self._connection = connection

    async def rows(self, root: str) -> AsyncGenerator[tuple[str, PathState], None]:
        """All rows of a root, unordered. Raises psycopg.Error."""
        async with self._connection.transaction(), self._connection.cursor("audit") as cursor:
            cursor.itersize = FETCH_ROWS
            await cursor.execute(_ROWS, (root,))
            async for row in cursor:
                yield _row(row)

    async def at(self, root: str, paths: Collection[str]) -> dict[str, PathState]:
        """The rows at these paths. Raises psycopg.Error."""
        places = [place(path, None) for path in paths]
        found: dict[str, PathState] = {}
        for first in range(0, len(places), AT_ONCE):
            async with self._connection.transaction(), self._connection.cursor() as cursor:
                await cursor.execute(_AT, (root, places[first : first + AT_ONCE]))
                found.update(map(_row, await cursor.fetchall()))
        return found

    async def projected(self, lane: int) -> int:
        """The next change of a lane that the projector will read; 0: it has read none. Raises psycopg.Error."""
        async with self._connection.transaction(), self._connection.cursor() as cursor:
            await cursor.execute(_POSITION, (CHANGES.name, lane))
            row = await cursor.fetchone()
        return 0 if row is None else int(row[0])


def _row(row: FileColumns) -> tuple[str, PathState]:
    path, b64, type_, size, mtime_ns = row
    return from_wire(path, b64 or None), PathState.of(type_, size, mtime_ns)


@asynccontextmanager
async def catalogue(url: str) -> AsyncIterator[CatalogueRows]:
    """The catalogue, for the block. Raises DatabaseUnreadable, also for database errors in the block."""
    try:
        connecting = psycopg.AsyncConnection.connect(
            url, connect_timeout=CONNECT_SECONDS, application_name="catalogizer audit", **OPTIONS
        )
        async with await connecting as connection:
            await connection.set_read_only(True)
            yield CatalogueRows(connection)
    except psycopg.Error as error:
        raise DatabaseUnreadable(reason_of(error)) from error
