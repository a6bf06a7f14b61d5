"""PostgreSQL behind a port: positions, and rows with their position in one database transaction.

`Store` is what the flow needs; `PostgresStore` keeps it on one connection, opened when needed and again after any
error of it. Statements are made once from the rows' laws, and sent in one pipeline, never one round trip a row.
It knows nothing of Kafka.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Protocol

import psycopg
from psycopg import sql
from psycopg.adapt import Dumper

from streams.projector.errors import NotMigrated, RowsRefused, StoreUnavailable
from streams.projector.positions import Partition, Position
from streams.projector.rows import LAWS, Law, Row, UpsertRow, grouped

Point = Callable[[str], None]
"""Called with the name of a place in the work: tests end the process there."""

APPLY_SECONDS = 60.0
"""A transaction that takes longer is given up: the server may be frozen, and no time-out of it would fire."""
CONNECT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one partition, and the position that goes with them: from `expected` to `next_offset`."""

    partition: Partition
    expected: int
    next_offset: int
    rows: tuple[Row, ...]


class Store(Protocol):
    """What the projector needs of a database. Every method raises StoreUnavailable when it cannot be reached."""

    async def positions(self) -> dict[Partition, Position]:
        """All positions."""
        ...

    async def begin(self, partition: Partition, position: Position) -> None:
        """Give a partition its first position; one that has a position keeps it."""
        ...

    async def apply(self, batch: Batch) -> bool:
        """Rows and position, whole or not at all. False: somebody else has moved the position, nothing was
        written. Raises RowsRefused when the rows cannot be kept."""
        ...

    async def move(self, partition: Partition, expected: int, to: int) -> bool:
        """Move a position by an operator's will; False when it was not `expected` any more."""
        ...

    async def close(self) -> None:
        """Let go of the connection."""
        ...


def no_point(_name: str) -> None:
    """Nothing happens at any point."""


_MOVE = "UPDATE sink_offset SET next_offset = %s WHERE topic = %s AND partition = %s AND next_offset = %s"
_BEGIN = "INSERT INTO sink_offset (topic, partition, next_offset, epoch) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING"
_CLOSE_GAPS = """
UPDATE gaps SET closed_at = %s, counts = %s, closed_offset = %s
WHERE root = %s AND cause = %s AND (%s::text = '' OR subtree = %s OR starts_with(subtree, %s || '/'))
  AND src_partition = %s AND src_offset < %s AND (closed_offset IS NULL OR closed_offset >= %s)
"""
_DROP_COVER = "DELETE FROM covers WHERE hash = %s AND src_offset <= %s"


class _IntDumper(Dumper):
    """Whole numbers as text of no type of their own: psycopg's choice by size would prepare one statement for
    every mixture of sizes in a row."""

    oid = 0

    def dump(self, obj: int) -> bytes:
        """Decimal digits."""
        return b"%d" % obj


def _upsert(kind: type[UpsertRow], law: Law) -> sql.Composed:
    columns = [field.name for field in fields(kind)]
    update = law.update or tuple(column for column in columns if column not in law.key)
    names = sql.SQL(", ").join
    guard = [sql.Identifier(column) for column in law.guard]
    return sql.SQL(
        "INSERT INTO {table} AS t ({columns}) VALUES ({values}) ON CONFLICT ({key}) DO UPDATE SET {update}"
        " WHERE ({kept}) <= ({new})"
    ).format(
        table=sql.Identifier(law.table),
        columns=names([sql.Identifier(column) for column in columns]),
        values=names([sql.Placeholder()] * len(columns)),
        key=names([sql.Identifier(column) for column in law.key]),
        update=names([sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(column)) for column in update]),
        kept=names([sql.SQL("t.{}").format(column) for column in guard]),
        new=names([sql.SQL("EXCLUDED.{}").format(column) for column in guard]),
    )


