"""Ensures that one process at a time changes the tables: an advisory lock of the database, released with its connection.

Others wait for a limited time and then get an error that names the owner. Behind a pooler the session, and with it the lock,
could pass to another client when a transaction ends, so there it is not taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from cli.errors import CommandError
from runtime.database import OPTIONS, URL, refusals_named

LOCK = 0x636174616C6F67
"""Its key ("catalog" in ASCII)."""
WAIT_SECONDS = 60.0

_HOLDER = """
SELECT coalesce(nullif(a.application_name, ''), 'a client without a name'), a.pid, a.usename,
       coalesce(host(a.client_addr), 'the server''s own machine'), to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS TZ')
FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.objsubid = 1 AND (l.classid::bigint << 32 | l.objid::bigint) = %s
"""


class TablesLocked(CommandError):
    """`seconds`: how long this process waited. `holder`: who changes the tables."""

    retryable = True

    def __init__(self, seconds: float, holder: str) -> None:
        self.seconds = seconds
        self.holder = holder
        super().__init__(f"the tables are being changed by {holder}; waited {seconds:g} s for it to end")


class NeedsSession(CommandError):
    """The connection is to a pooler, not directly to the server."""

    def __init__(self) -> None:
        super().__init__(
            "this command needs a session of its own, and a pooler answers for the database:"
            f" give it the server's own address ({URL})"
        )


@contextmanager
def tables_locked(url: str, caller: str, seconds: float = WAIT_SECONDS) -> Iterator[psycopg.Connection]:
    """A connection that holds the lock. `caller`: named to others that wait. The server notices within a second if its
    client was killed, whatever it is doing. Raises NeedsSession, TablesLocked, SettingsError, psycopg.Error."""
    with refusals_named(url):
        opened = psycopg.connect(url, autocommit=True, application_name=caller, **OPTIONS)
    with opened as connection:
        if _pooled(connection):
            raise NeedsSession
        connection.execute("SET client_connection_check_interval = '1s'")
        connection.execute("SELECT set_config('lock_timeout', %s, false)", (f"{seconds * 1000:.0f}ms",))
        try:
            connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        except psycopg.errors.LockNotAvailable as error:
            raise TablesLocked(seconds, _holder(connection)) from error
        connection.execute("RESET lock_timeout")
        yield connection


def _pooled(connection: psycopg.Connection) -> bool:
    """True behind a pooler: it gives clients its own process ids, for cancel requests."""
    (pid,) = connection.execute("SELECT pg_backend_pid()").fetchone() or (None,)
    return bool(pid != connection.info.backend_pid)


def _holder(connection: psycopg.Connection) -> str:
    row = connection.execute(_HOLDER, (LOCK,)).fetchone()
    if row is None:
        return "somebody who has just ended"
    name, pid, user, address, since = row
    return f"{name} (process {pid} of the database, user {user}, from {address}, connected since {since})"
