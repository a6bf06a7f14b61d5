"""How processes connect to PostgreSQL, and what it says where that fails, in our words.

Nothing here, and nothing that connects with `OPTIONS`, counts on a session: a pooler in transaction mode gives each
transaction to another connection of the server's. The words name the setting that helps, never a secret.

At a process's start a server that is away or starting is no error, for it may come; a password that it refuses is one, and
so is a certificate that is not to be trusted, for nobody but the operator can mend them. Later they are outages like any
other: a password may be changed while processes run, whose next connection reads its file again.
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
"""A database's URL, or what gives it anew for each connection (raises SecretFileError)."""

OPTIONS: Final[dict[str, Any]] = {
    "prepare_threshold": None,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""Of every connection. No prepared statements: the next transaction may be on a connection that knows none of them. A server
whose machine is gone, as in a fail-over, is noticed within 15 s."""

READ_ONLY = "it is read-only: it stands by for another server, or is being failed over"

_READ_ONLY = ("session is read-only", "read-only transaction")
_CREDENTIALS = ("authentication failed", "no password supplied", "not permitted to log in")
_NO_AUTHORITIES = "root certificate"
_NOT_TRUSTED = "certificate verify failed"
_OTHER_HOST = "does not match host name"
_NO_TLS = "server does not support ssl"
_REASONS = (
    ("authentication failed", f"the password or the user is wrong ({URL})"),
    ("no password supplied", f"a password is wanted and none is set ({URL})"),
    *((words, READ_ONLY) for words in _READ_ONLY),
    (_NO_AUTHORITIES, f"the file of the authorities that are trusted cannot be read (sslrootcert in {URL})"),
    (_NOT_TRUSTED, f"its certificate is not trusted (sslrootcert in {URL})"),
    (_OTHER_HOST, f"its certificate is for another host ({URL})"),
    (_NO_TLS, f"it does not speak TLS, and sslmode wants it ({URL})"),
    ("no pg_hba.conf entry", f"the server does not let this user in from here ({URL})"),
    ("does not exist", f"there is no database or no user of that name ({URL})"),
    ("no such database", f"there is no database of that name ({URL})"),
    ("not permitted to log in", f"this user may not sign in ({URL})"),
    ("failed to resolve host", f"the name of its host is not known ({URL})"),
    ("could not translate host name", f"the name of its host is not known ({URL})"),
    ("unsupported startup parameter", f"the pooler before it does not take a parameter of {URL}"),
    ("server login", "the pooler before it cannot reach it"),
    ("connection refused", f"nothing listens at its address ({URL})"),
    ("timeout", f"its address does not answer ({URL})"),
    ("starting up", "it is starting"),
    ("shutting down", "it is shutting down"),
    ("too many", "it takes no more connections"),
    ("no more connections", "it takes no more connections"),
    ("remaining connection slots", "it takes no more connections"),
)
"""libpq's words, for it gives no code where a connection fails; a server of another language is told as unreachable. Of
several servers' the first in this order is told: where one can be read, the others matter less."""
_CERTIFIED = re.compile(r'server certificate for "([^"]*)"')


def address_now(address: Address) -> str:
    """The URL for a connection that is made now. Raises SecretFileError."""
    return address if isinstance(address, str) else address()


def files_of_certificates(url: str) -> tuple[Path, ...]:
    """The files of certificates that a connection uses: of the authority that is trusted, and our own."""
    named = conninfo_to_dict(url)
    files = (named.get("sslrootcert"), named.get("sslcert"))
    return tuple(Path(str(file)) for file in files if file and file != "system")


def why_unreachable(error: Exception) -> str:
    """Why a connection could not be made, or did not last."""
    return known_reason(error) or f"it cannot be reached ({URL})"


def known_reason(error: Exception) -> str | None:
    """The same where its words are known."""
    if isinstance(error, SecretFileError):
        return f"the file that {error.variable} names cannot be used"
    said = _said(error)
    return next((reason for words, reason in _REASONS if words in said), None)


def is_read_only(error: Exception) -> bool:
    """True where a server that can be written to was wanted, and this one cannot."""
    said = _said(error)
    return any(words in said for words in _READ_ONLY)


async def check_admission(address: Address, *, credentials: bool = True) -> None:
    """Return where the server lets us in, or cannot be asked. Raises SettingsError where its certificate is not to be
    trusted, and (`credentials`) where it refuses user or password."""
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
    """What is done in the block is to connect. Raises SettingsError where the server's certificate is not to be trusted, or
    the server refuses user or password; psycopg.Error for the rest."""
    try:
        yield
    except psycopg.OperationalError as error:
        if (fault := _fault(url, error, credentials=True)) is not None:
            raise SettingsError((fault,)) from error
        raise


def _fault(url: str, error: Exception, credentials: bool) -> str | None:
    """What only the operator can mend, for the operator: file and host are named."""
    said = _said(error)
    wanted = conninfo_to_dict(url)
    host, file = wanted.get("host", "localhost"), wanted.get("sslrootcert", "~/.postgresql/root.crt")
    if credentials and any(words in said for words in _CREDENTIALS):
        return f"database.url: {why_unreachable(error)}"
    if _NO_AUTHORITIES in said:
        return f"database.url: {file}, the file of the authorities that are trusted (sslrootcert in {URL}), cannot be read"
    if _NOT_TRUSTED in said:
        return f"database.url: the certificate of {host} is of no authority in {file} (sslrootcert in {URL})"
    if _OTHER_HOST in said:
        found = _CERTIFIED.search(str(error))
        other = "another host" if found is None else found[1]
        return f"database.url: the certificate of {host} is for {other} (sslmode=verify-full in {URL})"
    if _NO_TLS in said:
        return f"database.url: {host} does not speak TLS, and sslmode in {URL} wants it"
    return None


def _said(error: Exception) -> str:
    return "timeout" if isinstance(error, TimeoutError) else str(error).lower()
