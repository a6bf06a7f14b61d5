"""What an analysis on request would concern: queries of the catalogue's rows, for people who are about to request one.

The rows are some seconds behind the log, and the fold decides what matches when an item's turn comes: a count from here is
an estimate, and nothing depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

from psycopg import AsyncConnection
from psycopg.rows import class_row

from gateway.core.rights import Rights
from schemas.found import ANALYSED, MediaType
from schemas.raw import Standing


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which items; empty: any."""

    root: str
    subtree: str = ""
    media_types: tuple[MediaType, ...] = ()
    statuses: tuple[Standing, ...] = ()


@dataclass(frozen=True, slots=True)
class RootPlace:
    """A root's library, and its state in the fold. `mode`: its producer's."""

    library: str
    state: str
    mode: str | None

    @property
    def waits(self) -> str | None:
        """Why nothing of the root is analysed on request now."""
        if self.mode == "paused":
            return "paused"
        return "lost" if self.state == "lost" else None


_COUNT: LiteralString = (
    "SELECT count(*) FROM media_items WHERE deleted_at IS NULL AND storage_root = %(root)s AND file_size > 0"
    " AND media_type = ANY(%(types)s)"
    " AND (%(subtree)s = '' OR path = %(subtree)s OR starts_with(path, %(subtree)s || '/'))"
    " AND (%(statuses)s::text[] = '{}' OR coalesce(item->'analysis'->>'status', 'none') = ANY(%(statuses)s))"
)


async def matching(connection: AsyncConnection, wanted: Wanted) -> int:
    """How many items match now."""
    types = [one for one in ANALYSED if not wanted.media_types or one in wanted.media_types]
    rows = await connection.execute(
        _COUNT,
        {"root": wanted.root, "types": types, "subtree": wanted.subtree, "statuses": list(wanted.statuses)},
    )
    return int((await rows.fetchone() or (0,))[0])


async def places(connection: AsyncConnection, rights: Rights) -> dict[str, RootPlace]:
    """All roots that are not retired and may be seen, by name."""
    rows = connection.cursor(row_factory=class_row(_Row))
    await rows.execute(
        "SELECT root, library, state, details->>'mode' AS mode FROM storage_roots WHERE state <> 'retired' ORDER BY root"
    )
    found = await rows.fetchall()
    return {
        row.root: RootPlace(row.library, row.state, row.mode)
        for row in found
        if rights.sees(row.library, row.root)
    }


@dataclass(frozen=True, slots=True)
class _Row:
    root: str
    library: str
    state: str
    mode: str | None
