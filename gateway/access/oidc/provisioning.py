"""The account of a person who signs in with a provider: created once, under a name that takes none from a local account, and
given the rights of the person's groups whenever these are known anew. All of it in the caller's transaction, the audit log
included.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass

from psycopg import AsyncConnection

from gateway.access.account_rights import change_rights
from gateway.access.account_rules import MAX_NAME
from gateway.access.audit import record
from gateway.access.oidc.judging import Subject
from gateway.access.oidc.mapping import Granted
from gateway.access.oidc.provider_settings import ProviderSettings
from gateway.access.roles import role_of
from gateway.core.rights import Rights

OWN_RIGHTS = "ext-"
"""Prefix of sessions whose tokens have their own rights."""

_NOT_IN_NAMES = re.compile(r"[^\w.+-]+")


@dataclass(frozen=True, slots=True)
class ExternalUser:
    """A person who signs in with a provider. `name`, `email`: as the provider sends them; `email` is for lists of
    accounts."""

    settings: ProviderSettings
    subject: Subject
    name: str
    email: str | None
    granted: Granted


async def apply(connection: AsyncConnection, user_id: int, granted: Granted, *, by: str, but: str = "") -> None:
    """Apply the person's current rights. If the role changed, sessions opened with the old role end, except `but`."""
    row = await (
        await connection.execute(
            "SELECT username, role_id, channels, libraries, storage_roots FROM users WHERE id = %s FOR UPDATE",
            (user_id,),
        )
    ).fetchone()
    if row is None:
        return
    username, role_id, *rights = row
    if Rights.of(*rights) != granted.rights:
        await change_rights(connection, user_id, username, granted.rights, by=by)
    if role_id != granted.role_id:
        await connection.execute("UPDATE users SET role_id = %s WHERE id = %s", (granted.role_id, user_id))
        await connection.execute(
            "UPDATE sessions SET revoked_at = clock_timestamp() WHERE user_id = %s AND revoked_at IS NULL"
            " AND session_id <> %s AND NOT starts_with(session_id, %s)",
            (user_id, but, OWN_RIGHTS),
        )
        await record(connection, "role_changed", username, by, {"role": role_of(granted.role_id).name})


async def provision(connection: AsyncConnection, external_user: ExternalUser) -> int:
    """Create an account; returns its id."""
    named = external_user.granted.rights.names()
    for name in _names(external_user):
        row = await (
            await connection.execute(
                "INSERT INTO users (username, role_id, channels, libraries, storage_roots) VALUES (%s, %s, %s, %s, %s)"
                " ON CONFLICT DO NOTHING RETURNING id",
                (name, external_user.granted.role_id, *named.values()),
            )
        ).fetchone()
        if row is not None:
            role = role_of(external_user.granted.role_id).name
            details = {
                "role": role,
                "issuer": external_user.subject.issuer,
                "subject": external_user.subject.subject,
            }
            by = f"oidc:{external_user.settings.id}"
            await record(connection, "account_added", name, by, {**details, **named})
            return int(row[0])
    raise AssertionError("a name made of random letters is taken")


def _names(external_user: ExternalUser) -> list[str]:
    """The name of the account, and the alternatives if another account has it. A local account's name does not begin with
    a provider's id, so local accounts keep theirs."""
    subject = external_user.subject
    own = _NOT_IN_NAMES.sub("-", external_user.name.partition("@")[0]).strip("-") or "user"
    mark = hashlib.sha256(f"{subject.issuer}\n{subject.subject}".encode()).hexdigest()[:8]
    whole = f"{external_user.settings.id}:{own}"
    return [
        whole[:MAX_NAME],
        f"{whole[: MAX_NAME - 9]}-{mark}",
        f"{whole[: MAX_NAME - 33]}-{secrets.token_hex(16)}",
    ]
