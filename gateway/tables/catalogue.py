"""Reads the projector's tables: items, statistics, covers, as far as the caller's rights see them. Deleted items are never
included. The parts of a search are beside it: `wanted`, `terms`, `conditions`, `order`, `pages`, `searching`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, LiteralString, TypeVar

from psycopg import sql
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool

from gateway.core.rights import Rights
from gateway.tables.conditions import Condition, seen
from gateway.tables.pages import ITEM
from gateway.tables.searching import Found, Item, Searching
from gateway.tables.wanted import Search
from schemas.times import iso, millis

Dimension = Literal["library", "storage_root", "media_type", "quality"]
T = TypeVar("T")

_COUNTS: LiteralString = (
    "SELECT library, storage_root, media_type, quality, sum(items)::bigint AS items, sum(bytes) AS bytes"
    " FROM media_counts m WHERE {} AND items > 0 GROUP BY 1, 2, 3, 4"
)
_RECENT: LiteralString = (
    "SELECT coalesce(sum(items), 0)::bigint FROM media_additions m"
    " WHERE {} AND hour >= date_bin('1 hour', now() - interval '7 days', '2000-01-01Z')"
)


@dataclass(frozen=True, slots=True)
class Place:
    """An item's position, by its root and its path as on the wire (`schemas.paths`)."""

    library: str
    storage_root: str
    path: str
    path_b64: str | None


@dataclass(frozen=True, slots=True)
class Counted:
    """The number of items with these values, and their total size."""

    library: str
    storage_root: str
    media_type: str
    quality: str
    items: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Stats:
    """The catalogue in numbers. `recent_additions`: items added since the beginning of the hour seven days ago."""

    counts: tuple[Counted, ...]
    recent_additions: int

    def items_by(self, name: Dimension) -> dict[str, int]:
        """The number of items of each value."""
        found: dict[str, int] = {}
        for counted in self.counts:
            value = getattr(counted, name)
            found[value] = found.get(value, 0) + counted.items
        return found

    def bytes_by(self, name: Dimension) -> dict[str, int]:
        """The number of bytes of each value."""
        found: dict[str, int] = {}
        for counted in self.counts:
            value = getattr(counted, name)
            found[value] = found.get(value, 0) + int(counted.bytes)
        return found


@dataclass(frozen=True, slots=True)
class CoverImage:
    """A thumbnail."""

    mime: str
    data: bytes


class CatalogueQueries:
    """Queries; each raises psycopg's errors while the database is away."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool

    async def search(self, wanted: Search, rights: Rights) -> Found:
        """A page of what these rights see. Raises BadCursor."""
        async with self._pool.connection() as connection:
            return await Searching(connection, wanted, rights).found()

    async def recent(self, limit: int, rights: Rights) -> list[Item]:
        """The newest items first."""
        return (await self.search(Search(sort_by="created_at", limit=limit), rights)).items

    async def item(self, media_id: int, rights: Rights) -> Item | None:
        """One item, if these rights see it."""
        return await self._one(Item, ITEM, Condition(sql.SQL("m.id = %(id)s"), {"id": media_id}) & seen(rights))

    async def place(self, media_id: int, rights: Rights) -> Place | None:
        """An item's position, if these rights see it."""
        condition = Condition(sql.SQL("m.id = %(id)s"), {"id": media_id}) & seen(rights)
        return await self._one(
            Place, "SELECT m.library, m.storage_root, m.path, m.path_b64 FROM media_items m", condition
        )

    async def _one(self, kind: type[T], select: LiteralString, condition: Condition) -> T | None:
        query = sql.SQL("{} WHERE {} AND m.deleted_at IS NULL").format(sql.SQL(select), condition.clause)
        async with self._pool.connection() as connection:
            rows = connection.cursor(row_factory=class_row(kind))
            await rows.execute(query, condition.values)
            return await rows.fetchone()

    async def stats(self, rights: Rights) -> Stats:
        """The numbers of what these rights see."""
        condition = seen(rights)
        async with self._pool.connection() as connection:
            rows = connection.cursor(row_factory=class_row(Counted))
            await rows.execute(sql.SQL(_COUNTS).format(condition.clause), condition.values)
            counts = await rows.fetchall()
            recent = await connection.execute(sql.SQL(_RECENT).format(condition.clause), condition.values)
            ((additions,),) = await recent.fetchall()
        return Stats(tuple(counts), additions)

    async def cover(self, hash_: str, rights: Rights) -> CoverImage | None:
        """A thumbnail by the hash of its content, if an item that these rights see has it."""
        condition = seen(rights)
        query = sql.SQL(
            "SELECT mime, data FROM covers WHERE hash = %(hash)s AND EXISTS (SELECT FROM media_items m"
            " WHERE m.cover_image = '/api/v1/covers/' || %(hash)s AND m.deleted_at IS NULL AND {})"
        )
        async with self._pool.connection() as connection:
            rows = connection.cursor(row_factory=class_row(CoverImage))
            await rows.execute(query.format(condition.clause), condition.values | {"hash": hash_})
            return await rows.fetchone()


def at_iso(at: datetime | None) -> str | None:
    """A database time, in whatever zone the session has, in its wire format."""
    return None if at is None else iso(millis(at))
