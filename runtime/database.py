"""What PostgreSQL says where a connection fails, in our words, and whether it lets us in: asked once at a process's start.

The words name the setting that helps, never a secret. A server that is away or starting is no error at the start, for it may
come; a password that it refuses is one, for nobody but the operator can mend it. Later it is not asked: a password may be
changed while a process runs, and that process takes it for an outage until it is started with the new one.
"""

from __future__ import annotations

import psycopg

from runtime.errors import SettingsError

URL = "CATALOGIZER_DATABASE__URL"
ANSWER_SECONDS = 3

_CREDENTIALS = ("authentication failed", "no password supplied", "not permitted to log in")
_REASONS = (
    ("authentication failed", f"the password or the user is wrong ({URL})"),
    ("no password supplied", f"a password is wanted and none is set ({URL})"),
    ("no pg_hba.conf entry", f"the server does not let this user in from here ({URL})"),
    ("does not exist", f"there is no database or no user of that name ({URL})"),
    ("not permitted to log in", f"this user may not sign in ({URL})"),
    ("failed to resolve host", f"the name of its host is not known ({URL})"),
    ("could not translate host name", f"the name of its host is not known ({URL})"),
    ("connection refused", f"nothing listens at its address ({URL})"),
    ("timeout", f"its address does not answer ({URL})"),
    ("starting up", "it is starting"),
    ("shutting down", "it is shutting down"),
    ("too many", "it takes no more connections"),
    ("remaining connection slots", "it takes no more connections"),
)
"""libpq's words, for it gives no code where a connection fails; a server of another language is told as unreachable."""


def why_unreachable(error: Exception) -> str:
    """Why a connection could not be made, or did not last."""
    said = _said(error)
    return next((reason for words, reason in _REASONS if words in said), f"it cannot be reached ({URL})")


async def check_credentials(url: str) -> None:
    """Return where the server lets us in, or cannot be asked. Raises SettingsError where it refuses user or password."""
    try:
        connection = await psycopg.AsyncConnection.connect(
            url, connect_timeout=ANSWER_SECONDS, application_name="catalogizer start"
        )
    except (psycopg.OperationalError, TimeoutError, OSError) as error:
        if any(words in _said(error) for words in _CREDENTIALS):
            raise SettingsError((f"database.url: {why_unreachable(error)}",)) from error
        return
    await connection.close()


def _said(error: Exception) -> str:
    return "timeout" if isinstance(error, TimeoutError) else str(error).lower()
