"""Users and their sessions in PostgreSQL.

Signing in takes the same work whether the user exists or not; passwords are argon2, hashed in a small thread
pool of their own (one takes 65 to 400 ms); of a refresh token only a hash is kept, and each is good once.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeVar

from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from gateway.access.tokens import ADMIN_ROLE, new_refresh_token, refresh_hash
from gateway.errors import GatewayError

T = TypeVar("T")

HASH_THREADS = 2
ROLES = {ADMIN_ROLE: "Admin", 2: "User"}
MAX_WAITING_HASHES = 64

hasher = PasswordHash((Argon2Hasher(),))
"""How passwords are kept."""


class TooManySignIns(GatewayError):
    """So many passwords wait to be checked that this one is not; come back."""

    retryable = True


@dataclass(frozen=True, slots=True)
class User:
    """One account. `role_id` 1 is the administrator."""

    id: int
    username: str
    email: str
    role_id: int

    @property
    def role_name(self) -> str:
        """The role as people read it."""
        return ROLES.get(self.role_id, "User")


@dataclass(frozen=True, slots=True)
class Opened:
    """A session just opened or refreshed."""

    user: User
    session_id: str
    refresh_token: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A sign-in that failed: for the log, never for who tried. `account`: its name, None when there is none."""

    why: Literal["no such account", "wrong password", "disabled", "changed meanwhile"]
    account: str | None


@dataclass(frozen=True, slots=True)
class _Stored(User):
    password_hash: str
    disabled: bool


class Accounts:
    """Sign-in, refresh, sign-out."""

    def __init__(self, pool: AsyncConnectionPool, refresh_days: int) -> None:
        self._pool = pool
        self._refresh_life = timedelta(days=refresh_days)
        self._threads = ThreadPoolExecutor(HASH_THREADS, thread_name_prefix="argon2")
        self._waiting = 0
        self._nobody = ""

    async def sign_in(self, name: str, password: str) -> Opened | Refused:
        """Open a session by user name or e-mail, letters' case aside. Raises TooManySignIns and psycopg's errors."""
        async with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(_Stored)) as found,
        ):
            await found.execute(
                "SELECT id, username, coalesce(email, '') AS email, role_id, password_hash, disabled FROM users"
                " WHERE lower(username) = lower(%(name)s) OR lower(email) = lower(%(name)s)"
                " ORDER BY lower(username) = lower(%(name)s) DESC LIMIT 1",
                {"name": name},
            )
            user = await found.fetchone()
        if not self._nobody:
            self._nobody = await self._hashed(hasher.hash, secrets.token_hex(16))
        stored = self._nobody if user is None else user.password_hash
        right = await self._hashed(hasher.verify, password, stored)
        if user is None:
            return Refused("no such account", None)
        if not right:
            return Refused("wrong password", user.username)
        if user.disabled:
            return Refused("disabled", user.username)
        return await self._open(user) or Refused("changed meanwhile", user.username)

    async def refresh(self, token: str) -> Opened | None:
        """A new refresh token for an old one, which ends; None when it does not hold."""
        new, new_hash = new_refresh_token()
        async with self._pool.connection() as connection:
            row = await (
                await connection.execute(
                    "UPDATE sessions SET refresh_hash = %s, expires_at = %s"
                    " FROM users WHERE refresh_hash = %s AND users.id = user_id AND NOT disabled"
                    " AND revoked_at IS NULL AND expires_at > now()"
                    " RETURNING session_id, users.id, username, coalesce(email, ''), role_id",
                    (new_hash, datetime.now(UTC) + self._refresh_life, refresh_hash(token)),
                )
            ).fetchone()
        return None if row is None else Opened(User(*row[1:]), row[0], new)

    async def sign_out(self, session_id: str) -> None:
        """End a session: its refresh token holds no more."""
        async with self._pool.connection() as connection:
            await connection.execute("UPDATE sessions SET revoked_at = now() WHERE session_id = %s", (session_id,))

    async def user(self, user_id: int) -> User | None:
        """An account that is not disabled."""
        async with self._pool.connection() as connection:
            row = await (
                await connection.execute(
                    "SELECT id, username, coalesce(email, ''), role_id FROM users WHERE id = %s AND NOT disabled",
                    (user_id,),
                )
            ).fetchone()
        return None if row is None else User(*row)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _open(self, user: _Stored) -> Opened | None:
        """None when the account was changed while its password was checked, which takes long. Whoever changes it
        now waits for the session to be there, and then ends it."""
        session_id, (token, hashed) = secrets.token_hex(16), new_refresh_token()
        async with self._pool.connection() as connection:
            opened = await connection.execute(
                "INSERT INTO sessions (session_id, user_id, refresh_hash, expires_at)"
                " SELECT %s, id, %s, %s FROM users"
                " WHERE id = %s AND NOT disabled AND password_hash = %s AND role_id = %s FOR SHARE",
                (
                    session_id,
                    hashed,
                    datetime.now(UTC) + self._refresh_life,
                    user.id,
                    user.password_hash,
                    user.role_id,
                ),
            )
            await connection.execute("DELETE FROM sessions WHERE expires_at < now()")
        if not opened.rowcount:
            return None
        return Opened(User(user.id, user.username, user.email, user.role_id), session_id, token)

    async def _hashed(self, work: Callable[..., T], *args: str) -> T:
        if self._waiting >= MAX_WAITING_HASHES:
            raise TooManySignIns
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)
        finally:
            self._waiting -= 1
