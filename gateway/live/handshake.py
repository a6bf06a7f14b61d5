"""The handshake of a socket: whose page asks, which token it offers, and how it is turned away.

A bad token is accepted and closed with 4001, for browsers cannot see an HTTP status; the same bad token again
is answered later and later. Limits are refused with an HTTP status: an accept would reset a client's back-off.
"""

from __future__ import annotations

import asyncio
import time
from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway import metrics
from gateway.access.tokens import digest
from gateway.core.limits import Penalties
from gateway.public import origin_of
from gateway.settings import GatewaySettings
from runtime import log
from schemas.close_codes import INVALID_TOKEN

HELD_HANDSHAKES = 256
"""Answers to bad tokens that are held at once; more are refused."""

RETRY_SECONDS = 5
TOLD_ORIGINS = 100
SHOWN_CHARACTERS = 200

_log = log.get(__name__)


def token_of(websocket: WebSocket) -> tuple[str, str | None]:
    """The token offered and the subprotocol to answer with: `Authorization: Bearer`, the subprotocol pair
    `bearer, <token>`, or the contract's `?token=`, in this order."""
    scheme, _, token = websocket.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip(), None
    offered = websocket.scope.get("subprotocols", [])
    if len(offered) == 2 and offered[0] == "bearer":
        return offered[1], "bearer"
    return websocket.query_params.get("token", ""), None


class Origins:
    """Whose pages may connect. A refusal is told in the log once for each origin: the browser learns nothing but
    that the socket failed, and would try again for ever."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._allowed = {*settings.allowed_origins}
        if settings.public_url is not None:
            self._allowed.add(origin_of(settings.public_url))
        self._told: set[str] = set()

    def allow(self, websocket: WebSocket) -> bool:
        """True without an Origin (not a browser), for the gateway's own, and for those of the settings."""
        origin, host = websocket.headers.get("origin"), websocket.headers.get("host")
        if origin is None or origin in self._allowed:
            return True
        parts = urlsplit(origin)
        if parts.scheme in ("http", "https") and bool(parts.netloc) and parts.netloc == host:
            return True
        self._tell(origin[:SHOWN_CHARACTERS], (host or "")[:SHOWN_CHARACTERS])
        return False

    def _tell(self, origin: str, host: str) -> None:
        if origin in self._told or len(self._told) >= TOLD_ORIGINS:
            return
        self._told.add(origin)
        _log.warning(
            "a page of another origin was refused",
            origin=origin,
            host=host,
            help="if it is ours behind a proxy, set CATALOGIZER_GATEWAY__PUBLIC_URL to its address;"
            " if it may connect, add its origin to CATALOGIZER_GATEWAY__ALLOWED_ORIGINS",
        )


async def refuse(websocket: WebSocket, status: int, why: str) -> None:
    """Answer the handshake with an HTTP status; `why` is counted."""
    metrics.REFUSED.labels(why).inc()
    headers = {"Retry-After": str(RETRY_SECONDS)} if status in (429, 503) else {}
    await websocket.send_denial_response(Response(status_code=status, headers=headers))


class BadTokens:
    """Answers those who come with a bad token, and remembers them a while."""

    def __init__(self) -> None:
        self._penalties = Penalties()
        self._held = 0

    async def turn_away(self, websocket: WebSocket, token: str, subprotocol: str | None) -> None:
        """Accept and close with 4001, at once the first time."""
        metrics.REFUSED.labels("token").inc()
        address = websocket.client.host if websocket.client else ""
        seconds = self._penalties.next_seconds(digest(token or f"none:{address}"), time.monotonic())
        if seconds and self._held >= HELD_HANDSHAKES:
            await refuse(websocket, 503, "held_handshakes")
            return
        self._held += 1
        try:
            await asyncio.sleep(seconds)
            await websocket.accept(subprotocol)
            await websocket.close(INVALID_TOKEN.code, INVALID_TOKEN.reason)
        except WebSocketDisconnect:
            pass  # it did not wait for the answer
        finally:
            self._held -= 1
