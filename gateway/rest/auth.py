"""Signing in and out under `/api/v1/auth`, in the form that existing clients read.

(No postponed annotations here: FastAPI must see dependencies that are made inside `router`.)"""

import math
import time
from typing import Annotated, assert_never

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from gateway import metrics
from gateway.access.accounts import Accounts, Opened, Refused, Reused, User
from gateway.access.following import Following
from gateway.access.oidc.errors import ProviderAway
from gateway.access.oidc.service import Oidc
from gateway.access.roles import role_of
from gateway.access.sign_in_log import SignInLog
from gateway.access.sign_in_queue import TooManySignIns
from gateway.access.signing_in import Limited, SigningIn
from gateway.access.tokens import Identity, Tokens
from gateway.rest.access import CHALLENGE, Guard, address_of, origin_of
from gateway.rest.body import Closed, small_json
from gateway.rest.described import authenticated_by, errors
from gateway.rest.edge import ApiError, unavailable
from schemas.times import iso


class LoginBody(Closed):
    """User name or e-mail, and password."""

    username: str | None = Field(None, min_length=1, max_length=320)
    email: str | None = Field(None, min_length=1, max_length=320)
    password: str = Field(min_length=1, max_length=1_024)

    @property
    def name(self) -> str:
        """The one that was given."""
        return self.username or self.email or ""


class RefreshBody(Closed):
    """The refresh token of the last sign-in or refresh; it is used up by this."""

    refresh_token: str = Field(min_length=1, max_length=256)


class Role(BaseModel):
    """A role; 1 is the administrator."""

    id: int
    name: str


class UserShown(BaseModel):
    """An account in the form that clients read."""

    id: int
    username: str
    email: str
    role_id: int
    role: Role


class SignedIn(BaseModel):
    """Tokens, under the names that old and new clients read. `expires_in` in seconds."""

    session_token: str
    token: str
    refresh_token: str
    expires_at: str
    expires_in: int
    user: UserShown


class TicketShown(BaseModel):
    """Good once, until `expires_at`."""

    ticket: str
    expires_at: str


class StatusShown(BaseModel):
    """Whether the request's token is valid."""

    authenticated: bool
    user: UserShown | None = None


class Permissions(BaseModel):
    """What the user may do."""

    role: str
    permissions: list[str]
    is_admin: bool


class SignedOut(BaseModel):
    """The session has ended. `provider_sign_out`: the address at which the browser signs out of its provider too."""

    message: str = "signed out"
    provider_sign_out: str | None = None


