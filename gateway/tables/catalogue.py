"""Reads the projector's tables: items, statistics, covers. Deleted items are never among them.

All values are parameters; what cannot be one (a column to sort by) comes from a table here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, LiteralString

from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from schemas.ids import MAX_SAFE
from schemas.times import iso, millis

SortBy = Literal["updated_at", "created_at", "title", "year", "rating", "file_size"]
SortOrder = Literal["asc", "desc"]

_SORT: dict[SortBy, LiteralString] = {
    "updated_at": "m.updated_at",
    "created_at": "m.created_at",
    "title": "left(lower(m.title), 200)",
    "year": "m.year",
    "rating": "m.rating",
    "file_size": "m.file_size",
}
"""As the indexes of `schemas/sql` have them."""
_ORDER: dict[SortOrder, LiteralString] = {"asc": " ASC", "desc": " DESC"}
_MAY_BE_UNKNOWN: frozenset[SortBy] = frozenset({"year", "rating"})
"""Unknown ones come last. For the others no such thing is said: it would keep their indexes from being used."""

_ITEM: LiteralString = (
    "SELECT m.item, m.storage_root, coalesce(r.protocol, 'local') AS protocol"
    " FROM media_items m LEFT JOIN storage_roots r ON r.root = m.storage_root"
)

_COUNT: LiteralString = "SELECT count(*) FROM media_items m"

_MATCHES: tuple[tuple[str, LiteralString], ...] = (
    ("query", "(lower(m.title) LIKE lower(%(query)s) OR lower(m.path) LIKE lower(%(query)s))"),
    ("media_type", "(m.media_type = %(media_type)s OR m.category = %(media_type)s)"),
    ("year", "m.year = %(year)s"),
    ("year_min", "m.year >= %(year_min)s"),
    ("year_max", "m.year <= %(year_max)s"),
    ("rating_min", "m.rating >= %(rating_min)s"),
    ("quality", "m.quality = %(quality)s"),
    ("storage_root", "m.storage_root = %(storage_root)s"),
    ("category", "m.category = %(category)s"),
    ("artist", "lower(m.artist) = lower(%(artist)s)"),
    ("album", "lower(m.album) = lower(%(album)s)"),
    ("author", "lower(m.author) = lower(%(author)s)"),
    ("series", "lower(m.series) = lower(%(series)s)"),
    ("date_min", "m.date >= %(date_min)s"),
    ("date_max", "left(m.date, length(%(date_max)s)) <= %(date_max)s"),
    ("belongs_to", "m.belongs_to = %(belongs_to)s"),
)
_NO_PART: LiteralString = " AND m.belongs_to IS NULL"


Text = Annotated[Annotated[str, Field(max_length=1_024)] | None, BeforeValidator(lambda text: text or None)]
Day = Annotated[
    Annotated[str, Field(pattern=r"^[0-9]{4}(-[0-9]{2}){0,2}$")] | None, BeforeValidator(lambda text: text or None)
]
Year = Annotated[int | None, Field(ge=0, le=9_999)]


class Search(BaseModel):
    """What to look for, also as the parameters of a request. None, and an empty text: any."""

    model_config = ConfigDict(frozen=True)

    query: Text = Field(None, description="anywhere in title or path, case aside")
    media_type: Text = None
    year: Year = None
    year_min: Year = None
    year_max: Year = None
    rating_min: float | None = Field(None, ge=0, le=100)
    quality: Text = None
    storage_root: Text = None
    category: Text = Field(None, description="`movie`, `music`, …: see the item's `category`")
    artist: Text = Field(None, description="of music; the whole name, case aside")
    album: Text = None
    author: Text = Field(None, description="of books, read or read aloud")
    series: Text = Field(None, description="of books and comics")
    date_min: Day = Field(None, description="taken or shown then or later: YYYY, YYYY-MM or YYYY-MM-DD")
    date_max: Day = None
    belongs_to: int | None = Field(None, ge=0, lt=MAX_SAFE, description="the parts of this item")
    with_parts: bool = Field(False, description="posters, subtitles and the like among the others")
    sort_by: SortBy = "updated_at"
    sort_order: SortOrder = "desc"
    limit: int = Field(24, ge=1, le=200)
    offset: int = Field(0, ge=0, lt=MAX_SAFE)


@dataclass(frozen=True, slots=True)
class Item:
    """One row: the item as it is told to browsers, and its root."""

    item: dict[str, Any]
    storage_root: str
    protocol: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item is, by its root and its path as on the wire (`schemas.paths`)."""

    library: str
    storage_root: str
    path: str
    path_b64: str | None


