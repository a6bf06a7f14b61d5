"""One WebSocket from handshake to end: who it is, what it says, and when it must go.

A bad token is accepted and closed with 4001, for browsers cannot see an HTTP status; the same bad token again
is answered later and later. Limits are refused at the handshake: an accept would reset a client's back-off.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway import metrics
from gateway.core import answers
from gateway.core.limits import Bucket, Penalties
from gateway.core.session import Session
from gateway.settings import GatewaySettings
from gateway.sockets import AsgiSink, Sink, sink_of
from gateway.streaming import Streaming, now_ms
from gateway.subscribing import Subscribing
from gateway.tokens import LEEWAY_SECONDS, BadToken, Identity, Tokens, digest
from runtime import log
from schemas import close_codes
from schemas.close_codes import CloseCode
from schemas.envelope import BadMessage, Message, decode_message
from schemas.times import iso

HELD_HANDSHAKES = 256
FIRST_SECONDS = 1.0
"""A fresh socket hears nothing before its first answer, or before this time."""

EXPIRY_NOTICE_SECONDS = 60
SWEEP_SECONDS = 1.0
SWEEP_SLICE = 500

_log = log.get(__name__)


@dataclass(slots=True, eq=False)
class Connection:
    """One open socket; watches its sink. `deadline`: when its token ends, seconds since 1970."""

    sink: Sink
    identity: Identity
    streaming: Streaming
    session: Session
    bucket: Bucket
    deadline: int
    pinged_at: float
    warned: bool = False
    awaiting_pong: bool = False
    gone: bool = False

    def paused(self) -> None:
        """The client does not keep up."""
        self.streaming.paused(self.session)

    def drained(self) -> None:
        """It has room again."""
        self.streaming.drained(self.session)

    def ponged(self) -> None:
        """It lives."""
        self.awaiting_pong = False

    def closed(self) -> None:
        """Nothing may be written any more."""
        self.gone = True
        self.session.write = _nowhere
        self.streaming.leave(self.session)

    def close(self, code: CloseCode) -> None:
        """Close from our side: its position first, where it is told positions."""
        if self.gone:
            return
        if told := self.streaming.hub.positions(self.session, now_ms()):
            self.session.write(told)
        metrics.CLOSED.labels(str(code.code)).inc()
        self.sink.close(code)

    def sweep(self, now: float, wall: float, ping_seconds: float) -> None:
        """What is due by time: pings, the token's end."""
        if now - self.pinged_at >= ping_seconds:
            if self.awaiting_pong and not self.session.paused:
                self.close(close_codes.NO_PONG)
                return
            self.pinged_at, self.awaiting_pong = now, True
            self.sink.ping()
        if wall >= self.deadline:
            self.close(close_codes.TOKEN_EXPIRED)
        elif wall >= self.deadline - EXPIRY_NOTICE_SECONDS and not self.warned and not self.session.held:
            self.warned = True
            ends = answers.Expiring(iso(self.deadline * 1_000))
            self.session.write(answers.frame("auth_expiring", ends, now_ms()))

    def renew(self, identity: Identity) -> None:
        """A new token of the same user came in."""
        self.identity, self.deadline, self.warned = identity, _deadline(identity), False


