"""An account of who comes from a provider: made once, under a name that no local account loses by it, and given what his
groups give, each time that is known anew. All of it in the caller's transaction, and in the audit log by the same.
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
"""What sessions begin with whose tokens say themselves what they may do."""

_NOT_IN_NAMES = re.compile(r"[^\w.+-]+")


@dataclass(frozen=True, slots=True)
class Comer:
    """Who comes. `name`: as his provider calls him; `email`: as it tells it, for those who list accounts."""

    settings: ProviderSettings
    subject: Subject
    name: str
    email: str | None
    granted: Granted


async def apply(connection: AsyncConnection, user_id: int, granted: Granted, *, by: str, but: str = "") -> None:
    """What he may do now. Who has another role than before keeps no session that was opened with that one, `but` this."""
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


async def provision(connection: AsyncConnection, comer: Comer) -> int:
    """A new account; its id."""
    named = comer.granted.rights.names()
    for name in _names(comer):
        row = await (
            await connection.execute(
                "INSERT INTO users (username, role_id, channels, libraries, storage_roots) VALUES (%s, %s, %s, %s, %s)"
                " ON CONFLICT DO NOTHING RETURNING id",
                (name, comer.granted.role_id, *named.values()),
            )
        ).fetchone()
        if row is not None:
            role = role_of(comer.granted.role_id).name
            details = {"role": role, "issuer": comer.subject.issuer, "subject": comer.subject.subject}
            by = f"oidc:{comer.settings.id}"
            await record(connection, "account_added", name, by, {**details, **named})
            return int(row[0])
    raise AssertionError("a name made of random letters is taken")


def _names(comer: Comer) -> list[str]:
    """His account's name, and what it is where another has that one. No name that an operator would give has a provider's
    id before it, so local accounts keep theirs."""
    subject = comer.subject
    own = _NOT_IN_NAMES.sub("-", comer.name.partition("@")[0]).strip("-") or "user"
    mark = hashlib.sha256(f"{subject.issuer}\n{subject.subject}".encode()).hexdigest()[:8]
    whole = f"{comer.settings.id}:{own}"
    return [
        whole[:MAX_NAME],
        f"{whole[: MAX_NAME - 9]}-{mark}",
        f"{whole[: MAX_NAME - 33]}-{secrets.token_hex(16)}",
    ]
