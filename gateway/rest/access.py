"""Who asks: the bearer token of a request, checked; and whether it is an administrator."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request

from gateway.access.tokens import BadToken, Identity, Tokens
from gateway.rest.edge import ApiError, unavailable

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="catalogizer"'}


def optional_identity(tokens: Tokens, request: Request) -> Identity | None:
    """The holder of the request's token; None when there is none that holds."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    try:
        return tokens.verify(token.strip())
    except BadToken:
        return None


def identity_of(tokens: Tokens) -> Callable[[Request], Identity]:
    """A dependency that demands a token. Answers 401; 503 until it is known which sessions have ended."""

    def check(request: Request) -> Identity:
        if not tokens.can_tell:
            raise unavailable()
        identity = optional_identity(tokens, request)
        if identity is None:
            raise ApiError(401, "unauthorized", "sign in first", CHALLENGE)
        return identity

    return check


def admin_of(tokens: Tokens) -> Callable[[Request], Identity]:
    """A dependency that demands an administrator. Answers 401 or 403."""
    checked = identity_of(tokens)

    def check(request: Request) -> Identity:
        identity = checked(request)
        if not identity.is_admin:
            raise ApiError(403, "forbidden", "for administrators")
        return identity

    return check
