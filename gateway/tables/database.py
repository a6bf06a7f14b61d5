"""Whether the database can be used, in plain words: looked at every two seconds on a connection of its own.

What it says names the setting or the command that helps, never the server's own words or a secret. Sockets are served
whatever it says.
"""

from __future__ import annotations

import asyncio
from importlib.resources import files

import psycopg

from runtime import log
from runtime.database import ANSWER_SECONDS, URL, why_unreachable
from runtime.health import Starting
from runtime.lifecycle import Stop

LOOK_SECONDS = 2.0
UNMIGRATED = "the tables are not those of this program: run `catalogizer migrate`"

_log = log.get(__name__)


class DatabaseCheck:
    """`condition`: None while it can be used. `used` is set when it could be for the first time."""

    def __init__(self, url: str) -> None:
        self.condition: str | Starting | None = Starting("the database is being looked at")
        self.used = asyncio.Event()
        self._url = url
        self._tables = frozenset(
            file.name for file in files("schemas").joinpath("sql").iterdir() if file.name.endswith(".sql")
        )

    async def run(self, stop: Stop) -> None:
        """Look until asked to stop."""
        while not stop.asked:
            try:
                connecting = psycopg.AsyncConnection.connect(
                    self._url, autocommit=True, connect_timeout=ANSWER_SECONDS, application_name="serve health"
                )
                async with await connecting as connection:
                    await self._look_on(connection, stop)
            except (psycopg.Error, TimeoutError, OSError) as error:
                self._note(reason_of(error))
                await stop.wait(LOOK_SECONDS)

    async def _look_on(self, connection: psycopg.AsyncConnection, stop: Stop) -> None:
        while not stop.asked:
            async with asyncio.timeout(ANSWER_SECONDS):
                rows = await (await connection.execute("SELECT name FROM schema_migrations")).fetchall()
            self._note(UNMIGRATED if self._tables - {row[0] for row in rows} else None)
            await stop.wait(LOOK_SECONDS)

    def _note(self, condition: str | None) -> None:
        if condition == self.condition:
            return
        if condition is not None:
            _log.warning("the database cannot be used", reason=condition)
        else:
            if isinstance(self.condition, str):
                _log.info("the database is in use again")
            self.used.set()
        self.condition = condition


def reason_of(error: Exception) -> str:
    """Why the database cannot be used."""
    if isinstance(error, psycopg.errors.UndefinedTable):
        return UNMIGRATED
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return f"this user may not read the tables ({URL})"
    return why_unreachable(error)
