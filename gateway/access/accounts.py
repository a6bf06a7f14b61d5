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
from typing import TypeVar

import psycopg
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from gateway.access.tokens import ADMIN_ROLE, new_refresh_token, refresh_hash

T = TypeVar("T")

HASH_THREADS = 2
ROLES = {ADMIN_ROLE: "Admin", 2: "User"}
MAX_WAITING_HASHES = 64

_hasher = PasswordHash((Argon2Hasher(),))


class TooManySignIns(Exception):
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

    async def sign_in(self, name: str, password: str) -> Opened | None:
        """Open a session by user name or e-mail; None when it is refused, whatever the reason. Raises
        TooManySignIns and psycopg's errors."""
        async with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(_Stored)) as found,
        ):
            await found.execute(
                "SELECT id, username, email, role_id, password_hash, disabled FROM users"
                " WHERE username = %(name)s OR email = %(name)s ORDER BY username = %(name)s DESC LIMIT 1",
                {"name": name},
            )
            user = await found.fetchone()
        if not self._nobody:
            self._nobody = await self._hashed(_hasher.hash, secrets.token_hex(16))
        stored = self._nobody if user is None else user.password_hash
        if not await self._hashed(_hasher.verify, password, stored) or user is None or user.disabled:
            return None
        return await self._open(User(user.id, user.username, user.email, user.role_id))

    async def refresh(self, token: str) -> Opened | None:
        """A new refresh token for an old one, which ends; None when it does not hold."""
        new, new_hash = new_refresh_token()
        async with self._pool.connection() as connection:
            row = await (
                await connection.execute(
                    "UPDATE sessions SET refresh_hash = %s, expires_at = %s"
                    " FROM users WHERE refresh_hash = %s AND users.id = user_id AND NOT disabled"
                    " AND revoked_at IS NULL AND expires_at > now()"
                    " RETURNING session_id, users.id, username, email, role_id",
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
                    "SELECT id, username, email, role_id FROM users WHERE id = %s AND NOT disabled", (user_id,)
                )
            ).fetchone()
        return None if row is None else User(*row)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _open(self, user: User) -> Opened:
        session_id, (token, hashed) = secrets.token_hex(16), new_refresh_token()
        async with self._pool.connection() as connection:
            await connection.execute(
                "INSERT INTO sessions (session_id, user_id, refresh_hash, expires_at) VALUES (%s, %s, %s, %s)",
                (session_id, user.id, hashed, datetime.now(UTC) + self._refresh_life),
            )
            await connection.execute("DELETE FROM sessions WHERE expires_at < now()")
        return Opened(user, session_id, token)

    async def _hashed(self, work: Callable[..., T], *args: str) -> T:
        if self._waiting >= MAX_WAITING_HASHES:
            raise TooManySignIns
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)
        finally:
            self._waiting -= 1


async def ensure_admin(database_url: str, password: str) -> None:
    """Make user `admin` with this password, or give it the password; nothing is written when it has it."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        row = await (
            await connection.execute("SELECT password_hash FROM users WHERE username = 'admin'")
        ).fetchone()
        if row is not None and await asyncio.to_thread(_hasher.verify, password, row[0]):
            return
        hashed = await asyncio.to_thread(_hasher.hash, password)
        await connection.execute(
            "INSERT INTO users (username, email, password_hash, role_id)"
            " VALUES ('admin', 'admin@localhost', %s, %s)"
            " ON CONFLICT (username) DO UPDATE SET password_hash = excluded.password_hash,"
            " role_id = excluded.role_id, disabled = false",
            (hashed, ADMIN_ROLE),
        )
