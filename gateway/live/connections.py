"""All sockets of the process: they are let in, heard, swept for what is due by time, and closed.

What a client says is read here and answered by who serves it; nothing it can say ends more than its own socket.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway import metrics
from gateway.access.authority import Authority
from gateway.access.tokens import BadToken, Identity
from gateway.core import answers
from gateway.core.limits import MESSAGES_PER_SECOND, Bucket
from gateway.live.connection import Connection, deadline_of, viewer_of
from gateway.live.handshake import BadTokens, Origins, refuse, token_of
from gateway.live.slices import in_slices
from gateway.live.sockets import AsgiSink, Sink, sink_of
from gateway.live.streaming import Streaming, now_ms
from gateway.live.subscribing import Subscribing
from gateway.settings import GatewaySettings
from schemas import close_codes
from schemas.close_codes import CloseCode
from schemas.envelope import BadMessage, Message, decode_message
from schemas.times import iso

FIRST_SECONDS = 1.0
"""A fresh socket hears nothing before its first answer, or before this time."""

SWEEP_SECONDS = 1.0


class Connections:
    """All sockets of the process."""

    def __init__(
        self, settings: GatewaySettings, authority: Authority, streaming: Streaming, subscribing: Subscribing
    ) -> None:
        self.accepting = False
        self._settings = settings
        self._authority = authority
        self._streaming = streaming
        self._subscribing = subscribing
        self._open: dict[Connection, None] = {}
        self._of_session: dict[str, int] = {}
        self._bad_tokens = BadTokens()
        self._origins = Origins(settings)

    @property
    def count(self) -> int:
        """Sockets open now."""
        return len(self._open)

    async def serve(self, websocket: WebSocket) -> None:
        """The endpoint: from the handshake to the end."""
        if not self._origins.allow(websocket):
            await refuse(websocket, 403, "origin")
            return
        if not self.accepting or self.count >= self._settings.max_sockets:
            await refuse(websocket, 503, "overload")
            return
        token, subprotocol = token_of(websocket)
        try:
            identity = await self._authority.identify(token)
        except BadToken:
            await self._bad_tokens.turn_away(websocket, token, subprotocol)
            return
        if self._of_session.get(identity.session_id, 0) >= self._settings.max_sockets_per_session:
            await refuse(websocket, 429, "session_sockets")
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
        """Every second for ever: pings and tokens' ends."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            metrics.SOCKETS.set(self.count)
            now, wall = time.monotonic(), time.time()
            async for connection in in_slices(self._open):
                if not connection.gone:
                    connection.sweep(now, wall, self._settings.ping_seconds)

    def close_all(self, code: CloseCode) -> None:
        """Close every socket."""
        for connection in list(self._open):
            connection.close(code)

    def close_sessions(self, session_ids: Collection[str]) -> None:
        """Close the sockets of sessions that have ended."""
        ended = frozenset(session_ids)
        for connection in list(self._open):
            if connection.identity.session_id in ended:
                connection.close(close_codes.REVOKED)

    async def _converse(self, websocket: WebSocket, identity: Identity) -> None:
        connection = self._opened(sink_of(websocket), identity)
        if self._authority.ended(identity):  # while it was accepted
            connection.close(close_codes.REVOKED)
        first = asyncio.get_running_loop().call_later(
            FIRST_SECONDS, self._streaming.release, connection.subscriber
        )
        try:
            while not connection.gone:
                received = await websocket.receive()
                if received["type"] == "websocket.disconnect":
                    break
                await self._hear(connection, received.get("text"))
                self._streaming.release(connection.subscriber)
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
            subscriber=self._streaming.connect(sink.write, viewer_of(identity)),
            bucket=Bucket(now),
            deadline=deadline_of(identity),
            pinged_at=now,
            pong_seconds=self._settings.slow_seconds,
        )
        sink.watcher = connection
        self._open[connection] = None
        return connection

    async def _hear(self, connection: Connection, text: str | None) -> None:
        if text is None:
            connection.close(close_codes.BINARY)
            return
        subscriber = connection.subscriber
        if not connection.bucket.allows(time.monotonic()):
            self._streaming.tell(
                subscriber,
                answers.error("rate_limited", f"more than {MESSAGES_PER_SECOND:g} messages a second", now_ms()),
            )
            connection.close(close_codes.RATE_LIMITED)
            return
        try:
            message = decode_message(text)
        except BadMessage as error:
            self._streaming.tell(subscriber, answers.error(error.code, str(error), now_ms(), error.ref))
        except msgspec.DecodeError as error:  # a number out of range, beside the fields we know
            self._streaming.tell(subscriber, answers.error("bad_json", str(error), now_ms()))
        else:
            await self._obey(connection, message)

    async def _obey(self, connection: Connection, message: Message) -> None:
        subscriber = connection.subscriber
        match message.type:
            case "subscribe":
                if not await self._subscribing.subscribe(subscriber, message):
                    connection.close(close_codes.GAP)
            case "unsubscribe":
                self._subscribing.unsubscribe(subscriber, message)
            case "credit":
                self._subscribing.credit(subscriber, message)
            case "ping":
                self._streaming.tell(subscriber, answers.message("pong", answers.EMPTY, now_ms(), message.ref))
            case "auth":
                await self._reauthenticate(connection, message)
            case _:
                text = "types are subscribe, unsubscribe, credit, ping and auth"
                self._streaming.tell(subscriber, answers.error("unknown_type", text, now_ms(), message.ref))

    async def _reauthenticate(self, connection: Connection, message: Message) -> None:
        try:
            identity = await self._authority.identify(message.token if isinstance(message.token, str) else "")
            if identity.user_id != connection.identity.user_id:
                raise BadToken
        except BadToken:
            text = "token: not one of this user that holds"
            self._streaming.tell(connection.subscriber, answers.error("bad_request", text, now_ms(), message.ref))
            return
        connection.renew(identity)
        ends = answers.Expiring(iso(identity.expires_at * 1_000))
        self._streaming.tell(connection.subscriber, answers.message("authenticated", ends, now_ms(), message.ref))

    def _forget_session(self, session_id: str) -> None:
        self._of_session[session_id] -= 1
        if not self._of_session[session_id]:
            del self._of_session[session_id]
