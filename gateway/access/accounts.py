"""Users and their sessions in PostgreSQL.

Checking a password takes the same work whether the user exists or not; passwords are hashed with argon2 in a small thread
pool of their own (one takes 65 to 400 ms); a refresh token is good once (`gateway.access.refresh_tokens`).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, LiteralString, TypeVar

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from gateway.access.audit import record
from gateway.access.refresh_tokens import RefreshTokens, TokenNumber, TokenVerdict, judge
from gateway.access.roles import role_of
from gateway.core.rights import Rights

T = TypeVar("T")

HASH_THREADS = 2
_USER: LiteralString = (
    "SELECT users.id, username, coalesce(email, '') AS email, role_id, channels, libraries, storage_roots"
)

hasher = PasswordHash((Argon2Hasher(),))
"""Hashes and verifies passwords."""


@dataclass(frozen=True, slots=True)
class User:
    """One account. `role_id`: see `access.roles`."""

    id: int
    username: str
    email: str
    role_id: int
    channels: list[str]
    libraries: list[str]
    storage_roots: list[str]

    @property
    def rights(self) -> Rights:
        """What it may see."""
        return Rights.of(self.channels, self.libraries, self.storage_roots)

    @property
    def role_name(self) -> str:
        """The role's name for people."""
        return role_of(self.role_id).name


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a sign-in comes from. `agent`: the browser's User-Agent; `way`: the method of signing in."""

    address: str
    agent: str = ""
    way: str = "password"