def router(
    accounts: Accounts, tokens: Tokens, guard: Guard, following: Following, *, oidc: Oidc, sign_ins: SignInLog
) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/api/v1/auth", tags=["auth"])
    signing_in = SigningIn(accounts)
    Holder = Annotated[Identity, Depends(guard.holder)]

    @routes.post("/login", responses=errors(401, 429), dependencies=[Depends(small_json)])
    async def login(request: Request, body: LoginBody) -> SignedIn:
        """Sign in with user name or e-mail. 429 after too many failures; the right password is still accepted, except during
        a flood of wrong ones."""
        address = address_of(request)
        try:
            outcome = await signing_in.sign_in(body.name, body.password, origin_of(request))
        except TooManySignIns:
            sign_ins.refused(body.name, address, "too many at once")
            raise
        match outcome:
            case Opened(user):
                metrics.LOGINS.labels("ok").inc()
                sign_ins.signed_in(user.username, address)
                return signed_in(tokens, outcome)
            case Refused(why, account):
                metrics.LOGINS.labels("refused").inc()
                sign_ins.refused(body.name, address, why, account)
                raise ApiError(401, "invalid_credentials", "wrong user name or password", CHALLENGE)
            case Limited(seconds):
                metrics.LOGINS.labels("limited").inc()
                sign_ins.refused(body.name, address, "too many failures")
                retry = {"Retry-After": str(math.ceil(seconds))}
                raise ApiError(429, "too_many_requests", "too many failed sign-ins; wait", retry)
            case _:
                assert_never(outcome)

    @routes.post("/refresh", responses=errors(401), dependencies=[Depends(small_json)])
    async def refresh(request: Request, body: RefreshBody) -> SignedIn:
        """New tokens for a refresh token, which is good once: for a minute it gives the same successor again (an answer may
        be lost, a tab duplicated); after that its use ends the session, because two clients have it. A session that a
        provider vouched for ends when the provider no longer confirms it."""
        try:
            outcome = await oidc.renewing.refresh(body.refresh_token)
        except ProviderAway as error:
            raise unavailable() from error
        if isinstance(outcome, Reused):
            sign_ins.reused(outcome.username, address_of(request))
            following.end(outcome.session_id)
        if not isinstance(outcome, Opened):
            raise ApiError(401, "invalid_token", "sign in again", CHALLENGE)
        return signed_in(tokens, outcome)

    @routes.post("/logout", responses=errors(403), response_model_exclude_none=True)
    async def logout(identity: Holder) -> SignedOut:
        """End the session: its tokens are no longer valid and its sockets are closed with 4003; at other gateways within
        seconds."""
        if not identity.user_id:
            raise ApiError(403, "forbidden", "a machine's token is revoked, not signed out")
        await accounts.sign_out(identity.session_id, identity.username)
        following.end(identity.session_id)
        return SignedOut(provider_sign_out=await oidc.sign_out_address(identity.session_id))

    @routes.post("/ws-ticket", status_code=201)
    async def ws_ticket(holder: Holder) -> TicketShown:
        """A ticket for one socket: `/ws?ticket=…`, within a minute. For clients whose tokens must not be part of an
        address."""
        ticket, ends = guard.authority.ticket(holder)
        return TicketShown(ticket=ticket, expires_at=iso(ends * 1_000))

    @routes.get("/status", response_model_exclude_none=True, openapi_extra=authenticated_by("bearer", "nobody"))
    async def status(request: Request) -> StatusShown:
        """Whether the token is valid: always 200 (existing pages reload for ever on a 401 here)."""
        identity = await guard.optional(request)
        if identity is None:
            return StatusShown(authenticated=False)
        shown = await shown_of(identity)
        return StatusShown(authenticated=shown is not None, user=shown)

    @routes.get("/profile")
    async def profile(identity: Holder) -> UserShown:
        """The user."""
        shown = await shown_of(identity)
        if shown is None:
            raise ApiError(401, "unauthorized", "sign in first", CHALLENGE)
        return shown

    @routes.get("/permissions")
    async def permissions(identity: Holder) -> Permissions:
        """What the user may do."""
        role = role_of(identity.role_id)
        return Permissions(role=role.name, permissions=list(role.permissions), is_admin=identity.is_admin)

    async def shown_of(identity: Identity) -> UserShown | None:
        """None if the account is disabled. A machine's token has no account: its id is 0."""
        if not identity.user_id:
            role = role_of(identity.role_id)
            return UserShown(
                id=0, username=identity.username, email="", role_id=role.id, role=Role(id=role.id, name=role.name)
            )
        user = await accounts.user(identity.user_id)
        return None if user is None else _shown(user)

    return routes


def signed_in(tokens: Tokens, opened: Opened) -> SignedIn:
    """The answer to a sign-in of any kind."""
    user = opened.user
    token, identity = tokens.issue(
        user_id=user.id,
        username=user.username,
        role_id=user.role_id,
        session_id=opened.session_id,
        rights=user.rights,
        minutes=opened.token_minutes,
    )
    return SignedIn(
        session_token=token,
        token=token,
        refresh_token=opened.refresh_token,
        expires_at=iso(identity.expires_at * 1_000),
        expires_in=identity.expires_at - int(time.time()),
        user=_shown(user),
    )


def _shown(user: User) -> UserShown:
    return UserShown(
        id=user.id,
        username=user.username,
        email=user.email,
        role_id=user.role_id,
        role=Role(id=user.role_id, name=user.role_name),
    )