class Connections:
    """All sockets of the process."""

    def __init__(
        self, settings: GatewaySettings, tokens: Tokens, streaming: Streaming, subscribing: Subscribing
    ) -> None:
        self.accepting = False
        self._settings = settings
        self._tokens = tokens
        self._streaming = streaming
        self._subscribing = subscribing
        self._open: dict[Connection, None] = {}
        self._of_session: dict[str, int] = {}
        self._penalties = Penalties()
        self._held = 0

    @property
    def count(self) -> int:
        """Sockets open now."""
        return len(self._open)

    async def serve(self, websocket: WebSocket) -> None:
        """The endpoint: from the handshake to the end."""
        if not origin_allowed(websocket, self._settings.allowed_origins):
            await _refuse(websocket, 403, "origin")
            return
        if not self.accepting or self.count >= self._settings.max_sockets:
            await _refuse(websocket, 503, "overload")
            return
        token, subprotocol = token_of(websocket)
        try:
            identity = self._tokens.verify(token)
        except BadToken:
            await self._turn_away(websocket, token, subprotocol)
            return
        if self._of_session.get(identity.session_id, 0) >= self._settings.max_sockets_per_session:
            await _refuse(websocket, 429, "session_sockets")
            return
        self._of_session[identity.session_id] = self._of_session.get(identity.session_id, 0) + 1
        try:
            await websocket.accept(subprotocol)
            await self._converse(websocket, identity)
        except WebSocketDisconnect:
            pass  # it went before or while it was accepted
        finally:
            self._forget_session(identity.session_id)

    async def sweep(self) -> None:
        """Every second for ever: pings and tokens' ends, in slices so that the loop is never held up."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            metrics.SOCKETS.set(self.count)
            now, wall = time.monotonic(), time.time()
            for i, connection in enumerate(list(self._open)):
                if not connection.gone:
                    connection.sweep(now, wall, self._settings.ping_seconds)
                if i % SWEEP_SLICE == SWEEP_SLICE - 1:
                    await asyncio.sleep(0)

    def close_all(self, code: CloseCode, session_id: str | None = None) -> None:
        """Close every socket, or those of one session."""
        for connection in list(self._open):
            if session_id is None or connection.identity.session_id == session_id:
                connection.close(code)

    async def _turn_away(self, websocket: WebSocket, token: str, subprotocol: str | None) -> None:
        metrics.REFUSED.labels("token").inc()
        address = websocket.client.host if websocket.client else ""
        seconds = self._penalties.next_seconds(digest(token or f"none:{address}"), time.monotonic())
        if seconds and self._held >= HELD_HANDSHAKES:
            await _refuse(websocket, 503, "held_handshakes")
            return
        self._held += 1
        try:
            await asyncio.sleep(seconds)
            await websocket.accept(subprotocol)
            code = close_codes.INVALID_TOKEN
            await websocket.close(code.code, code.reason)
        except WebSocketDisconnect:
            pass  # it did not wait for the answer
        finally:
            self._held -= 1

    async def _converse(self, websocket: WebSocket, identity: Identity) -> None:
        connection = self._opened(sink_of(websocket), identity)
        first = asyncio.get_running_loop().call_later(FIRST_SECONDS, self._streaming.release, connection.session)
        try:
            while not connection.gone:
                received = await websocket.receive()
                if received["type"] == "websocket.disconnect":
                    break
                await self._hear(connection, received.get("text"))
                self._streaming.release(connection.session)
        finally:
            first.cancel()
            del self._open[connection]
            if not connection.gone:
                connection.closed()
            if isinstance(connection.sink, AsgiSink):
                connection.sink.task.cancel()

    def _opened(self, sink: Sink, identity: Identity) -> Connection:
        now = time.monotonic()
        connection = Connection(
            sink=sink,
            identity=identity,
            streaming=self._streaming,
            session=self._streaming.connect(sink.write),
            bucket=Bucket(now),
            deadline=_deadline(identity),
            pinged_at=now,
        )
        sink.watcher = connection
        self._open[connection] = None
        return connection

    async def _hear(self, connection: Connection, text: str | None) -> None:
        if text is None:
            connection.close(close_codes.BINARY)
            return
        session = connection.session
        if not connection.bucket.allows(time.monotonic()):
            session.write(answers.error("rate_limited", "more than 20 messages a second", now_ms()))
            connection.close(close_codes.RATE_LIMITED)
            return
        try:
            message = decode_message(text)
        except BadMessage as error:
            session.write(answers.error(error.code, str(error), now_ms(), error.ref))
        except msgspec.DecodeError as error:  # a number out of range, beside the fields we know
            session.write(answers.error("bad_json", str(error), now_ms()))
        else:
            await self._obey(connection, message)

    async def _obey(self, connection: Connection, message: Message) -> None:
        session = connection.session
        match message.type:
            case "subscribe":
                if not await self._subscribing.subscribe(session, message):
                    connection.close(close_codes.GAP)
            case "unsubscribe":
                self._subscribing.unsubscribe(session, message)
            case "ping":
                session.write(answers.frame("pong", answers.EMPTY, now_ms(), message.ref))
            case "auth":
                self._reauthenticate(connection, message)
            case _:
                text = "types are subscribe, unsubscribe, ping and auth"
                session.write(answers.error("unknown_type", text, now_ms(), message.ref))

    def _reauthenticate(self, connection: Connection, message: Message) -> None:
        try:
            identity = self._tokens.verify(message.token if isinstance(message.token, str) else "")
            if identity.user_id != connection.identity.user_id:
                raise BadToken
        except BadToken:
            text = "token: not one of this user that holds"
            connection.session.write(answers.error("bad_request", text, now_ms(), message.ref))
            return
        connection.renew(identity)
        ends = answers.Expiring(iso(identity.expires_at * 1_000))
        connection.session.write(answers.frame("authenticated", ends, now_ms(), message.ref))

    def _forget_session(self, session_id: str) -> None:
        self._of_session[session_id] -= 1
        if not self._of_session[session_id]:
            del self._of_session[session_id]


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


def origin_allowed(websocket: WebSocket, allowed: tuple[str, ...]) -> bool:
    """True without an Origin (not a browser), for the gateway's own, and for those of the setting."""
    origin = websocket.headers.get("origin")
    if origin is None or origin in allowed:
        return True
    parts = urlsplit(origin)
    return (
        parts.scheme in ("http", "https") and bool(parts.netloc) and parts.netloc == websocket.headers.get("host")
    )


def _deadline(identity: Identity) -> int:
    """When the socket must go: the token's end, or the end of the leeway for one accepted within it."""
    ended = identity.expires_at <= time.time()
    return identity.expires_at + LEEWAY_SECONDS if ended else identity.expires_at


def _nowhere(_data: bytes) -> None:
    """Where writes to a socket that is gone end."""


async def _refuse(websocket: WebSocket, status: int, why: str) -> None:
    metrics.REFUSED.labels(why).inc()
    headers = {"Retry-After": "5"} if status in (429, 503) else {}
    await websocket.send_denial_response(Response(status_code=status, headers=headers))
