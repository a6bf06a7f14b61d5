"""Authentication and permissions of a request: its bearer token is checked, and what its holder may do. Use of a permission
is in the audit log before the action is done, and so are refusals for lack of one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import Request

from gateway.access.accounts import Origin
from gateway.access.authority import Authority, CannotCheck
from gateway.access.roles import Permission, role_of
from gateway.access.tokens import BadToken, Identity
from gateway.log.auditing import Auditing
from gateway.rest.edge import ApiError, unavailable
from runtime.reports import now_iso
from schemas.audit import AuditEvent

MAX_AGENT = 200
"""Characters that are kept of a User-Agent."""

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="catalogizer"'}
AUDITED_WITH_CHANGE: frozenset[Permission] = frozenset({"manage:users"})
"""Actions with these permissions are audited in the transaction of the change."""

Check = Callable[[Request], Awaitable[Identity]]


class Guard:
    """Makes the dependencies of routes."""

    def __init__(self, authority: Authority, auditing: Auditing) -> None:
        self.authority = authority
        self._auditing = auditing
        self.demanding: set[Check] = {self.holder}
        """Dependencies that answer 401 without a token."""
        self.permitting: dict[Check, Permission] = {}
        """Those that answer 403 too, without this permission."""

    async def optional(self, request: Request) -> Identity | None:
        """The holder of the request's token; None if there is no valid one. Answers 503 if a provider must be queried and
        does not answer."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            return await self.authority.identify(token.strip())
        except BadToken:
            return None
        except CannotCheck as error:
            raise unavailable() from error

    async def holder(self, request: Request) -> Identity:
        """A dependency that requires a token. Answers 401; 503 until the ended sessions are known."""
        if not self.authority.can_check:
            raise unavailable()
        identity = await self.optional(request)
        if identity is None:
            raise ApiError(401, "unauthorized", "sign in first", CHALLENGE)
        return identity

    def allowed(self, permission: Permission) -> Check:
        """A dependency that requires a role with a permission (`access.roles`). Answers 401 or 403."""

        async def check(request: Request) -> Identity:
            identity = await self.holder(request)
            method, path = request.method, request.scope["path"]
            if permission not in role_of(identity.role_id).permissions:
                self._auditing.refused(
                    "permission_refused", identity.username, identity.username, address=address_of(request),
                    why=role_of(identity.role_id).name, permission=permission, method=method, path=path,
                    request_id=request.state.request_id,
                )  # fmt: skip
                raise ApiError(403, "forbidden", f"needs the permission {permission}")
            if method != "GET" and permission not in AUDITED_WITH_CHANGE:
                await self._auditing.used(
                    AuditEvent(
                        action="permission_used", by=identity.username, subject=path, at=now_iso(),
                        address=address_of(request), permission=permission, method=method, path=path,
                        request_id=request.state.request_id,
                    )
                )  # fmt: skip
            return identity

        self.permitting[check] = permission
        return check


def origin_of(request: Request, way: str = "password") -> Origin:
    """Where a sign-in comes from."""
    return Origin(address_of(request), request.headers.get("user-agent", "")[:MAX_AGENT], way)


def address_of(request: Request) -> str:
    """The client's address."""
    return request.client.host if request.client else ""
