"""User `admin` at a start of the platform: created once, then changed only by users.

After a start the file in the state folder exists only if it contains the account's present password: a password that a user
chose is never written to it, and one that is no longer valid is deleted.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from pydantic import SecretStr

from cli.up.secret_file import kept_secret
from gateway.access.account_admin import admin_password_is, ensure_admin

BY = "catalogizer up"


class AdminPassword(Enum):
    """Where to find the password of user `admin`."""

    KEPT = "in the kept file"
    CONFIGURED = "CATALOGIZER_ADMIN_PASSWORD"
    CHANGED = "changed by you"


async def first_admin(database_url: str, configured: SecretStr | None, kept: Path) -> AdminPassword:
    """Create the account at the first start, or apply a changed setting; else change nothing. Raises psycopg.Error,
    OSError."""
    if configured is not None:
        password, found = configured.get_secret_value(), AdminPassword.CONFIGURED
        await ensure_admin(database_url, password, by=BY)
        _forget(kept)
    else:
        await ensure_admin(database_url, None, lambda: kept_secret(kept), by=BY)
        password, found = _read(kept), AdminPassword.KEPT
    if await admin_password_is(database_url, password):
        return found
    _forget(kept)
    return AdminPassword.CHANGED


def _read(kept: Path) -> str:
    return kept_secret(kept) if kept.exists() else ""


def _forget(kept: Path) -> None:
    kept.unlink(missing_ok=True)