@dataclass(frozen=True, slots=True)
class Stats:
    """The whole catalogue in numbers; `recent_additions`: of the last seven days; `total_size` in bytes."""

    total_items: int
    by_type: dict[str, int]
    by_quality: dict[str, int]
    total_size: int
    recent_additions: int


@dataclass(frozen=True, slots=True)
class CoverImage:
    """A thumbnail."""

    mime: str
    data: bytes


class CatalogueQueries:
    """Queries; each raises psycopg's errors when the database is away."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool

    async def search(self, wanted: Search) -> tuple[list[Item], int]:
        """A page of items and how many there are in all."""
        counting, paging, values = statements(wanted)
        async with self._pool.connection() as connection:
            count = await connection.execute(counting, values)
            total = (await count.fetchone() or (0,))[0]
            rows = connection.cursor(row_factory=class_row(Item))
            await rows.execute(paging, values)
            return await rows.fetchall(), total

    async def recent(self, limit: int) -> list[Item]:
        """The newest items first."""
        return (await self.search(Search(sort_by="created_at", limit=limit)))[0]

    async def item(self, media_id: int) -> Item | None:
        """One item."""
        async with self._pool.connection() as connection:
            rows = connection.cursor(row_factory=class_row(Item))
            await rows.execute(_ITEM + " WHERE m.id = %s AND m.deleted_at IS NULL", (media_id,))
            return await rows.fetchone()

    async def place(self, media_id: int) -> Place | None:
        """Where an item is."""
        async with self._pool.connection() as connection:
            rows = connection.cursor(row_factory=class_row(Place))
            await rows.execute(
                "SELECT library, storage_root, path, path_b64 FROM media_items"
                " WHERE id = %s AND deleted_at IS NULL",
                (media_id,),
            )
            return await rows.fetchone()

    async def stats(self) -> Stats:
        """The numbers."""
        async with self._pool.connection() as connection:
            rows = await connection.execute(
                "SELECT media_type, coalesce(quality, ''), count(*), coalesce(sum(file_size), 0)::bigint,"
                " count(*) FILTER (WHERE created_at > now() - interval '7 days')"
                " FROM media_items WHERE deleted_at IS NULL GROUP BY 1, 2"
            )
            groups = await rows.fetchall()
        by_type: dict[str, int] = {}
        by_quality: dict[str, int] = {}
        for media_type, quality, count, _, _ in groups:
            by_type[media_type] = by_type.get(media_type, 0) + count
            if quality:
                by_quality[quality] = by_quality.get(quality, 0) + count
        return Stats(
            total_items=sum(group[2] for group in groups),
            by_type=by_type,
            by_quality=by_quality,
            total_size=sum(group[3] for group in groups),
            recent_additions=sum(group[4] for group in groups),
        )

    async def cover(self, hash_: str) -> CoverImage | None:
        """A thumbnail by the hash of its content, where an item has it."""
        async with self._pool.connection() as connection:
            rows = connection.cursor(row_factory=class_row(CoverImage))
            await rows.execute(
                "SELECT mime, data FROM covers WHERE hash = %(hash)s AND EXISTS (SELECT FROM media_items"
                " WHERE cover_image = '/api/v1/covers/' || %(hash)s AND deleted_at IS NULL)",
                {"hash": hash_},
            )
            return await rows.fetchone()


def statements(wanted: Search) -> tuple[LiteralString, LiteralString, dict[str, object]]:
    """SQL that counts, SQL that gives the page, and the values of both."""
    values = _values(wanted)
    where: LiteralString = " WHERE m.deleted_at IS NULL"
    if wanted.belongs_to is None and not wanted.with_parts:
        where += _NO_PART
    for name, condition in _MATCHES:
        if values[name] is not None:
            where += " AND " + condition
    unknown: LiteralString = " NULLS LAST" if wanted.sort_by in _MAY_BE_UNKNOWN else ""
    order = " ORDER BY " + _SORT[wanted.sort_by] + _ORDER[wanted.sort_order] + unknown + ", m.id"
    return _COUNT + where, _ITEM + where + order + " LIMIT %(limit)s OFFSET %(offset)s", values


def _values(wanted: Search) -> dict[str, object]:
    values = wanted.model_dump()
    if wanted.query is not None:
        escaped = wanted.query.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
        values["query"] = f"%{escaped}%"
    return values


def at_iso(at: datetime | None) -> str | None:
    """A database time, in whatever zone the session has, as it stands on the wire."""
    return None if at is None else iso(millis(at))
