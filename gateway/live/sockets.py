"""The server's side of a WebSocket: uvicorn's protocol plus a sink that takes framed bytes directly.

FastAPI keeps routing and handshake. Data frames bypass the per-message ASGI `send`: they go to the transport as
they are, and the socket says when its buffer is full, when it has room again and when it is gone. Where another
server is underneath (a test client), `AsgiSink` does the same through `send`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any, Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

from gateway.core.framing import PING, payloads
from gateway.core.subscriber import Write
from schemas.close_codes import BAD_UTF8, RESTART, CloseCode

EXTENSION = "catalogizer.sink"
REQUEST_SECONDS = 10.0
USER_TIMEOUT_MS = 15_000


class Watcher(Protocol):
    """Who is told what happens to a socket."""

    def paused(self) -> None:
        """The buffer is full."""

    def drained(self) -> None:
        """The buffer has room again."""

    def ponged(self) -> None:
        """The client answered a ping."""

    def closed(self) -> None:
        """Nothing may be written any more."""


class Sink(Protocol):
    """What a connection needs of its socket."""

    watcher: Watcher | None

    @property
    def write(self) -> Write:
        """Takes framed bytes to the client; not to be called after `closed`."""

    def ping(self) -> None:
        """Ping, unless data is still on its way to the client (then it is the data that must be answered for)."""

    def close(self, code: CloseCode) -> None:
        """Close from our side."""


class SocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol, which is a Sink as well. `write` takes framed bytes to the transport."""

    write: Write

    watcher: Watcher | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Writes are the transport's own: a method of ours between would cost a tenth of each."""
        super().connection_made(transport)
        self.write = self.transport.write

    def ping(self) -> None:
        """A ping of our sweep (uvicorn's own timer per connection is off)."""
        if not self.close_sent and not self.transport.is_closing():
            self.transport.write(PING)

    def close(self, code: CloseCode) -> None:
        """Send the close frame, wait for the client's, then end; the application sees a disconnect."""
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        self._end_of_writes()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code.code, "reason": code.reason})
        self.conn.send_close(code.code, code.reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:  # the client's close frame must be read
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)

    def handle_connect(self, event: Request) -> None:
        """Offer the sink to the application."""
        super().handle_connect(event)
        if hasattr(self, "scope"):  # absent when the handshake was refused
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[EXTENSION] = self

    def pause_writing(self) -> None:
        """The transport's buffer is over its high-water mark."""
        super().pause_writing()
        if self.watcher is not None:
            self.watcher.paused()

    def resume_writing(self) -> None:
        """The transport's buffer is below its low-water mark."""
        super().resume_writing()
        if self.watcher is not None:
            self.watcher.drained()

    def handle_pong(self, event: Frame) -> None:
        """Any pong says that the client lives."""
        if self.watcher is not None:
            self.watcher.ponged()

    def handle_close(self, event: Frame) -> None:
        """The client closes."""
        self._end_of_writes()
        super().handle_close(event)

    def handle_parser_exception(self) -> None:
        """The client broke the protocol."""
        self._end_of_writes()
        super().handle_parser_exception()

    def send_receive_event_to_app(self) -> None:
        """Refuse text that is not UTF-8 with 1007 and without a traceback in the log."""
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames = []
                self.conn.send_close(BAD_UTF8.code, BAD_UTF8.reason)
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._end_of_writes()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """The server ends."""
        if self.handshake_complete and not self.close_sent:
            self.close(RESTART)
        else:
            self._end_of_writes()
        super().shutdown()

    async def send(self, message: ASGISendEvent) -> None:
        """ASGI messages; a close ends the sink first."""
        if message["type"] == "websocket.close":
            self._end_of_writes()
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True  # else the server logs an error for each handshake that is refused

    def _end_of_writes(self) -> None:
        if self.watcher is not None:
            watcher, self.watcher = self.watcher, None
            watcher.closed()


class RequestProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with a limit on how long a request may take to arrive (idle and half-sent
    connections would stay for ever)."""

    _guard: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the limit for the first request."""
        super().connection_made(transport)
        self._start_guard()

    def on_message_begin(self) -> None:
        """Start the limit for this request."""
        super().on_message_begin()
        self._start_guard()

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._end_guard()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._end_guard()
        super().connection_lost(exc)

    def _start_guard(self) -> None:
        self._end_guard()
        self._guard = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)

    def _end_guard(self) -> None:
        if self._guard is not None:
            self._guard.cancel()
            self._guard = None


class AsgiSink:
    """A Sink over plain ASGI `send`; unbounded, for test clients only."""

    def __init__(self, websocket: WebSocket) -> None:
        self.watcher: Watcher | None = None
        self._websocket = websocket
        self._due: asyncio.Queue[bytes | CloseCode] = asyncio.Queue()
        self.task = asyncio.create_task(self._send())

    def write(self, data: bytes) -> None:
        """Queue framed bytes."""
        self._due.put_nowait(data)

    def ping(self) -> None:
        """ASGI has no ping: taken as answered."""
        if self.watcher is not None:
            self.watcher.ponged()

    def close(self, code: CloseCode) -> None:
        """Close after what is queued."""
        if self.watcher is not None:
            self.watcher.closed()
            self.watcher = None
        self._due.put_nowait(code)

    async def _send(self) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # the client has gone first
            while not isinstance(due := await self._due.get(), CloseCode):
                for payload in payloads(due):
                    await self._websocket.send_text(payload.decode())
            await self._websocket.close(due.code, due.reason)


def sink_of(websocket: WebSocket) -> Sink:
    """The socket's sink: the server's own, or one over ASGI."""
    sink: Sink | None = websocket.scope.get("extensions", {}).get(EXTENSION)
    return AsgiSink(websocket) if sink is None else sink


def listen(host: str, port: int) -> socket.socket:
    """A bound listening socket whose connections are dropped when their peer acknowledges nothing for 15 s (a
    stuck reader would stay for ever). Raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
        listening.bind(address)
    except OSError:
        listening.close()
        raise
    listening.setblocking(False)
    return listening
