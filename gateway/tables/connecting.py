"""The gateway's connections to PostgreSQL: limited in time, and to a writable server if there is one.

None of them depends on its session: behind a pooler in transaction mode the next transaction may have another one. So the
time limit of a statement is kept here, by cancelling it, and not by a parameter of the session; it also works if a server
disappears without closing the connection.
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
"""The pool doubles its waits for so long and then stops, until a connection is requested again, which `Following` does every
two seconds: it is back soon, however long the database was away."""

T = TypeVar("T")


class WritableFirst(psycopg.AsyncConnection[TupleRow]):
    """Connects to the writable server of an address; if all that answer are read-only, to one of those."""

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
    """Each statement takes at most `STATEMENT_SECONDS`, or is cancelled: psycopg.OperationalError."""

    async def wait(self, gen: PQGen[T], *args: Any, **options: Any) -> T:
        """Called by psycopg for every step."""
        try:
            async with asyncio.timeout(STATEMENT_SECONDS):
                return await super().wait(gen, *args, **options)
        except psycopg.errors.ReadOnlySqlTransaction:
            self.pgconn.finish()  # the pool's next connection may be to the server that has taken over
            raise
        except TimeoutError as error:
            raise psycopg.OperationalError(f"no answer within {STATEMENT_SECONDS:g} s") from error


def connections(address: Address) -> AsyncConnectionPool:
    """A pool of connections, not open."""
    # psycopg warns at every try while the database is away; `gateway.tables.database` logs it once.
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
