"""An operator's changes to accounts: add, list, set a password, disable, enable, change the role; and the first account.

Each change is one transaction, and no two run at once, so that no command is lost among several and one administrator always
remains. An account that loses a right also loses the sessions that were opened with it: the gateways see them end within
seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from psycopg import AsyncCursor
from psycopg.errors import UniqueViolation
from psycopg.rows import class_row

from gateway.access.account_rights import change_rights
from gateway.access.account_rules import (
    AlreadyTaken,
    LastAdmin,
    NoSuchAccount,
    check_email,
    check_name,
    check_password,
    check_rights,
)
from gateway.access.accounts import hasher
from gateway.access.audit import record
from gateway.access.connecting import Database, connected
from gateway.access.roles import ADMIN as ADMIN_ROLE
from gateway.access.roles import role_of
from gateway.core.rights import EVERYTHING, Rights
from runtime import log

ADMIN = "admin"
"""Name of the first administrator."""

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Account:
    """One account. `email` None: it has none. `sessions`: open now. `has_password` False: it signs in with a provider."""

    id: int
    username: str
    email: str | None
    role_id: int
    channels: list[str]
    libraries: list[str]
    storage_roots: list[str]
    has_password: bool
    disabled: bool
    created_at: datetime
    sessions: int

    @property
    def rights(self) -> Rights:
        """What the account may see."""
        return Rights.of(self.channels, self.libraries, self.storage_roots)


class Ensured(Enum):
    """What `ensure_admin` did."""

    MADE = "made"
    PASSWORD_SET = "password set"  # noqa: S105 - the name of an outcome
    LEFT_ALONE = "left alone"


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    username: str
    role_id: int
    disabled: bool
    password_hash: str | None
    configured_hash: str | None


async def accounts(database: Database, name: str | None = None) -> list[Account]:
    """All accounts, by name, or the one with that name."""
    async with (
        connected(database) as connection,
        connection.cursor(row_factory=class_row(Account)) as found,
    ):
        await found.execute(
            "SELECT id, username, email, role_id, channels, libraries, storage_roots,"
            " password_hash IS NOT NULL AS has_password, disabled, users.created_at, count(session_id) AS sessions"
            " FROM users LEFT JOIN sessions ON user_id = id AND revoked_at IS NULL AND expires_at > now()"
            " WHERE %(name)s::text IS NULL OR lower(username) = lower(%(name)s) GROUP BY id ORDER BY lower(username)",
            {"name": name},
        )
        return await found.fetchall()


async def add(
    database: Database, name: str, password: str, *, role_id: int, email: str | None = None,
    rights: Rights = EVERYTHING, by: str,
) -> None:  # fmt: skip
    """Add an account. Raises BrokenRule, AlreadyTaken."""
    check_name(name)
    check_password(password)
    check_rights(rights)
    if email is not None:
        check_email(email)
    hashed = await _hash(password)
    async with _changing(database) as rows:
        await _insert(rows, name, hashed, role_id=role_id, email=email, rights=rights)
        await record(rows, "account_added", name, by, {"role": role_of(role_id).name, **rights.names()})
    _log.info("account added", user=name, role_id=role_id, by=by)


async def set_password(database: Database, name: str, password: str, *, by: str) -> None:
    """Set another password; the account's sessions end. Raises BrokenRule, NoSuchAccount."""
    check_password(password)
    hashed = await _hash(password)
    async with _changing(database) as rows:
        account = await _account(rows, name)
        await rows.execute("UPDATE users SET password_hash = %s WHERE id = %s", (hashed, account.id))
        await _end_sessions(rows, account)
        await record(rows, "password_changed", account.username, by)
    _log.info("password changed", user=account.username, by=by)


