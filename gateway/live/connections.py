"""All sockets of the process: they are admitted, read, swept for what is due by time, and closed.

What a client sends is decoded here and answered by the part that serves it; no message can end more than its own socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Protocol

import msgspec
import psycopg
from psycopg_pool import PoolTimeout
from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn._types import ASGIReceiveEvent

from gateway import metrics
from gateway.access.authority import Authority, CannotCheck
from gateway.access.tokens import BadToken, Identity
from gateway.core import answers
from gateway.core.inheritance import OpenSocket
from gateway.core.limits import MESSAGES_PER_SECOND, Bucket
from gateway.live.connection import Connection, deadline_of, viewer_of
from gateway.live.handshake import BadTokens, Offer, Origins, Way, first_message, offer_of, refuse
from gateway.live.resumption import Resumption
from gateway.live.slices import in_slices
from gateway.live.sockets import Sink, sink_of
from gateway.live.streaming import Streaming, now_ms
from gateway.live.subscribing import Subscribing
from gateway.settings import GatewaySettings
from runtime import log
from schemas import close_codes
from schemas.channels import CHANNELS
from schemas.close_codes import CloseCode
from schemas.envelope import BadMessage, Message, decode_message
from schemas.times import iso

_log = log.get(__name__)

FIRST_SECONDS = 1.0
"""A new socket gets nothing before its first answer, or before this time."""

SWEEP_SECONDS = 1.0
CLEAN = (1000, 1001)
"""The codes of a close on purpose: normal, or because the page goes away (RFC 6455 section 7.4.1)."""

UNNAMED_SOCKETS = 256
"""Sockets at once whose clients have not authenticated yet."""


class Open(Protocol):
    """What is counted and closed with the others: a socket, or an answer without an end (an event stream)."""

    @property
    def identity(self) -> Identity:
        """Its user and session."""

    @property
    def gone(self) -> bool:
        """True if nothing may be written any more."""

    def close(self, code: CloseCode) -> None:
        """Close it."""

    def see_as(self, identity: Identity) -> None:
        """The same user, perhaps with other rights."""

    def sweep(self, now: float, wall: float, ping_seconds: float) -> None:
        """Do what is due by time."""


class Connections:
    """All sockets of the process, and the event streams over HTTP."""

    def __init__(
        self, settings: GatewaySettings, authority: Authority, streaming: Streaming, subscribing: Subscribing,
        resumption: Resumption,
    ) -> None:  # fmt: skip
        self.accepting = False
        self._settings = settings
        self._authority = authority
        self._streaming = streaming
        self._subscribing = subscribing
        self._resumption = resumption
        self._open: dict[Open, None] = {}
        self._of_session: dict[str, int] = {}
        self._unnamed = 0
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
        if self._no_room:
            await refuse(websocket, 503, "overload")
            return
        offer = offer_of(websocket)
        if offer.way is Way.MESSAGE:
            await self._serve_after_a_message(websocket)
            return
        try:
            identity = await self._identify(offer)
        except BadToken:
            await self._bad_tokens.reject(websocket, offer.proof, offer.subprotocol)
        except CannotCheck:
            await refuse(websocket, 503, "authority")
        except (psycopg.Error, PoolTimeout):
            await refuse(websocket, 503, "database")
        else:
            await self._serve(websocket, identity, offer.subprotocol)

    async def _identify(self, offer: Offer) -> Identity:
        if offer.way is Way.TICKET:
            return await self._authority.redeem(offer.proof)
        return await self._authority.identify(offer.proof)

    async def _serve_after_a_message(self, websocket: WebSocket) -> None:
        """Nothing is sent, and nothing but a token read, before the client has authenticated."""
        if self._unnamed >= UNNAMED_SOCKETS:
            await refuse(websocket, 503, "unnamed_sockets")
            return
        self._unnamed += 1
        try:
            await websocket.accept()
            message = await first_message(websocket)
            identity = None if message is None else await self._holder_of(message)
        except WebSocketDisconnect:
            return
        except CannotCheck:
            with contextlib.suppress(WebSocketDisconnect):
                await websocket.close(close_codes.OVERLOAD.code, close_codes.OVERLOAD.reason)
            return
        finally:
            self._unnamed -= 1
        if identity is None:
            code = close_codes.NO_AUTH if message is None else close_codes.INVALID_TOKEN
            with contextlib.suppress(WebSocketDisconnect):
                await websocket.close(code.code, code.reason)
        elif self._full(identity):
            with contextlib.suppress(WebSocketDisconnect):
                await websocket.close(close_codes.OVERLOAD.code, close_codes.OVERLOAD.reason)
        else:
            await self._open_one(websocket, identity, message)

    async def _serve(self, websocket: WebSocket, identity: Identity, subprotocol: str | None) -> None:
        if self._full(identity):
            await refuse(websocket, 429, "session_sockets")
            return
        await self._open_one(websocket, identity, subprotocol=subprotocol)

    async def _open_one(
        self,
        websocket: WebSocket,
        identity: Identity,
        auth: Message | None = None,
        *,
        subprotocol: str | None = None,
    ) -> None:
        """`named`: the message by which an already accepted client authenticated, to be answered."""
        self._count(identity.session_id)
        connection = None
        try:
            heir = await self._resumption.opened(identity.session_id)
            if auth is None:
                try:
                    await websocket.accept(subprotocol)
                except WebSocketDisconnect:  # before or while it is accepted
                    self._resumption.ended(heir, clean=True, revoked=False)
                    return
            connection = self._opened(sink_of(websocket), identity, heir)
        finally:
            if connection is None:
                self._discount(identity.session_id)
        if self._authority.ended(identity):  # while it was accepted
            connection.close(close_codes.REVOKED)
        elif auth is not None:
            self._confirm(connection, auth)
            connection.release()
        connection.sink.hand_over(partial(self._on_message, connection))

    async def sweep(self) -> None:
        """Every second for ever: pings and ends of tokens."""
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

    def review(self, user_ids: Collection[int]) -> None:
        """The rights of these accounts have changed: apply that to their open sockets too."""
        for connection in list(self._open):
            if connection.identity.user_id in user_ids and not connection.gone:
                connection.see_as(self._authority.current(connection.identity))

    def _opened(self, sink: Sink, identity: Identity, heir: OpenSocket) -> Connection:
        now, viewer = time.monotonic(), viewer_of(identity)
        given = (name for name, c in CHANNELS.items() if c.everybody and identity.rights.may_follow(name))
        subscriber = self._streaming.connect(
            sink.write, viewer, {name: self._resumption.start(heir, name) for name in given}
        )
        subscriber.heir = heir
        connection = Connection(
            sink=sink,
            identity=identity,
            streaming=self._streaming,
            subscriber=subscriber,
            bucket=Bucket(now),
            deadline=deadline_of(identity),
            pinged_at=now,
            pong_seconds=self._settings.slow_seconds,
            resumption=self._resumption,
            heir=heir,
            session_id=identity.session_id,
        )
        connection.first = asyncio.get_running_loop().call_later(FIRST_SECONDS, connection.release)
        sink.watcher = connection
        self._open[connection] = None
        return connection

    def _on_message(self, connection: Connection, message: ASGIReceiveEvent) -> None:
        """The client sent a message, or is gone; of several reasons for being gone the first counts."""
        if connection.ended is not None:
            return
        if message["type"] == "websocket.disconnect":
            connection.ended = message.get("code") in CLEAN and connection.closed_with is None
            if connection.handling is None:
                self._over(connection)
        elif message["type"] == "websocket.receive":
            connection.inbox.append(message.get("text"))
            if connection.handling is None:
                self._start_handling(connection)

    def _start_handling(self, connection: Connection) -> None:
        connection.handling = asyncio.get_running_loop().create_task(self._handle_all(connection))
        connection.handling.add_done_callback(partial(self._handled_all, connection))

    async def _handle_all(self, connection: Connection) -> None:
        """Handle what it sent, one message after the other."""
        while connection.inbox and not connection.gone:
            text = connection.inbox.pop(0)
            if not connection.inbox:
                connection.sink.go_on()
            await self._handle(connection, text)
            connection.release()

    def _handled_all(self, connection: Connection, task: asyncio.Task[None]) -> None:
        connection.handling = None
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a socket could not be served", exc_info=error)
            connection.sink.abandon()
        if connection.ended is not None:
            self._over(connection)
        elif connection.inbox and not connection.gone:  # it came after the last look
            self._start_handling(connection)

    def _over(self, connection: Connection) -> None:
        """Its client is gone, and none of its messages is in work."""
        if connection.first is not None:
            connection.first.cancel()
        del self._open[connection]
        if not connection.gone:
            connection.closed()
        revoked = connection.closed_with is close_codes.REVOKED
        self._resumption.ended(connection.heir, clean=connection.ended is True, revoked=revoked)
        self._discount(connection.session_id)

    async def _handle(self, connection: Connection, text: str | None) -> None:
        if text is None:
            connection.close(close_codes.BINARY)
            return
        subscriber = connection.subscriber
        if not connection.bucket.allows(time.monotonic()):
            self._streaming.send(
                subscriber,
                answers.error("rate_limited", f"more than {MESSAGES_PER_SECOND:g} messages a second", now_ms()),
            )
            connection.close(close_codes.RATE_LIMITED)
            return
        try:
            message = decode_message(text)
        except BadMessage as error:
            self._streaming.send(subscriber, answers.error(error.code, str(error), now_ms(), error.ref))
        except msgspec.DecodeError as error:  # a number out of range, in a member we do not know
            self._streaming.send(subscriber, answers.error("bad_json", str(error), now_ms()))
        else:
            await self._dispatch(connection, message)

    async def _dispatch(self, connection: Connection, message: Message) -> None:
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
                self._streaming.send(subscriber, answers.message("pong", answers.EMPTY, now_ms(), message.ref))
            case "auth":
                await self._reauthenticate(connection, message)
            case _:
                text = "types are subscribe, unsubscribe, credit, ping and auth"
                self._streaming.send(subscriber, answers.error("unknown_type", text, now_ms(), message.ref))

    async def _reauthenticate(self, connection: Connection, message: Message) -> None:
        text = "token: not a valid one of this user"
        try:
            identity = await self._holder_of(message)
        except CannotCheck:
            identity, text = None, "token: cannot be checked now"
        if identity is None or not identity.same_holder(connection.identity):
            self._streaming.send(connection.subscriber, answers.error("bad_request", text, now_ms(), message.ref))
            return
        connection.renew(identity)
        self._confirm(connection, message)

    async def _holder_of(self, message: Message) -> Identity | None:
        """The user of the token in a message; None if it has no valid one. Raises CannotCheck."""
        if message.type != "auth" or not isinstance(message.token, str):
            return None
        try:
            return await self._authority.identify(message.token)
        except BadToken:
            return None

    def _confirm(self, connection: Connection, message: Message) -> None:
        ends = answers.Expiring(iso(connection.identity.expires_at * 1_000))
        self._streaming.send(connection.subscriber, answers.message("authenticated", ends, now_ms(), message.ref))

    def refusal(self, identity: Identity) -> str | None:
        """Why the session may not open another socket now: overload or session_sockets; None if it may."""
        if self._no_room:
            return "overload"
        return "session_sockets" if self._full(identity) else None

    @contextmanager
    def counted(self, identity: Identity) -> Iterator[None]:
        """The session has one socket more while this lasts."""
        self._count(identity.session_id)
        try:
            yield
        finally:
            self._discount(identity.session_id)

    def _count(self, session_id: str) -> None:
        self._of_session[session_id] = self._of_session.get(session_id, 0) + 1

    def _discount(self, session_id: str) -> None:
        self._of_session[session_id] -= 1
        if not self._of_session[session_id]:
            del self._of_session[session_id]

    @contextmanager
    def joined(self, connection: Open) -> Iterator[None]:
        """The connection is one of the open ones while this lasts."""
        self._open[connection] = None
        try:
            if self._authority.ended(connection.identity):  # while its start was looked up
                connection.close(close_codes.REVOKED)
            elif not self.accepting:
                connection.close(close_codes.RESTART)
            else:
                connection.see_as(self._authority.current(connection.identity))
            yield
        finally:
            del self._open[connection]

    @property
    def _no_room(self) -> bool:
        return not self.accepting or self.count >= self._settings.max_sockets

    def _full(self, identity: Identity) -> bool:
        return self._of_session.get(identity.session_id, 0) >= self._settings.max_sockets_per_session