@dataclass(frozen=True, slots=True)
class Opened:
    """A session just opened or refreshed. `token_minutes`: the life of its tokens, if not the usual one."""

    user: User
    session_id: str
    refresh_token: str
    token_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session that a provider vouches for. `life`: it ends then, whatever the life of its refresh tokens."""

    session_id: str
    life: timedelta
    origin: Origin


@dataclass(frozen=True, slots=True)
class Refused:
    """A sign-in that failed: for the log, never for the client. `account`: its name, None if there is none."""

    why: Literal["no such account", "wrong password", "disabled", "changed meanwhile"]
    account: str | None


@dataclass(frozen=True, slots=True)
class Reused:
    """A refresh token was used again: its session has ended."""

    session_id: str
    username: str


@dataclass(frozen=True, slots=True)
class Stored(User):
    """An account with its password hash; None: it signs in with a provider."""

    password_hash: str | None
    disabled: bool


class Accounts:
    """Sign-in, refresh, sign-out. Each raises psycopg's errors while the database is away."""

    def __init__(self, pool: AsyncConnectionPool, refresh_tokens: RefreshTokens, refresh_days: int) -> None:
        self._pool = pool
        self._refresh_tokens = refresh_tokens
        self._refresh_life = timedelta(days=refresh_days)
        self._threads = ThreadPoolExecutor(HASH_THREADS, thread_name_prefix="argon2")
        self._nobody = ""

    async def find(self, name: str) -> Stored | None:
        """The account with that name or e-mail address, ignoring case."""
        async with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(Stored)) as found,
        ):
            await found.execute(
                _USER + ", password_hash, disabled FROM users"
                " WHERE lower(username) = lower(%(name)s) OR lower(email) = lower(%(name)s)"
                " ORDER BY lower(username) = lower(%(name)s) DESC LIMIT 1",
                {"name": name},
            )
            return await found.fetchone()

    async def open(self, account: Stored | None, password: str, origin: Origin) -> Opened | Refused:
        """Check the password, even if there is no account, and open a session."""
        if not self._nobody:
            self._nobody = await self._hashed(hasher.hash, secrets.token_hex(16))
        stored = None if account is None else account.password_hash
        right = await self._hashed(hasher.verify, password, stored or self._nobody)
        if account is None:
            return Refused("no such account", None)
        if not right or stored is None:
            return Refused("wrong password", account.username)
        if account.disabled:
            return Refused("disabled", account.username)
        return await self._open(account, origin) or Refused("changed meanwhile", account.username)

    async def refresh(self, token: str) -> Opened | Reused | None:
        """The successor of a refresh token; None if the token is not valid. If it is used again, its session ends."""
        place = self._refresh_tokens.read(token)
        if place is None:
            return None
        async with self._pool.connection() as connection, connection.transaction():
            row = await (
                await connection.execute(
                    _USER + ", refresh_number, extract(epoch FROM now() - refreshed_at)::float8"
                    " FROM sessions JOIN users ON users.id = user_id WHERE session_id = %s AND NOT disabled"
                    " AND revoked_at IS NULL AND expires_at > now() FOR UPDATE OF sessions",
                    (place.session_id,),
                )
            ).fetchone()
            if row is None:
                return None
            *of_user, wanted, seconds = row
            user = User(*of_user)
            verdict = judge(place.number, wanted, seconds)
            if verdict is TokenVerdict.REUSED:
                await self._end(connection, place.session_id)
                await record(connection, "refresh_token_reused", user.username, user.username)
                return Reused(place.session_id, user.username)
            if verdict is TokenVerdict.NEXT:
                await connection.execute(
                    "UPDATE sessions SET refresh_number = %s, refreshed_at = now(),"
                    " expires_at = least(now() + %s, ends_at)"
                    " WHERE session_id = %s",
                    (place.number + 1, self._refresh_life, place.session_id),
                )
        return self._opened(user, TokenNumber(place.session_id, place.number + 1))

    async def open_without_password(
        self, connection: AsyncConnection, user_id: int, session: NewSession
    ) -> Opened | None:
        """Open a session for a user for whom a provider vouches, in the caller's transaction; None if the account is
        disabled. A concurrent transaction that disables it waits for the session, and then ends it."""
        origin = session.origin
        opened = await connection.execute(
            "INSERT INTO sessions (session_id, user_id, expires_at, ends_at, method, address, agent)"
            " SELECT %(session)s, id, least(now() + %(refresh)s, now() + %(life)s), now() + %(life)s, %(way)s,"
            " %(address)s, %(agent)s FROM users WHERE id = %(user)s AND NOT disabled FOR SHARE",
            {
                "session": session.session_id,
                "user": user_id,
                "refresh": self._refresh_life,
                "life": session.life,
                "way": origin.way,
                "address": origin.address,
                "agent": origin.agent,
            },
        )
        await connection.execute("DELETE FROM sessions WHERE expires_at < now() - interval '1 day'")
        if not opened.rowcount:
            return None
        row = await (await connection.execute(_USER + " FROM users WHERE id = %s", (user_id,))).fetchone()
        if row is None:
            return None
        user = User(*row)
        await record(connection, "signed_in", user.username, user.username, address=origin.address, way=origin.way)
        return self._opened(user, TokenNumber(session.session_id, 0))

    async def sign_out(self, session_id: str, username: str) -> None:
        """End a session: none of its tokens is valid any more."""
        async with self._pool.connection() as connection, connection.transaction():
            await self._end(connection, session_id)
            await record(connection, "signed_out", username, username)

    async def user(self, user_id: int) -> User | None:
        """An account that is not disabled."""
        async with self._pool.connection() as connection:
            row = await (
                await connection.execute(
                    _USER + " FROM users WHERE id = %s AND NOT disabled",
                    (user_id,),
                )
            ).fetchone()
        return None if row is None else User(*row)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _open(self, user: Stored, origin: Origin) -> Opened | None:
        """None if the account was changed while its password was checked, which takes long. A concurrent transaction that
        changes it waits for the session, and then ends it."""
        session_id = secrets.token_hex(16)
        async with self._pool.connection() as connection, connection.transaction():
            opened = await connection.execute(
                "INSERT INTO sessions (session_id, user_id, expires_at, method, address, agent)"
                " SELECT %s, id, now() + %s, %s, %s, %s FROM users"
                " WHERE id = %s AND NOT disabled AND password_hash IS NOT DISTINCT FROM %s AND role_id = %s FOR SHARE",
                (
                    session_id, self._refresh_life, origin.way, origin.address, origin.agent,
                    user.id, user.password_hash, user.role_id,
                ),
            )  # fmt: skip
            if opened.rowcount:
                await record(
                    connection, "signed_in", user.username, user.username, address=origin.address, way=origin.way
                )
            # Only a day later, because other gateways learn from the row that the session has ended.
            await connection.execute("DELETE FROM sessions WHERE expires_at < now() - interval '1 day'")
        if not opened.rowcount:
            return None
        return self._opened(user, TokenNumber(session_id, 0))

    def _opened(self, user: User, place: TokenNumber) -> Opened:
        return Opened(user, place.session_id, self._refresh_tokens.token(place))

    async def _end(self, connection: AsyncConnection, session_id: str) -> None:
        await connection.execute(
            "UPDATE sessions SET revoked_at = clock_timestamp() WHERE session_id = %s AND revoked_at IS NULL",
            (session_id,),
        )

    async def _hashed(self, work: Callable[..., T], *args: str) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)
