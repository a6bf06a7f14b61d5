"""What the projector's tables hold, as values, in the shape of the fake's: the same dump for fake and real."""

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
    cursor = connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))
    names = [column.name for column in cursor.description or ()]
    found: dict[tuple[Cell, ...], Record] = {}
    for row in cursor:
        record = {name: _cell(cell) for name, cell in zip(names, row, strict=True) if name not in UNEQUAL}
        found[tuple(record[column] for column in key)] = record
    return found


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
