"""An administrator's changes to tokens of machines: issue, list, revoke. The token is shown once, when it is issued."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from psycopg.errors import UniqueViolation
from psycopg.rows import class_row

from gateway.access.account_rules import AlreadyTaken, BrokenRule, NoSuchToken, check_name, check_rights
from gateway.access.audit import Detail, record
from gateway.access.connecting import Database, connected
from gateway.access.roles import role_of
from gateway.access.service_tokens import MAX_TOKENS, new_secret, text_of
from gateway.core.rights import Rights

MAX_DAYS = 3_650


@dataclass(frozen=True, slots=True)
class Machine:
    """One token, without its secret."""

    id: int
    name: str
    role_id: int
    channels: list[str]
    libraries: list[str]
    storage_roots: list[str]
    created_by: str
    created_at: datetime
    expires_at: datetime

    @property
    def rights(self) -> Rights:
        """What the token may see."""
        return Rights.of(self.channels, self.libraries, self.storage_roots)


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token: `token` is not stored anywhere."""

    id: int
    token: str
    expires_at: datetime


async def issue(database: Database, name: str, role_id: int, rights: Rights, days: int, *, by: str) -> Issued:
    """A new token. Raises BrokenRule, AlreadyTaken."""
    check_name(name)
    check_rights(rights)
    if not 1 <= days <= MAX_DAYS:
        raise BrokenRule("days", f"1 to {MAX_DAYS}")
    secret, kept = new_secret()
    ends = datetime.now(UTC) + timedelta(days=days)
    named = rights.names()
    async with connected(database) as connection, connection.transaction():
        await connection.execute("LOCK TABLE service_tokens IN SHARE ROW EXCLUSIVE MODE")
        await connection.execute(
            "UPDATE service_tokens SET revoked_at = expires_at, changed_at = clock_timestamp()"
            " WHERE revoked_at IS NULL AND expires_at < now()"
        )
        valid = await connection.execute("SELECT count(*) FROM service_tokens WHERE revoked_at IS NULL")
        if (await valid.fetchone() or (0,))[0] >= MAX_TOKENS:
            raise BrokenRule("name", f"there are {MAX_TOKENS} tokens: revoke one first")
        try:
            made = await connection.execute(
                "INSERT INTO service_tokens (name, secret_hash, role_id, channels, libraries, storage_roots,"
                " created_by, expires_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING id",
                (name, kept, role_id, *named.values(), by, ends),
            )
        except UniqueViolation as error:
            raise AlreadyTaken("name", name) from error
        id_ = int((await made.fetchone() or (0,))[0])
        details: dict[str, Detail] = {
            "role": role_of(role_id).name,
            "storage_roots": named["storage_roots"],
            "expires_at": ends.isoformat(),
        }
        await record(connection, "token_issued", f"token:{name}", by, details)
    return Issued(id_, text_of(id_, secret), ends)


async def machines(database: Database) -> list[Machine]:
    """The valid ones, by name."""
    async with connected(database) as connection, connection.cursor(row_factory=class_row(Machine)) as rows:
        await rows.execute(
            "SELECT id, name, role_id, channels, libraries, storage_roots, created_by, created_at, expires_at"
            " FROM service_tokens WHERE revoked_at IS NULL AND expires_at > now() ORDER BY lower(name)"
        )
        return await rows.fetchall()


async def revoke(database: Database, name: str, *, by: str) -> None:
    """The token is no longer valid, at every gateway within seconds. Raises NoSuchToken."""
    async with connected(database) as connection, connection.transaction():
        ended = await connection.execute(
            "UPDATE service_tokens SET revoked_at = clock_timestamp(), changed_at = clock_timestamp()"
            " WHERE lower(name) = lower(%s) AND revoked_at IS NULL",
            (name,),
        )
        if not ended.rowcount:
            raise NoSuchToken(name)
        await record(connection, "token_revoked", f"token:{name}", by)
