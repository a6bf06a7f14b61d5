"""The gateway's connections to PostgreSQL: bounded in time, and to a server that can be written to where there is one.

None counts on its session: behind a pooler in transaction mode the next transaction has another one. So the bound on a
statement is kept here, by cancelling it, and not by a parameter of the session; it holds as well where a server is gone
without a word.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Self, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from runtime.database import ANSWER_SECONDS, OPTIONS, Address, is_read_only

POOL_SIZE = 8
POOL_WAIT_SECONDS = 3.0
STATEMENT_SECONDS = 10.0
RECONNECT_SECONDS = 5.0
"""The pool doubles its waits for so long and then leaves off, until it is asked again, which `Following` does every two
seconds: it is back soon, however long the database was away."""

T = TypeVar("T")


class WritableFirst(psycopg.AsyncConnection[TupleRow]):
    """Of the servers of an address the one that can be written to; where all that answer can only be read, one of those."""

    @classmethod
    async def connect(cls, conninfo: str = "", **options: Any) -> Self:
        """Raises psycopg.OperationalError."""
        try:
            return await super().connect(conninfo, **options | {"target_session_attrs": "read-write"})
        except psycopg.OperationalError as error:
            if not is_read_only(error):
                raise
        return await super().connect(conninfo, **options | {"target_session_attrs": "any"})


class Bounded(WritableFirst):
    """Each statement takes `STATEMENT_SECONDS` at most, or is cancelled: psycopg.OperationalError."""

    async def wait(self, gen: PQGen[T], *args: Any, **options: Any) -> T:
        """What psycopg does for every step."""
        try:
            async with asyncio.timeout(STATEMENT_SECONDS):
                return await super().wait(gen, *args, **options)
        except psycopg.errors.ReadOnlySqlTransaction:
            self.pgconn.finish()  # the pool's next one may be to the server that has taken over
            raise
        except TimeoutError as error:
            raise psycopg.OperationalError(f"no answer within {STATEMENT_SECONDS:g} s") from error


def connections(address: Address) -> AsyncConnectionPool:
    """A pool of them, not open."""
    # It warns at every try while the database is away; `gateway.tables.database` says so once.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    return AsyncConnectionPool(
        address,
        connection_class=Bounded,
        min_size=1,
        max_size=POOL_SIZE,
        open=False,
        timeout=POOL_WAIT_SECONDS,
        reconnect_timeout=RECONNECT_SECONDS,
        kwargs={"autocommit": True, "connect_timeout": ANSWER_SECONDS, **OPTIONS},
        name="gateway",
    )
