"""Rows to a connection: few inside the statement, many by COPY first.

Staging comes before anything that blocks others: it takes no lock, so a projector that is stopped in the middle of it
blocks nobody. What is written is the same either way (`statements`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import psycopg
from msgspec import Raw
from msgspec.structs import astuple
from psycopg import sql
from psycopg.adapt import Dumper

from schemas.codec import encode
from streams.projector import statements as s
from streams.projector.rows import LAWS, Grouped, Row
from streams.projector.statements import Kind, Statement

MANY = 200
"""Rows of one kind from which on COPY is cheaper than JSON inside the statement."""


class _RawDumper(Dumper):
    def dump(self, obj: Raw) -> bytes:
        """JSON as it was written."""
        return bytes(obj)


def adapt(connection: psycopg.AsyncConnection) -> None:
    """Register the dumpers with which a connection accepts rows unchanged."""
    connection.adapters.register_dumper(Raw, _RawDumper)


async def copy(connection: psycopg.AsyncConnection, statement: sql.Composed, rows: Sequence[Row]) -> None:
    """COPY rows of one kind."""
    async with connection.cursor().copy(statement) as into:
        for row in rows:
            await into.write_row(astuple(row))


async def stage(connection: psycopg.AsyncConnection, groups: Grouped, many: int = MANY) -> list[Kind]:
    """Copy those kinds that have `many` rows into their staging tables; returns which."""
    staged = [kind for kind, same in groups.upserts.items() if len(same) >= many]
    for kind in staged:
        await connection.execute(s.MAKE_STAGING[kind])
        await copy(connection, s.COPY_STAGING[kind], list(groups.upserts[kind].values()))
    return staged


async def merge(connection: psycopg.AsyncConnection, groups: Grouped, staged: list[Kind]) -> None:
    """Write all: what is staged from there, the rest from the statement."""
    for statement, parameters in _merging(groups, staged):
        await connection.execute(statement, parameters)


def _merging(groups: Grouped, staged: list[Kind]) -> Iterator[tuple[Statement, tuple[str] | None]]:
    for kind in LAWS:
        if kind in staged:
            yield s.UPSERT_STAGED[kind], None
        elif same := groups.upserts.get(kind):
            yield s.UPSERT_JSON[kind], _json(list(same.values()))
    if groups.gaps_closed:
        yield s.CLOSE_GAPS, _json(groups.gaps_closed)
    if groups.covers_gone:
        yield s.DROP_COVERS, _json(groups.covers_gone)


def _json(rows: object) -> tuple[str]:
    return (encode(rows).decode(),)
