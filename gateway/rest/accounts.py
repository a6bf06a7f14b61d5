"""Accounts, their rights and sessions, and tokens of machines, by administrators: `/api/v1/users`, `/sessions`, `/tokens`.

Changes apply at every gateway within seconds, to open sockets too; each change is in the audit log.

(No postponed annotations here: FastAPI must see dependencies that are made inside `router`.)"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel, Field

from gateway.access import account_admin, machine_tokens
from gateway.access.account_admin import Account
from gateway.access.account_rules import AlreadyTaken, BrokenRule, LastAdmin, NoSuchAccount, NoSuchToken
from gateway.access.following import Following
from gateway.access.machine_tokens import MAX_DAYS, Machine
from gateway.access.roles import ROLE_IDS, role_of
from gateway.access.sessions import Session, end_session, sessions
from gateway.access.tokens import Identity
from gateway.core.rights import ALL, Rights
from gateway.rest.access import Guard
from gateway.rest.body import Closed, small_json
from gateway.rest.described import errors
from gateway.rest.edge import ApiError
from gateway.tables.catalogue import at_iso

RoleName = Literal["admin", "operator", "viewer"]
Names = list[Annotated[str, Field(min_length=1, max_length=255)]]
Name = Annotated[str, Path(min_length=1, max_length=64)]


class RightsBody(Closed):
    """What an account may see: names, or `*` for all. A root is visible if it is named or its library is."""

    channels: Names = Field([ALL])
    libraries: Names = Field([])
    storage_roots: Names = Field([ALL])

    def rights(self) -> Rights:
        """As the gateway's own type."""
        return Rights.of(self.channels, self.libraries, self.storage_roots)


class NewUserBody(Closed):
    """A new account."""

    username: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=8, max_length=1_024)
    email: str | None = Field(None, max_length=254)
    role: RoleName = "viewer"
    rights: RightsBody = RightsBody()


class ChangedUserBody(Closed):
    """Absent members stay as they are. A new password, another role and `disabled` end the account's sessions; rights apply
    to them."""

    password: str | None = Field(None, min_length=8, max_length=1_024)
    role: RoleName | None = None
    rights: RightsBody | None = None
    disabled: bool | None = None


class NewTokenBody(Closed):
    """A token for a machine; it expires after `days`."""

    name: str = Field(min_length=1, max_length=64)
    role: RoleName = "viewer"
    rights: RightsBody = RightsBody()
    days: int = Field(90, ge=1, le=MAX_DAYS)


class RightsShown(BaseModel):
    """What an account may see."""

    channels: list[str]
    libraries: list[str]
    storage_roots: list[str]


class AccountShown(BaseModel):
    """An account. `sessions`: open now; `has_password` false: it signs in with a provider."""

    id: int
    username: str
    email: str | None
    role: str
    rights: RightsShown
    has_password: bool
    disabled: bool
    created_at: str | None
    sessions: int


class AccountsShown(BaseModel):
    """All accounts, by name."""

    users: list[AccountShown]


class SessionShown(BaseModel):
    """An open session. `current`: the one of this request's token."""

    id: str
    username: str
    method: str
    address: str
    agent: str
    created_at: str | None
    refreshed_at: str | None
    expires_at: str | None
    current: bool


class SessionsShown(BaseModel):
    """The newest first."""

    sessions: list[SessionShown]


class TokenShown(BaseModel):
    """A machine's token, without its secret."""

    name: str
    role: str
    rights: RightsShown
    created_by: str
    created_at: str | None
    expires_at: str | None


class TokensShown(BaseModel):
    """The valid tokens, by name."""

    tokens: list[TokenShown]


class TokenIssued(BaseModel):
    """The token is shown only now."""

    name: str
    token: str
    expires_at: str | None


class Done(BaseModel):
    """The change is made."""

    done: bool = True


