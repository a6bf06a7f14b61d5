"""What the projector's tables hold, as values, in the shape of the fake's: the same dump for fake and real.

What the database derives from the rows (generated columns, counts) is no part of it: `derived` holds that to the rows."""

from __future__ import annotations

import msgspec
import psycopg
from msgspec import Raw
from psycopg import sql

from streams.projector.rows import LAWS
from tests.fakes.projector_store import Cell, Record, Tables

KEYS: dict[str, tuple[str, ...]] = {law.table: law.key for law in LAWS.values()}
UNEQUAL = frozenset({"processed_at"})
"""When a row was written is the only thing that a replay may change."""


def dump(url: str) -> Tables:
    """Every table that the projector writes, by key."""
    with psycopg.connect(url) as connection:
        return {table: _rows(connection, table, key) for table, key in KEYS.items()}


def empty(url: str) -> None:
    """As new: no rows, no positions."""
    with psycopg.connect(url) as connection:
        for table in ("sink_offset", *KEYS):
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))


def _rows(connection: psycopg.Connection, table: str, key: tuple[str, ...]) -> dict[tuple[Cell, ...], Record]:
    names = [
        str(name)
        for (name,) in connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
            " AND attgenerated = '' ORDER BY attnum",
            (table,),
        )
    ]
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    cursor = connection.execute(sql.SQL("SELECT {} FROM {}").format(columns, sql.Identifier(table)))
    found: dict[tuple[Cell, ...], Record] = {}
    for row in cursor:
        record = {name: _cell(cell) for name, cell in zip(names, row, strict=True) if name not in UNEQUAL}
        found[tuple(record[column] for column in key)] = record
    return found


_COUNTS = """
SELECT library, storage_root, media_type, coalesce(category, ''), coalesce(quality, ''), belongs_to IS NOT NULL,
       count(*), sum(file_size::numeric)
FROM media_items WHERE deleted_at IS NULL GROUP BY 1, 2, 3, 4, 5, 6
"""
_ADDITIONS = """
SELECT library, storage_root, date_bin('1 hour', created_at, '2000-01-01Z'), count(*)
FROM media_items WHERE deleted_at IS NULL GROUP BY 1, 2, 3
"""
_UNKNOWN_WORDS = """
SELECT DISTINCT word FROM media_items, string_to_table(words, ' ') AS u(word)
WHERE word ~ '^[a-z]{4,24}$' AND word NOT IN (SELECT word FROM search_vocabulary)
"""


def derived(url: str) -> None:
    """Fails unless the values kept by triggers agree with the rows of `media_items`."""
    with psycopg.connect(url) as connection:
        for kept, query in (("media_counts", _COUNTS), ("media_additions", _ADDITIONS)):
            rows = connection.execute(sql.SQL("SELECT * FROM {} WHERE items <> 0").format(sql.Identifier(kept)))
            assert set(rows.fetchall()) == set(connection.execute(query.encode()).fetchall()), kept
            zero = sql.SQL("SELECT * FROM {} WHERE items < 0").format(sql.Identifier(kept))
            assert connection.execute(zero).fetchall() == []
        assert connection.execute(_UNKNOWN_WORDS.encode()).fetchall() == []


def plain(tables: Tables) -> Tables:
    """The fake's tables with JSON read, to compare with a dump."""
    return {
        table: {key: {name: _cell(cell) for name, cell in record.items()} for key, record in rows.items()}
        for table, rows in tables.items()
    }


def _cell(cell: Cell) -> Cell:
    if isinstance(cell, Raw):
        parsed: Cell = msgspec.json.decode(cell)
        return parsed
    return cell
