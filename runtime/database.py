"""How processes connect to PostgreSQL, and readable reasons for why a connection failed.

Nothing here, and nothing that connects with `OPTIONS`, relies on session state: a pooler in transaction mode may run each
transaction on another server connection. A reason names the setting to correct, never a secret.

When a process starts, a server that is unreachable or still starting is no error, because it may become available. A
rejected password and an untrusted certificate are errors, because only the operator can correct them. Later all of these
are ordinary outages: a password may be changed while processes run, and the next connection reads its file again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict

from runtime.errors import SecretFileError, SettingsError

URL = "CATALOGIZER_DATABASE__URL"
ANSWER_SECONDS = 3

Address: TypeAlias = str | Callable[[], str]
"""A database's URL, or a function that returns it for each new connection (raises SecretFileError)."""

OPTIONS: Final[dict[str, Any]] = {
    "prepare_threshold": None,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""Used by every connection. No prepared statements: a pooler may run the next transaction on a connection without them. A
server whose machine has disappeared, as in a fail-over, is noticed within 15 s."""

READ_ONLY = "it is read-only: it stands by for another server, or is being failed over"

_READ_ONLY = ("session is read-only", "read-only transaction")
_CREDENTIALS = ("authentication failed", "no password supplied", "not permitted to log in")
_NO_AUTHORITIES = "root certificate"
_NOT_TRUSTED = "certificate verify failed"
_OTHER_HOST = "does not match host name"
_NO_TLS = "server does not support ssl"
_REASONS = (
    ("authentication failed", f"the password or the user is wrong ({URL})"),
    ("no password supplied", f"a password is required and none is set ({URL})"),
    *((words, READ_ONLY) for words in _READ_ONLY),
    (_NO_AUTHORITIES, f"the file of the authorities that are trusted cannot be read (sslrootcert in {URL})"),
    (_NOT_TRUSTED, f"its certificate is not trusted (sslrootcert in {URL})"),
    (_OTHER_HOST, f"its certificate is for another host ({URL})"),
    (_NO_TLS, f"it does not speak TLS, and sslmode requires it ({URL})"),
    ("no pg_hba.conf entry", f"the server does not admit this user from here ({URL})"),
    ("does not exist", f"there is no database or no user of that name ({URL})"),
    ("no such database", f"there is no database of that name ({URL})"),
    ("not permitted to log in", f"this user may not sign in ({URL})"),
    ("failed to resolve host", f"the name of its host is not known ({URL})"),
    ("could not translate host name", f"the name of its host is not known ({URL})"),
    ("unsupported startup parameter", f"the pooler before it does not accept a parameter of {URL}"),
    ("server login", "the pooler before it cannot reach it"),
    ("connection refused", f"nothing listens at its address ({URL})"),
    ("timeout", f"its address does not answer ({URL})"),
    ("starting up", "it is starting"),
    ("shutting down", "it is shutting down"),
    ("too many", "it accepts no more connections"),
    ("no more connections", "it accepts no more connections"),
    ("remaining connection slots", "it accepts no more connections"),
)
"""libpq's messages, because it gives no code for a failed connection. A server that answers in another language is reported
as unreachable. If there are messages of several servers, the first match in this order is reported: the most useful ones
come first."""
_CERTIFIED = re.compile(r'server certificate for "([^"]*)"')


def address_now(address: Address) -> str:
    """The URL for a new connection. Raises SecretFileError."""
    return address if isinstance(address, str) else address()


def files_of_certificates(url: str) -> tuple[Path, ...]:
    """The certificate files that a connection uses: the trusted authority's and our own."""
    named = conninfo_to_dict(url)
    files = (named.get("sslrootcert"), named.get("sslcert"))
    return tuple(Path(str(file)) for file in files if file and file != "system")


def why_unreachable(error: Exception) -> str:
    """Why a connection could not be made, or was lost."""
    return known_reason(error) or f"it cannot be reached ({URL})"


def known_reason(error: Exception) -> str | None:
    """The reason, or None if the message is not a known one."""
    if isinstance(error, SecretFileError):
        return f"the file that {error.variable} names cannot be used"
    message = _message(error)
    return next((reason for words, reason in _REASONS if words in message), None)


def is_read_only(error: Exception) -> bool:
    """True if the error means that the server is read-only."""
    message = _message(error)
    return any(words in message for words in _READ_ONLY)


async def check_admission(address: Address, *, credentials: bool = True) -> None:
    """Return if the server admits us or cannot be reached. Raises SettingsError if its certificate is not trusted, and
    (`credentials`) if it rejects the user or the password."""
    url = address_now(address)
    try:
        connection = await psycopg.AsyncConnection.connect(
            url, connect_timeout=ANSWER_SECONDS, application_name="catalogizer start", **OPTIONS
        )
    except (psycopg.OperationalError, TimeoutError, OSError) as error:
        if (fault := _fault(url, error, credentials)) is not None:
            raise SettingsError((fault,)) from error
        return
    await connection.close()


@contextmanager
def refusals_named(url: str) -> Iterator[None]:
    """For a block that connects. Raises SettingsError if the server's certificate is not trusted, or if the server rejects
    the user or the password; psycopg.Error for the rest."""
    try:
        yield
    except psycopg.OperationalError as error:
        if (fault := _fault(url, error, credentials=True)) is not None:
            raise SettingsError((fault,)) from error
        raise


def _fault(url: str, error: Exception, credentials: bool) -> str | None:
    """The message for a fault that only the operator can correct; it names file and host. None for other faults."""
    message = _message(error)
    wanted = conninfo_to_dict(url)
    host, file = wanted.get("host", "localhost"), wanted.get("sslrootcert", "~/.postgresql/root.crt")
    if credentials and any(words in message for words in _CREDENTIALS):
        return f"database.url: {why_unreachable(error)}"
    if _NO_AUTHORITIES in message:
        return f"database.url: {file}, the file of the authorities that are trusted (sslrootcert in {URL}), cannot be read"
    if _NOT_TRUSTED in message:
        return f"database.url: the certificate of {host} is of no authority in {file} (sslrootcert in {URL})"
    if _OTHER_HOST in message:
        found = _CERTIFIED.search(str(error))
        other = "another host" if found is None else found[1]
        return f"database.url: the certificate of {host} is for {other} (sslmode=verify-full in {URL})"
    if _NO_TLS in message:
        return f"database.url: {host} does not speak TLS, and sslmode in {URL} requires it"
    return None


def _message(error: Exception) -> str:
    return "timeout" if isinstance(error, TimeoutError) else str(error).lower()
