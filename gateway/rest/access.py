"""Who asks: the bearer token of a request, checked; and what its holder may do. What is done by a permission is in the audit
log before it is done, and what was refused for want of one too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import Request

from gateway.access.accounts import Origin
from gateway.access.authority import Authority, CannotTell
from gateway.access.roles import Permission, role_of
from gateway.access.tokens import BadToken, Identity
from gateway.log.auditing import Auditing
from gateway.rest.edge import ApiError, unavailable
from runtime.reports import now_iso
from schemas.audit import AuditEvent

MAX_AGENT = 200
"""Characters that are kept of what a browser calls itself."""

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="catalogizer"'}
IN_THEIR_OWN_WORDS: frozenset[Permission] = frozenset({"manage:users"})
"""What is done by these is in the audit log in the transaction of the change."""

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
        """The holder of the request's token; None when there is none that holds. Answers 503 where a provider would have
        to be asked and does not answer."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            return await self.authority.identify(token.strip())
        except BadToken:
            return None
        except CannotTell as error:
            raise unavailable() from error

    async def holder(self, request: Request) -> Identity:
        """A dependency that demands a token. Answers 401; 503 until it is known which sessions have ended."""
        if not self.authority.can_tell:
            raise unavailable()
        identity = await self.optional(request)
        if identity is None:
            raise ApiError(401, "unauthorized", "sign in first", CHALLENGE)
        return identity

    def allowed(self, permission: Permission) -> Check:
        """A dependency that demands a role with a permission (`access.roles`). Answers 401 or 403."""

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
            if method != "GET" and permission not in IN_THEIR_OWN_WORDS:
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
    """Whence somebody signs in."""
    return Origin(address_of(request), request.headers.get("user-agent", "")[:MAX_AGENT], way)


def address_of(request: Request) -> str:
    """Whence it comes."""
    return request.client.host if request.client else ""
