"""Whether the database can be used, in plain words: checked every two seconds on a connection of its own.

A read-only database cannot be used, because nobody could sign in. The reason names the setting or the command that helps,
never the server's own message or a secret. Sockets are served in any case.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from importlib.resources import files

import psycopg

from gateway.tables.connecting import WritableFirst
from runtime import log
from runtime.database import ANSWER_SECONDS, OPTIONS, READ_ONLY, URL, Address, address_now, why_unreachable
from runtime.errors import SecretFileError
from runtime.health import Starting
from runtime.lifecycle import Stop

POLL_SECONDS = 2.0
UNMIGRATED = "the tables are not those of this program: run `catalogizer migrate`"

_QUERY = "SELECT name, current_setting('transaction_read_only')::boolean FROM schema_migrations"

_log = log.get(__name__)


class DatabaseCheck:
    """`condition`: None while the database can be used. `used` is set when it could be used for the first time."""

    def __init__(self, address: Address, back: Callable[[], Awaitable[None]]) -> None:
        """`back` is called when the database can be used again."""
        self.condition: str | Starting | None = Starting("the database is being checked")
        self.used = asyncio.Event()
        self._address = address
        self._back = back
        self._tables = frozenset(
            file.name for file in files("schemas").joinpath("sql").iterdir() if file.name.endswith(".sql")
        )

    async def run(self, stop: Stop) -> None:
        """Check until requested to stop."""
        while not stop.requested:
            try:
                connecting = WritableFirst.connect(
                    address_now(self._address),
                    autocommit=True,
                    connect_timeout=ANSWER_SECONDS,
                    application_name="serve health",
                    **OPTIONS,
                )
                async with await connecting as connection:
                    await self._watch(connection, stop)
            except (psycopg.Error, SecretFileError, TimeoutError, OSError) as error:
                await self._note(reason_of(error))
                await stop.wait(POLL_SECONDS)

    async def _watch(self, connection: psycopg.AsyncConnection, stop: Stop) -> None:
        """Check until requested to stop, or until another server may be the one to connect to."""
        while not stop.requested:
            async with asyncio.timeout(ANSWER_SECONDS):
                rows = await (await connection.execute(_QUERY)).fetchall()
            read_only = any(row[1] for row in rows)
            unmigrated = bool(self._tables - {row[0] for row in rows})
            await self._note(UNMIGRATED if unmigrated else READ_ONLY if read_only else None)
            await stop.wait(POLL_SECONDS)
            if read_only:
                return

    async def _note(self, condition: str | None) -> None:
        if condition == self.condition:
            return
        if condition is not None:
            _log.warning("the database cannot be used", reason=condition)
        else:
            if isinstance(self.condition, str):
                _log.info("the database is in use again")
                await self._back()
            self.used.set()
        self.condition = condition


def reason_of(error: Exception) -> str:
    """Why the database cannot be used."""
    if isinstance(error, psycopg.errors.UndefinedTable):
        return UNMIGRATED
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return f"this user may not read the tables ({URL})"
    return why_unreachable(error)
