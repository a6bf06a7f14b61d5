"""Accounts and sessions of people who sign in with a provider, in PostgreSQL.

A person is identified by issuer and subject, and by nothing else: neither a name nor an e-mail address ever leads to an
existing account. At the first sign-in the person gets a new account, named after person and provider (`corp:alice`), or is
refused; an operator may link the person to another account, which then keeps its role and rights. Everything that one
sign-in changes is one transaction, and no two transactions of one person run at once.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from gateway.access.accounts import Accounts, NewSession, Opened, Origin
from gateway.access.audit import record
from gateway.access.oidc.errors import BadAnswer, NotAdmitted
from gateway.access.oidc.judging import Subject
from gateway.access.oidc.mapping import Granted
from gateway.access.oidc.provisioning import OWN_RIGHTS, ExternalUser, apply, provision
from gateway.access.once import used_first
from gateway.access.sessions import end_session
from gateway.core.rights import Rights

LINKED = "linked-"
"""Prefix of bearer-token sessions of people linked to an account: that account's rights apply."""
REMEMBERED = timedelta(hours=25)
"""As long as ended sessions are remembered."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """The account and session of a bearer token, and what it may do. `new`: the session began with it."""

    user_id: int
    username: str
    session_id: str
    granted: Granted
    new: bool


@dataclass(frozen=True, slots=True)
class _Account:
    """`linked`: an operator has linked it, and decides what it may do."""

    id: int
    username: str
    disabled: bool
    linked: bool
    granted: Granted


@dataclass(frozen=True, slots=True)
class RenewalCheck:
    """A session to be checked with its provider. `hours`: since the provider last answered."""

    provider: str
    subject: str
    refresh_token: str | None
    due: bool
    hours: float


class People:
    """Each method raises psycopg's errors while the database is away."""

    def __init__(self, pool: AsyncConnectionPool, accounts: Accounts) -> None:
        self._pool = pool
        self._accounts = accounts

    async def sign_in(
        self, external_user: ExternalUser, once: str, refresh_token: str | None, origin: Origin
    ) -> Opened:
        """Open a session for a person who returned from the provider. `once`: the sign-in's own name, good for one session;
        `refresh_token`: the provider's, sealed. Raises BadAnswer, NotAdmitted."""
        settings = external_user.settings
        async with self._pool.connection() as connection, connection.transaction():
            if not await used_first(connection, f"oidc:{once}"):
                raise BadAnswer(settings.id, "a sign-in that was finished before")
            await _one_at_a_time(connection, external_user.subject)
            await _check_not_signed_out(connection, settings.id, external_user.subject)
            session = NewSession(secrets.token_hex(16), timedelta(hours=settings.session_hours), origin)
            account = await self._account(connection, external_user)
            if not account.linked:
                await apply(connection, account.id, external_user.granted, by=origin.way)
            opened = await self._accounts.open_without_password(connection, account.id, session)
            if opened is None:
                raise NotAdmitted(settings.id, "disabled", account.username)
            await connection.execute(
                "INSERT INTO external_sessions (session_id, issuer, subject, sid, refresh_token)"
                " VALUES (%s, %s, %s, %s, %s)",
                (
                    session.session_id,
                    settings.issuer,
                    external_user.subject.subject,
                    external_user.subject.sid,
                    refresh_token,
                ),
            )
        return opened

    async def bearer(self, external_user: ExternalUser, origin: Origin) -> Bearer:
        """The account and session of a bearer token. All tokens of one client for one person (and for one of the person's
        sessions, if the provider names it) are one session here. Raises NotAdmitted."""
        settings, subject = external_user.settings, external_user.subject
        key = (settings.issuer, subject.subject, subject.client_id, subject.sid or "")
        async with self._pool.connection() as connection, connection.transaction():
            await _one_at_a_time(connection, subject)
            await _check_not_signed_out(connection, settings.id, subject)
            account = await self._account(connection, external_user)
            row = await (
                await connection.execute(
                    "SELECT session_id, extract(epoch FROM revoked_at)::float8 FROM external_sessions"
                    " JOIN sessions USING (session_id) WHERE issuer = %s AND subject = %s AND client_id = %s"
                    " AND coalesce(sid, '') = %s AND user_id = %s ORDER BY created_at DESC LIMIT 1",
                    (*key, account.id),
                )
            ).fetchone()
            if account.disabled:
                raise NotAdmitted(settings.id, "disabled", account.username)
            if row is not None and row[1] is not None and subject.issued_at <= row[1]:
                raise NotAdmitted(settings.id, "signed_out", account.username)
            new = row is None or row[1] is not None
            if row is not None and not new:
                session_id = str(row[0])
                await connection.execute(
                    "UPDATE sessions SET expires_at = greatest(expires_at, to_timestamp(%s)) WHERE session_id = %s",
                    (subject.expires_at, session_id),
                )
            else:
                session_id = await self._bearer_session(connection, account, external_user, origin)
        granted = account.granted if account.linked else external_user.granted
        return Bearer(account.id, account.username, session_id, granted, new)

    async def _bearer_session(
        self, connection: AsyncConnection, account: _Account, external_user: ExternalUser, origin: Origin
    ) -> str:
        subject = external_user.subject
        life = timedelta(seconds=max(1, subject.expires_at - subject.issued_at))
        kind = LINKED if account.linked else OWN_RIGHTS
        session = NewSession(f"{kind}{secrets.token_hex(16)}", life, origin)
        if await self._accounts.open_without_password(connection, account.id, session) is None:
            raise NotAdmitted(external_user.settings.id, "disabled", account.username)
        await connection.execute(
            "INSERT INTO external_sessions (session_id, issuer, subject, sid, client_id) VALUES (%s, %s, %s, %s, %s)",
            (session.session_id, subject.issuer, subject.subject, subject.sid, subject.client_id),
        )
        return session.session_id

    async def renewal_check(self, session_id: str, every: timedelta) -> RenewalCheck | None:
        """What is stored about a session; None if it has no provider. `due`: for one gateway at a time."""
        async with self._pool.connection() as connection:
            due = await connection.execute(
                "UPDATE external_sessions SET asked_at = now() WHERE session_id = %s AND asked_at < now() - %s",
                (session_id, every),
            )
            row = await (
                await connection.execute(
                    "SELECT issuer, subject, refresh_token, extract(epoch FROM now() - answered_at)::float8 / 3600"
                    " FROM external_sessions WHERE session_id = %s AND client_id IS NULL",
                    (session_id,),
                )
            ).fetchone()
        return None if row is None else RenewalCheck(row[0], row[1], row[2], bool(due.rowcount), row[3])

    async def answered(
        self, session_id: str, refresh_token: str | None, granted: Granted | None, *, by: str
    ) -> None:
        """The provider, `by`, confirmed that the person is signed in. `granted` None: the rights stay as they are."""
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(
                "UPDATE external_sessions SET answered_at = now(), refresh_token = coalesce(%s, refresh_token)"
                " WHERE session_id = %s",
                (refresh_token, session_id),
            )
            found = await (
                await connection.execute(
                    "SELECT sessions.user_id FROM sessions JOIN external_sessions USING (session_id)"
                    " JOIN external_identities USING (issuer, subject) WHERE session_id = %s AND NOT linked",
                    (session_id,),
                )
            ).fetchone()
            if found is not None and granted is not None:
                await apply(connection, found[0], granted, by=by, but=session_id)

    async def signed_out(
        self, issuer: str, jti: str, subject: str | None, sid: str | None, issued_at: int, *, by: str
    ) -> list[str] | None:
        """End the sessions that a logout token names; no token issued before it opens one any more. None for a logout token
        that was used before."""
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute("DELETE FROM external_logouts WHERE at < now() - %s", (REMEMBERED,))
            new = await connection.execute(
                "INSERT INTO external_logouts (issuer, jti, subject, sid, at) VALUES (%s, %s, %s, %s, to_timestamp(%s))"
                " ON CONFLICT DO NOTHING",
                (issuer, jti, subject, sid, issued_at),
            )
            if not new.rowcount:
                return None
            ended = await connection.execute(
                "UPDATE sessions SET revoked_at = clock_timestamp() FROM external_sessions AS external"
                " WHERE external.session_id = sessions.session_id AND revoked_at IS NULL AND issuer = %(issuer)s"
                " AND (%(subject)s::text IS NULL OR subject = %(subject)s) AND (%(sid)s::text IS NULL OR sid = %(sid)s)"
                " RETURNING sessions.session_id, (SELECT username FROM users WHERE id = user_id)",
                {"issuer": issuer, "subject": subject, "sid": sid},
            )
            rows = await ended.fetchall()
            for _, username in rows:
                await record(connection, "session_ended", username, by)
            return [session_id for session_id, _ in rows]

    async def end(self, session_id: str, *, by: str) -> None:
        """End a session because its provider, `by`, requires it."""
        await end_session(self._pool, session_id, by=by)

    async def issuer_of(self, session_id: str) -> str | None:
        """The issuer with which a session's owner signed in; None: signed in here."""
        async with self._pool.connection() as connection:
            row = await (
                await connection.execute(
                    "SELECT issuer FROM external_sessions WHERE session_id = %s AND client_id IS NULL",
                    (session_id,),
                )
            ).fetchone()
        return None if row is None else str(row[0])

    async def used_first(self, name: str) -> bool:
        """False if it was used before, at any gateway."""
        async with self._pool.connection() as connection:
            return await used_first(connection, name)

    async def _account(self, connection: AsyncConnection, external_user: ExternalUser) -> _Account:
        subject = external_user.subject
        known = await connection.execute(
            "UPDATE external_identities SET seen_at = now(), email = coalesce(%s, email)"
            " WHERE issuer = %s AND subject = %s",
            (external_user.email, subject.issuer, subject.subject),
        )
        if not known.rowcount:
            if external_user.settings.first_sign_in == "refuse":
                raise NotAdmitted(external_user.settings.id, "no_account")
            await connection.execute(
                "INSERT INTO external_identities (issuer, subject, user_id, email) VALUES (%s, %s, %s, %s)",
                (subject.issuer, subject.subject, await provision(connection, external_user), external_user.email),
            )
        row = await (
            await connection.execute(
                "SELECT id, username, disabled, linked, role_id, channels, libraries, storage_roots FROM users"
                " JOIN external_identities ON user_id = id WHERE issuer = %s AND subject = %s",
                (subject.issuer, subject.subject),
            )
        ).fetchone()
        assert row is not None  # it is deleted with its account, and no two transactions of one person run at once
        user_id, username, disabled, linked, role_id, *rights = row
        return _Account(user_id, username, disabled, linked, Granted(role_id, Rights.of(*rights)))


async def _one_at_a_time(connection: AsyncConnection, subject: Subject) -> None:
    """Hold a lock for the person until the transaction's end."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"oidc {subject.issuer} {subject.subject}",)
    )


async def _check_not_signed_out(connection: AsyncConnection, provider: str, subject: Subject) -> None:
    """Reject a token issued before a logout and used after it. Raises NotAdmitted."""
    found = await connection.execute(
        "SELECT FROM external_logouts WHERE issuer = %s AND (subject = %s OR subject IS NULL)"
        " AND (sid = %s OR sid IS NULL) AND at >= to_timestamp(%s) LIMIT 1",
        (subject.issuer, subject.subject, subject.sid, subject.issued_at),
    )
    if found.rowcount:
        raise NotAdmitted(provider, "signed_out")