def router(pool: AsyncConnectionPool, guard: Guard, following: Following) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/v1", tags=["accounts"])
    Admin = Annotated[Identity, Depends(guard.allowed("manage:users"))]
    Holder = Annotated[Identity, Depends(guard.holder)]

    @routes.get("/users")
    async def users(_admin: Admin) -> AccountsShown:
        """All accounts."""
        return AccountsShown(users=[_account(account) for account in await account_admin.accounts(pool)])

    @routes.post("/users", status_code=201, responses=errors(409), dependencies=[Depends(small_json)])
    async def add(body: NewUserBody, admin: Admin) -> AccountShown:
        """Add an account."""
        with _refusals():
            await account_admin.add(
                pool, body.username, body.password, role_id=ROLE_IDS[body.role], email=body.email,
                rights=body.rights.rights(), by=admin.username,
            )  # fmt: skip
        return await shown(body.username)

    @routes.patch("/users/{username}", responses=errors(409), dependencies=[Depends(small_json)])
    async def change(username: Name, body: ChangedUserBody, admin: Admin) -> AccountShown:
        """Change an account: every given member, one after the other."""
        if not body.model_fields_set:
            raise ApiError(422, "invalid_request", "body: nothing to change")
        by = admin.username
        with _refusals():
            if body.rights is not None:
                await account_admin.set_rights(pool, username, body.rights.rights(), by=by)
            if body.role is not None:
                await account_admin.set_role(pool, username, ROLE_IDS[body.role], by=by)
            if body.password is not None:
                await account_admin.set_password(pool, username, body.password, by=by)
            if body.disabled is not None:
                await (account_admin.disable if body.disabled else account_admin.enable)(pool, username, by=by)
        await following.poll()
        return await shown(username)

    @routes.get("/users/{username}/sessions")
    async def of_user(username: Name, admin: Admin) -> SessionsShown:
        """The open sessions of an account."""
        await shown(username)
        return _sessions(await sessions(pool, name=username), admin)

    @routes.get("/sessions")
    async def own(holder: Holder) -> SessionsShown:
        """One's own open sessions."""
        return _sessions(await sessions(pool, user_id=holder.user_id), holder)

    @routes.delete("/sessions/{session_id}")
    async def end(
        session_id: Annotated[str, Path(pattern="^[0-9a-f]{32}$")],
        holder: Holder,
    ) -> Done:
        """End one of one's own sessions, or as an administrator any session: its sockets are closed with 4003."""
        only = None if "manage:users" in role_of(holder.role_id).permissions else holder.user_id
        if not await end_session(pool, session_id, by=holder.username, user_id=only):
            raise ApiError(404, "not_found", "no such session")
        following.end(session_id)
        return Done()

    @routes.get("/tokens")
    async def tokens(_admin: Admin) -> TokensShown:
        """The tokens of machines."""
        return TokensShown(tokens=[_token(machine) for machine in await machine_tokens.machines(pool)])

    @routes.post("/tokens", status_code=201, responses=errors(409), dependencies=[Depends(small_json)])
    async def issue(body: NewTokenBody, admin: Admin) -> TokenIssued:
        """Issue a token for a machine."""
        with _refusals():
            issued = await machine_tokens.issue(
                pool, body.name, ROLE_IDS[body.role], body.rights.rights(), body.days, by=admin.username
            )
        await following.poll()
        return TokenIssued(name=body.name, token=issued.token, expires_at=at_iso(issued.expires_at))

    @routes.delete("/tokens/{name}")
    async def revoke(name: Name, admin: Admin) -> Done:
        """Revoke a machine's token: its sockets are closed with 4003."""
        with _refusals():
            await machine_tokens.revoke(pool, name, by=admin.username)
        await following.poll()
        return Done()

    async def shown(username: str) -> AccountShown:
        for account in await account_admin.accounts(pool, username):
            return _account(account)
        raise ApiError(404, "not_found", "no such account")

    return routes


@contextmanager
def _refusals() -> Iterator[None]:
    """Answer refusals of a change with HTTP errors."""
    try:
        yield
    except BrokenRule as error:
        raise ApiError(422, "invalid_request", f"body.{error}") from error
    except (AlreadyTaken, LastAdmin) as error:
        raise ApiError(409, "conflict", str(error)) from error
    except (NoSuchAccount, NoSuchToken) as error:
        raise ApiError(404, "not_found", str(error)) from error


def _account(account: Account) -> AccountShown:
    return AccountShown(
        id=account.id, username=account.username, email=account.email,
        role=role_of(account.role_id).name.lower(),
        rights=_rights(account.rights), has_password=account.has_password, disabled=account.disabled,
        created_at=at_iso(account.created_at), sessions=account.sessions,
    )  # fmt: skip


def _rights(rights: Rights) -> RightsShown:
    return RightsShown.model_validate(rights.names())


def _sessions(found: list[Session], holder: Identity) -> SessionsShown:
    return SessionsShown(
        sessions=[
            SessionShown(
                id=one.session_id, username=one.username, method=one.method, address=one.address, agent=one.agent,
                created_at=at_iso(one.created_at), refreshed_at=at_iso(one.refreshed_at),
                expires_at=at_iso(one.expires_at), current=one.session_id == holder.session_id,
            )
            for one in found
        ]
    )  # fmt: skip


def _token(machine: Machine) -> TokenShown:
    return TokenShown(
        name=machine.name, role=role_of(machine.role_id).name.lower(),
        rights=_rights(machine.rights),
        created_by=machine.created_by, created_at=at_iso(machine.created_at),
        expires_at=at_iso(machine.expires_at),
    )  # fmt: skip