_UPSERTS = {
    kind: (_upsert(kind, law), attrgetter(*(field.name for field in fields(kind)))) for kind, law in LAWS.items()
}


class PostgresStore:
    """The real one. Not to be shared between tasks."""

    def __init__(self, url: str, points: Point = no_point) -> None:
        self._url = url
        self._points = points
        self._connection: psycopg.AsyncConnection | None = None

    async def positions(self) -> dict[Partition, Position]:
        """All positions."""
        async with self._open() as connection:
            cursor = await connection.execute("SELECT topic, partition, next_offset, epoch FROM sink_offset")
            return {Partition(row[0], row[1]): Position(row[2], row[3]) for row in await cursor.fetchall()}

    async def begin(self, partition: Partition, position: Position) -> None:
        """Give a partition its first position; one that has a position keeps it."""
        values = (partition.topic, partition.number, position.next_offset, position.epoch)
        async with self._open() as connection:
            await connection.execute(_BEGIN, values)

    async def move(self, partition: Partition, expected: int, to: int) -> bool:
        """Move a position by an operator's will; False when it was not `expected` any more."""
        async with self._open() as connection:
            cursor = await connection.execute(_MOVE, (to, partition.topic, partition.number, expected))
            return cursor.rowcount == 1

    async def apply(self, batch: Batch) -> bool:
        """Rows and position in one transaction; the position first, so that two writers take turns there."""
        partition = batch.partition
        async with self._open() as connection, connection.pipeline() as pipeline, connection.transaction() as work:
            moved = await connection.execute(
                _MOVE, (batch.next_offset, partition.topic, partition.number, batch.expected)
            )
            await self._write(connection, batch.rows)
            await pipeline.sync()
            if moved.rowcount != 1:
                raise psycopg.Rollback(work)
            self._points("before_db_commit")
        return moved.rowcount == 1

    async def close(self) -> None:
        """Let go of the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _write(self, connection: psycopg.AsyncConnection, rows: tuple[Row, ...]) -> None:
        groups = grouped(rows)
        cursor = connection.cursor()
        for kind, (statement, values) in _UPSERTS.items():
            if group := groups.upserts[kind]:
                await cursor.executemany(statement, [values(row) for row in group])
        if groups.gaps_closed:
            await cursor.executemany(_CLOSE_GAPS, [_closing(row) for row in groups.gaps_closed])
        if groups.covers_gone:
            await cursor.executemany(_DROP_COVER, [(row.hash, row.src_offset) for row in groups.covers_gone])

    @contextlib.asynccontextmanager
    async def _open(self) -> AsyncIterator[psycopg.AsyncConnection]:
        """The connection, opened if need be; after an error that is not the rows' fault it is dropped."""
        try:
            async with asyncio.timeout(APPLY_SECONDS):
                yield await self._connect()
        except (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded) as error:
            raise RowsRefused(_first_line(error)) from error
        except psycopg.errors.SyntaxErrorOrAccessRuleViolation as error:
            await self.close()
            raise NotMigrated(_first_line(error)) from error
        except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError, TimeoutError) as error:
            await self.close()
            raise StoreUnavailable(_first_line(error) or type(error).__name__) from error

    async def _connect(self) -> psycopg.AsyncConnection:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(
                self._url,
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                target_session_attrs="read-write",
                application_name="catalogizer-projector",
                keepalives_idle=5,
                keepalives_interval=2,
                keepalives_count=3,
                tcp_user_timeout=10_000,
                prepare_threshold=1,
            )
            self._connection.adapters.register_dumper(int, _IntDumper)
        return self._connection


def _closing(row: Any) -> tuple[Any, ...]:
    return (
        row.closed_at, row.counts, row.src_offset, row.root, row.cause, row.subtree, row.subtree, row.subtree,
        row.src_partition, row.src_offset, row.src_offset,
    )  # fmt: skip


def _first_line(error: BaseException) -> str:
    return str(error).split("\n", 1)[0]