async def disable(database: Database, name: str, *, by: str) -> None:
    """The account can no longer sign in, and its sessions end. Raises NoSuchAccount, LastAdmin."""
    async with _changing(database) as rows:
        account = await _account(rows, name)
        await _keep_an_admin(rows, account)
        await rows.execute("UPDATE users SET disabled = true WHERE id = %s", (account.id,))
        await _end_sessions(rows, account)
        await record(rows, "account_disabled", account.username, by)
    _log.info("account disabled", user=account.username, by=by)


async def enable(database: Database, name: str, *, by: str) -> None:
    """The account can sign in again, with its old password. Raises NoSuchAccount."""
    async with _changing(database) as rows:
        account = await _account(rows, name)
        await rows.execute("UPDATE users SET disabled = false WHERE id = %s", (account.id,))
        await record(rows, "account_enabled", account.username, by)
    _log.info("account enabled", user=account.username, by=by)


async def set_role(database: Database, name: str, role_id: int, *, by: str) -> None:
    """Set another role; the account's sessions end, because their tokens have the old one. Raises NoSuchAccount,
    LastAdmin."""
    async with _changing(database) as rows:
        account = await _account(rows, name)
        if account.role_id == role_id:
            return
        await _keep_an_admin(rows, account)
        await rows.execute("UPDATE users SET role_id = %s WHERE id = %s", (role_id, account.id))
        await _end_sessions(rows, account)
        await record(rows, "role_changed", account.username, by, {"role": role_of(role_id).name})
    _log.info("role changed", user=account.username, role_id=role_id, by=by)


async def set_rights(database: Database, name: str, rights: Rights, *, by: str) -> None:
    """Set what it may see; applies to its open sockets within seconds. Raises BrokenRule, NoSuchAccount."""
    check_rights(rights)
    async with _changing(database) as rows:
        account = await _account(rows, name)
        await change_rights(rows, account.id, account.username, rights, by=by)
    _log.info("rights changed", user=account.username, **rights.names(), by=by)


async def link(database: Database, name: str, issuer: str, subject: str, *, by: str) -> None:
    """Link a subject of an issuer to this account: that person signs in as this account, which keeps its role and rights.
    Sessions that the person has with another account end. Raises NoSuchAccount."""
    async with _changing(database) as rows:
        account = await _account(rows, name)
        await rows.execute(
            "UPDATE sessions SET revoked_at = clock_timestamp() FROM external_sessions AS external"
            " WHERE external.session_id = sessions.session_id AND issuer = %s AND subject = %s AND revoked_at IS NULL",
            (issuer, subject),
        )
        await rows.execute(
            "INSERT INTO external_identities (issuer, subject, user_id, linked) VALUES (%s, %s, %s, true)"
            " ON CONFLICT (issuer, subject) DO UPDATE SET user_id = excluded.user_id, linked = true",
            (issuer, subject, account.id),
        )
        await record(rows, "account_linked", account.username, by, {"issuer": issuer, "subject": subject})
    _log.info("account linked", user=account.username, issuer=issuer, by=by)


async def ensure_admin(
    database: Database, configured: str | None, generated: Callable[[], str] | None = None, *, by: str = "set-up"
) -> Ensured:
    """The first start creates the user `admin`: with the `configured` password, else with the `generated` one. Later starts
    change nothing, except if the configured password differs from that of the start before: then the setting was changed
    on purpose. Raises BrokenRule."""
    if configured is not None:
        check_password(configured)
    async with _changing(database) as rows:
        account = await _find(rows, ADMIN)
        if account is None:
            return await _first(rows, configured, generated, by)
        if configured is None:
            await rows.execute("UPDATE users SET configured_hash = NULL WHERE id = %s", (account.id,))
            return Ensured.LEFT_ALONE
        if account.configured_hash and await _verify(configured, account.configured_hash):
            return Ensured.LEFT_ALONE
        hashed = await _hash(configured)
        await rows.execute("UPDATE users SET configured_hash = %s WHERE id = %s", (hashed, account.id))
        if await _verify(configured, account.password_hash):
            return Ensured.LEFT_ALONE
        await rows.execute("UPDATE users SET password_hash = %s WHERE id = %s", (hashed, account.id))
        await _end_sessions(rows, account)
        await record(rows, "password_changed", ADMIN, by)
    _log.info("password changed", user=ADMIN, by=f"{by}, as the setting has it now")
    return Ensured.PASSWORD_SET


