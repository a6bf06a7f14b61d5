"""PostgreSQL behind a port: positions, and rows with their position in one database transaction.

`Store` is what the flow needs; `PostgresStore` keeps it on one connection, opened when needed and again after any
error of it. Statements are made once from the rows' laws: one per kind of row, whatever the number of rows, which
travel as one JSON array (34,000 rows/s against 8,600 one by one in a pipeline, measured). No pipeline: psycopg
stops sending in the middle of a large parameter there, and both sides wait for ever (seen with 1 MB).
It knows nothing of Kafka.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString, Protocol, get_args, get_type_hints
from uuid import UUID

import psycopg
from msgspec import Raw
from psycopg import sql

from schemas.codec import encode
from streams.projector.errors import NotMigrated, RowsRefused, StoreUnavailable
from streams.projector.positions import Partition, PartitionPosition
from streams.projector.rows import LAWS, Law, Row, UpsertRow, grouped

Point = Callable[[str], None]
"""Called with the name of a place in the work: tests end the process there."""

APPLY_SECONDS = 60.0
"""A transaction that takes longer is given up: the server may be frozen, and no time-out of it would fire."""
CONNECT_SECONDS = 5
_SESSION = "SET idle_in_transaction_session_timeout = '5s'; SET lock_timeout = '15s'"
"""A projector that stands still in the middle of a transaction must not hold its position's lock for ever: the
database ends its session, and whoever took its partition over goes on."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one partition, and the position that goes with them: from `expected` to `next_offset`."""

    partition: Partition
    expected: int
    next_offset: int
    rows: tuple[Row, ...]


class Store(Protocol):
    """What the projector needs of a database. Every method raises StoreUnavailable when it cannot be reached."""

    async def positions(self) -> dict[Partition, PartitionPosition]:
        """All positions."""
        ...

    async def begin(self, partition: Partition, position: PartitionPosition) -> None:
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
_BEGIN = (
    "INSERT INTO sink_offset (topic, partition, next_offset, epoch) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING"
)
_CLOSE_GAPS = """
UPDATE gaps AS t SET closed_at = c.closed_at, counts = c.counts, closed_offset = c.by
FROM (
    SELECT DISTINCT ON (g.src_partition, g.src_offset)
           g.src_partition, g.src_offset, r.closed_at, r.counts, r.src_offset AS by
    FROM jsonb_to_recordset(%s::jsonb) AS r(root text, cause text, subtree text, closed_at timestamptz,
                                            counts jsonb, src_partition integer, src_offset bigint)
    JOIN gaps AS g ON g.root = r.root AND g.cause = r.cause AND g.src_partition = r.src_partition
     AND (r.subtree = '' OR g.subtree = r.subtree OR starts_with(g.subtree, r.subtree || '/'))
     AND g.src_offset < r.src_offset AND (g.closed_offset IS NULL OR g.closed_offset >= r.src_offset)
    ORDER BY g.src_partition, g.src_offset, r.src_offset
) AS c
WHERE t.src_partition = c.src_partition AND t.src_offset = c.src_offset
"""
_DROP_COVERS = """
DELETE FROM covers AS t USING jsonb_to_recordset(%s::jsonb) AS r(hash text, src_offset bigint)
WHERE t.hash = r.hash AND t.src_offset <= r.src_offset
"""


_TYPES = {
    int: "bigint",
    str: "text",
    bool: "boolean",
    float: "double precision",
    bytes: "text",
    datetime: "timestamptz",
    UUID: "uuid",
    Raw: "jsonb",
}
"""How PostgreSQL reads a field of a row from JSON (bytes: base64)."""


def _upsert(kind: type[UpsertRow], law: Law) -> sql.Composed:
    types = {name: _plain(hint) for name, hint in get_type_hints(kind).items()}
    update = law.update or tuple(column for column in types if column not in law.key)
    listed = sql.SQL(", ").join
    guard = [sql.Identifier(column) for column in law.guard]
    return sql.SQL(
        "INSERT INTO {table} AS t ({columns}) SELECT {values} FROM jsonb_to_recordset(%s::jsonb) AS r({typed})"
        " ON CONFLICT ({key}) DO UPDATE SET {update} WHERE ({kept}) <= ({new})"
    ).format(
        table=sql.Identifier(law.table),
        columns=listed([sql.Identifier(column) for column in types]),
        values=listed([_value(column, type_) for column, type_ in types.items()]),
        typed=listed(
            [
                sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(_TYPES[type_]))
                for column, type_ in types.items()
            ]
        ),
        key=listed([sql.Identifier(column) for column in law.key]),
        update=listed([sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(column)) for column in update]),
        kept=listed([sql.SQL("t.{}").format(column) for column in guard]),
        new=listed([sql.SQL("EXCLUDED.{}").format(column) for column in guard]),
    )


def _plain(hint: Any) -> type:
    """The type in `T | None`."""
    (plain,) = [part for part in get_args(hint) or (hint,) if part is not type(None)]
    assert isinstance(plain, type)
    return plain


def _value(column: str, type_: type) -> sql.Composable:
    name = sql.Identifier(column)
    return sql.SQL("decode({}, 'base64')").format(name) if type_ is bytes else name


_UPSERTS = {kind: _upsert(kind, law) for kind, law in LAWS.items()}


class PostgresStore:
    """The real one. Not to be shared between tasks."""

    def __init__(self, url: str, points: Point = no_point) -> None:
        self._url = url
        self._points = points
        self._connection: psycopg.AsyncConnection | None = None

    async def positions(self) -> dict[Partition, PartitionPosition]:
        """All positions."""
        async with self._open() as connection:
            cursor = await connection.execute("SELECT topic, partition, next_offset, epoch FROM sink_offset")
            return {
                Partition(row[0], row[1]): PartitionPosition(row[2], row[3]) for row in await cursor.fetchall()
            }

    async def begin(self, partition: Partition, position: PartitionPosition) -> None:
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
        async with self._open() as connection, connection.transaction() as work:
            moved = await connection.execute(
                _MOVE, (batch.next_offset, partition.topic, partition.number, batch.expected)
            )
            if moved.rowcount != 1:
                raise psycopg.Rollback(work)
            for statement, rows in _written(batch.rows):
                await connection.execute(statement, (encode(rows).decode(),))
            self._points("before_db_commit")
        return moved.rowcount == 1

    async def close(self) -> None:
        """Let go of the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    @contextlib.asynccontextmanager
    async def _open(self) -> AsyncIterator[psycopg.AsyncConnection]:
        """The connection, opened if need be; after an error that is not the rows' fault it is dropped."""
        try:
            async with asyncio.timeout(APPLY_SECONDS):
                yield await self._connect()
        except (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded) as error:
            raise RowsRefused(_first_line(error)) from error
        except psycopg.ProgrammingError as error:
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
            await self._connection.execute(_SESSION)
        return self._connection


def _written(rows: tuple[Row, ...]) -> Iterator[tuple[sql.Composed | LiteralString, Sequence[Row]]]:
    """The statements that write the rows, each with its rows."""
    groups = grouped(rows)
    for kind, statement in _UPSERTS.items():
        if same := groups.upserts[kind]:
            yield statement, list(same.values())
    if groups.gaps_closed:
        yield _CLOSE_GAPS, groups.gaps_closed
    if groups.covers_gone:
        yield _DROP_COVERS, groups.covers_gone


def _first_line(error: BaseException) -> str:
    return str(error).split("\n", 1)[0]
