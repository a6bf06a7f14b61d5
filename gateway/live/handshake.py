"""The handshake of a socket: the page's origin, the token it presents, and how it is refused.

With a bad token the socket is accepted and closed with 4001, because browsers cannot see an HTTP status; if the same bad
token is used again, the answer is delayed more and more. Limits are refused with an HTTP status: an accept would reset a
client's back-off.
"""

from __future__ import annotations

import asyncio
import time
from enum import Enum, auto
from typing import NamedTuple

import msgspec
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway import metrics
from gateway.access.refusal_log import RefusalLog
from gateway.access.tokens import digest
from gateway.core.limits import Penalties
from gateway.origins import listening, written
from gateway.settings import GatewaySettings
from runtime.waits import COME_BACK_SECONDS
from schemas.close_codes import INVALID_TOKEN
from schemas.envelope import BadMessage, Message, decode_message

HELD_HANDSHAKES = 256
"""Answers to bad tokens that are delayed at the same time; more are refused."""

CODES = {403: "forbidden", 429: "too_many_requests", 503: "unavailable"}
MESSAGES = {
    "origin": "pages of this origin may not connect",
    "overload": "too many connections",
    "authority": "the session cannot be checked now",
    "database": "the database does not answer",
    "unnamed_sockets": "too many connections without a token",
    "held_handshakes": "too many connections with bad tokens",
    "session_sockets": "too many connections of this session",
}
"""For people, by reason."""

AUTH_SECONDS = 10.0
LOOPBACK = ("localhost", "127.0.0.1", "::1")

_refusals = RefusalLog()


class Way(Enum):
    """How a client authenticates."""

    TOKEN = auto()
    """With a token in the handshake."""
    TICKET = auto()
    """With a ticket in its address."""
    MESSAGE = auto()
    """With a token in its first message, as `?auth=message` announces."""


class Offer(NamedTuple):
    """The credentials in the handshake, and the subprotocol to answer with."""

    way: Way
    proof: str
    subprotocol: str | None = None


def offer_of(websocket: WebSocket) -> Offer:
    """`Authorization: Bearer`, the subprotocol pair `bearer, <token>`, `?ticket=`, `?auth=message`, or the contract's
    `?token=`, in this order."""
    scheme, _, token = websocket.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return Offer(Way.TOKEN, token.strip())
    offered = websocket.scope.get("subprotocols", [])
    if len(offered) == 2 and offered[0] == "bearer":
        return Offer(Way.TOKEN, offered[1], "bearer")
    query = websocket.query_params
    if ticket := query.get("ticket"):
        return Offer(Way.TICKET, ticket)
    if query.get("auth") == "message" and "token" not in query:
        return Offer(Way.MESSAGE, "")
    return Offer(Way.TOKEN, query.get("token", ""))


class Origins:
    """Whose pages may connect: those of the gateway's own origins and of the settings. Its own are the public URL, this
    machine's names for itself, and the address that the connection came to; never the Host header, because a page whose name
    was pointed at us (DNS rebinding) sends its own name there."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._all = "*" in settings.allowed_origins
        self._allowed = {*settings.allowed_origins, *(listening(name, settings.port) for name in LOOPBACK)}
        self._allowed.add(listening(settings.host, settings.port))
        if settings.public_url is not None and (own := written(settings.public_url)):
            self._allowed.add(own)

    def allow(self, websocket: WebSocket) -> bool:
        """True without an Origin too (not a browser). Two are not allowed."""
        origins = websocket.headers.getlist("origin")
        if not origins or self._all:
            return True
        server = websocket.scope.get("server") or ("", 0)
        if len(origins) == 1 and (origins[0] in self._allowed or origins[0] == listening(*server)):
            return True
        _refusals.refused(
            "origin",
            origin=origins[0],
            host=websocket.headers.get("host", ""),
            help="if it is ours behind a proxy, set CATALOGIZER_GATEWAY__PUBLIC_URL to its address;"
            " if it may connect, add its origin to CATALOGIZER_GATEWAY__ALLOWED_ORIGINS",
        )
        return False


async def first_message(websocket: WebSocket) -> Message | None:
    """The first message of a client that was accepted without a token; None if none comes in time, or an invalid one.
    Raises WebSocketDisconnect."""
    try:
        async with asyncio.timeout(AUTH_SECONDS):
            received = await websocket.receive()
    except TimeoutError:
        return None
    if received["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(received.get("code", 1006))
    try:
        return decode_message(received.get("text") or "")
    except (BadMessage, msgspec.DecodeError):
        return None


async def refuse(websocket: WebSocket, status: int, why: str) -> None:
    """Answer the handshake with an HTTP status, in the form of every error; count and log `why`, one of MESSAGES."""
    metrics.REFUSED.labels(why).inc()
    if why != "origin":  # it is logged already, with advice
        _refusals.refused(why, address=websocket.client.host if websocket.client else "")
    headers = {"Retry-After": str(COME_BACK_SECONDS)} if status in (429, 503) else {}
    body = {"error": CODES[status], "message": MESSAGES[why], "request_id": websocket.state.request_id}
    await websocket.send_denial_response(JSONResponse(body, status, headers))


class BadTokens:
    """Refuses clients with a bad token, and remembers them for a while."""

    def __init__(self) -> None:
        self._penalties = Penalties()
        self._held = 0

    async def reject(self, websocket: WebSocket, token: str, subprotocol: str | None) -> None:
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
