"""PostgreSQL behind a port: positions, and rows with their position in one database transaction.

`Store` is what the flow needs; `PostgresStore` implements it on one connection, which is opened when needed and again after
any error of it. There is one statement per kind of row, whatever the number of rows (34,000 rows/s against 8,600 one by one
in a pipeline, measured). There is no pipeline: psycopg stops sending in the middle of a large parameter in it, and both
sides wait forever (observed with 1 MB). It knows nothing of Kafka.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol

import psycopg

from runtime.database import OPTIONS, READ_ONLY, Address, address_now, known_reason
from runtime.errors import SecretFileError
from streams.projector.bulk import MANY, adapt, merge, stage
from streams.projector.errors import NotGranted, NotMigrated, RowsRefused, StoreUnavailable
from streams.projector.positions import Partition, PartitionPosition
from streams.projector.rows import Row, grouped
from streams.projector.statements import BEGIN, MOVE

Point = Callable[[str], None]
"""Called with the name of a point in the work: tests kill the process there."""

APPLY_SECONDS = 60.0
"""A transaction that takes longer is given up: the server may hang, so that none of its own time-outs would fire."""
CONNECT_SECONDS = 5
_BOUNDS = """
SET LOCAL idle_in_transaction_session_timeout = '5s'; SET LOCAL lock_timeout = '15s'; SET LOCAL statement_timeout = '60s'
"""
"""A projector that hangs in the middle of a transaction must not keep its position's lock forever: the database ends
its session, and the new owner of the partition continues. The last setting is for a projector that hangs in the middle
of a COPY, when its session is not idle. They are set in each transaction: behind a pooler the next one has another
session."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one partition, and the position to write with them: from `expected` to `next_offset`."""

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
        """Write rows and position, all or nothing. False: another writer has moved the position, and nothing was
        written. Raises RowsRefused when the database rejects the rows."""
        ...

    async def move(self, partition: Partition, expected: int, to: int) -> bool:
        """Move a position by an operator's will; False when it was not `expected` any more."""
        ...

    async def close(self) -> None:
        """Close the connection."""
        ...


def no_point(_name: str) -> None:
    """Does nothing."""


class PostgresStore:
    """The real store. Not to be shared between tasks. `many`: from so many rows of a kind on they are copied first."""

    def __init__(self, address: Address, points: Point = no_point, many: int = MANY) -> None:
        self._address = address
        self._points = points
        self._many = many
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
            await connection.execute(BEGIN, values)

    async def move(self, partition: Partition, expected: int, to: int) -> bool:
        """Move a position by an operator's will; False when it was not `expected` any more."""
        async with self._open() as connection:
            cursor = await connection.execute(MOVE, (to, partition.topic, partition.number, expected))
            return cursor.rowcount == 1

    async def apply(self, batch: Batch) -> bool:
        """Write rows and position in one transaction; the position first, so that its lock serializes two writers."""
        partition, groups = batch.partition, grouped(batch.rows)
        async with self._open() as connection, connection.transaction() as work:
            await connection.execute(_BOUNDS)
            staged = await stage(connection, groups, self._many)
            self._points("before_position")
            moved = await connection.execute(
                MOVE, (batch.next_offset, partition.topic, partition.number, batch.expected)
            )
            if moved.rowcount != 1:
                raise psycopg.Rollback(work)
            await merge(connection, groups, staged)
            self._points("before_db_commit")
        return moved.rowcount == 1

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    @contextlib.asynccontextmanager
    async def _open(self) -> AsyncIterator[psycopg.AsyncConnection]:
        """The connection, opened if necessary; after an error that is not caused by the rows it is closed."""
        try:
            async with asyncio.timeout(APPLY_SECONDS):
                yield await self._connect()
        except (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded) as error:
            raise RowsRefused(_first_line(error)) from error
        except psycopg.errors.InsufficientPrivilege as error:
            await self.close()
            raise NotGranted(_first_line(error)) from error
        except psycopg.ProgrammingError as error:
            await self.close()
            raise NotMigrated(_first_line(error)) from error
        except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError) as error:
            await self.close()
            raise StoreUnavailable(_reason(error)) from error
        except SecretFileError as error:
            raise StoreUnavailable(str(error)) from error
        except TimeoutError as error:
            await self.close()
            raise StoreUnavailable(f"no answer within {APPLY_SECONDS:g} s") from error

    async def _connect(self) -> psycopg.AsyncConnection:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(
                address_now(self._address),
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                target_session_attrs="read-write",
                application_name="catalogizer-projector",
                **OPTIONS,
            )
            adapt(self._connection)
        return self._connection


def _reason(error: psycopg.Error) -> str:
    """The reason of an error: our own text if a connection failed, else the server's message."""
    if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
        return READ_ONLY
    known = known_reason(error) if error.sqlstate is None else None
    return known or _first_line(error) or type(error).__name__


def _first_line(error: BaseException) -> str:
    return str(error).split("\n", 1)[0]
