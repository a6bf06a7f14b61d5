"""Connections to the accounts' database: by address from the command line, from the pool in the gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from runtime.database import OPTIONS, refusals_named

CONNECT_SECONDS = 10

Database: TypeAlias = str | AsyncConnectionPool
"""Its address, or a pool of connections to it."""


@asynccontextmanager
async def connected(database: Database) -> AsyncIterator[AsyncConnection]:
    """A connection, each statement of which is a transaction. Raises psycopg.Error, PoolTimeout, SettingsError."""
    if isinstance(database, AsyncConnectionPool):
        async with database.connection() as pooled:
            yield pooled
        return
    with refusals_named(database):
        connection = await psycopg.AsyncConnection.connect(
            database,
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
            application_name="catalogizer user",
            **OPTIONS,
        )
    async with connection:
        yield connection