async def admin_password_is(database: Database, password: str) -> bool:
    """Whether user `admin` signs in with this password."""
    async with connected(database) as connection:
        account = await _find(connection.cursor(row_factory=class_row(_Row)), ADMIN)
    return account is not None and await _verify(password, account.password_hash)


async def _first(
    rows: AsyncCursor[_Row], configured: str | None, generated: Callable[[], str] | None, by: str
) -> Ensured:
    await rows.execute("SELECT FROM users LIMIT 1")
    password = configured
    if password is None and rows.rowcount == 0 and generated is not None:
        password = generated()
    if password is None:
        return Ensured.LEFT_ALONE
    hashed = await _hash(password)
    kept = hashed if configured else None
    await _insert(rows, ADMIN, hashed, role_id=ADMIN_ROLE.id, email="admin@localhost", configured_hash=kept)
    await record(rows, "account_added", ADMIN, by, {"role": ADMIN_ROLE.name})
    _log.info("account added", user=ADMIN, role_id=ADMIN_ROLE.id, by=by)
    return Ensured.MADE


async def _insert(
    rows: AsyncCursor[_Row],
    name: str,
    hashed: str,
    *,
    role_id: int,
    email: str | None,
    rights: Rights = EVERYTHING,
    configured_hash: str | None = None,
) -> None:
    try:
        await rows.execute(
            "INSERT INTO users (username, email, password_hash, role_id, configured_hash, channels, libraries,"
            " storage_roots) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            (name, email, hashed, role_id, configured_hash, *rights.names().values()),
        )
    except UniqueViolation as error:
        if error.diag.constraint_name == "users_email":
            raise AlreadyTaken("email", email or "") from error
        raise AlreadyTaken("name", name) from error


async def _find(rows: AsyncCursor[_Row], name: str) -> _Row | None:
    await rows.execute(
        "SELECT id, username, role_id, disabled, password_hash, configured_hash FROM users"
        " WHERE lower(username) = lower(%s)",
        (name,),
    )
    return await rows.fetchone()


async def _account(rows: AsyncCursor[_Row], name: str) -> _Row:
    check_name(name)
    account = await _find(rows, name)
    if account is None:
        raise NoSuchAccount(name)
    return account


async def _keep_an_admin(rows: AsyncCursor[_Row], account: _Row) -> None:
    if account.role_id != ADMIN_ROLE.id or account.disabled:
        return
    await rows.execute(
        "SELECT FROM users WHERE role_id = %s AND NOT disabled AND id <> %s LIMIT 1", (ADMIN_ROLE.id, account.id)
    )
    if rows.rowcount == 0:
        raise LastAdmin(account.username)


async def _end_sessions(rows: AsyncCursor[_Row], account: _Row) -> None:
    """Call after writing the account's row: a sign-in that reads the row meanwhile waits for us, or we for it."""
    await rows.execute(
        "UPDATE sessions SET revoked_at = clock_timestamp() WHERE user_id = %s AND revoked_at IS NULL",
        (account.id,),
    )


@asynccontextmanager
async def _changing(database: Database) -> AsyncIterator[AsyncCursor[_Row]]:
    """One transaction, the only one that changes accounts; readers and sign-ins do not wait for it."""
    async with (
        connected(database) as connection,
        connection.transaction(),
        connection.cursor(row_factory=class_row(_Row)) as rows,
    ):
        await rows.execute("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")
        yield rows


async def _hash(password: str) -> str:
    return await asyncio.to_thread(hasher.hash, password)


async def _verify(password: str, hashed: str | None) -> bool:
    return hashed is not None and await asyncio.to_thread(hasher.verify, password, hashed)
