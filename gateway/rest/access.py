"""Who asks: the bearer token of a request, checked; and what its holder may do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import Request

from gateway.access.authority import Authority
from gateway.access.roles import Permission, role_of
from gateway.access.tokens import BadToken, Identity
from gateway.rest.edge import ApiError, unavailable

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="catalogizer"'}

Check = Callable[[Request], Awaitable[Identity]]


async def optional_identity(authority: Authority, request: Request) -> Identity | None:
    """The holder of the request's token; None when there is none that holds."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    try:
        return await authority.identify(token.strip())
    except BadToken:
        return None


def identity_of(authority: Authority) -> Check:
    """A dependency that demands a token. Answers 401; 503 until it is known which sessions have ended."""

    async def check(request: Request) -> Identity:
        if not authority.can_tell:
            raise unavailable()
        identity = await optional_identity(authority, request)
        if identity is None:
            raise ApiError(401, "unauthorized", "sign in first", CHALLENGE)
        return identity

    return check


def allowed(authority: Authority, permission: Permission) -> Check:
    """A dependency that demands a role with a permission (`access.roles`). Answers 401 or 403."""
    checked = identity_of(authority)

    async def check(request: Request) -> Identity:
        identity = await checked(request)
        if permission not in role_of(identity.role_id).permissions:
            raise ApiError(403, "forbidden", f"needs the permission {permission}")
        return identity

    return check
