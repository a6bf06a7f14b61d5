"""The server's side of a WebSocket: uvicorn's protocol plus a sink that takes framed bytes directly.

FastAPI keeps routing and handshake, and is left behind once a socket is open (`hand_over`): nothing of the handshake, no
task and no request, is kept as long as the socket lives. Data frames bypass the per-message ASGI `send`: they go to the
socket or the transport (`fast_list`) as they are, and the socket says when its buffer is full, when it has room again and
when it is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, cast

from starlette.websockets import WebSocket
from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CTRL_OPCODES, Frame
from websockets.http11 import Request

from gateway.core.arriving import EARLY, HANDSHAKE, HANDSHAKES, Refusal
from gateway.core.frame_budget import FrameBudget
from gateway.core.framing import ping_frame
from gateway.core.life import Stage, Step
from gateway.live.door import Door
from gateway.live.fast_list import Direct, Outlet
from schemas.close_codes import BAD_UTF8, RATE_LIMITED, RESTART, TOO_SLOW, CloseCode

EXTENSION = "catalogizer.sink"
PIECE_BYTES = 1_024
"""Frames of at most so many bytes are read between two looks at the budget (170 empty ones, 2 ms)."""

CLOSE_SECONDS = 5.0
"""So long a client has to answer our close frame."""

Hear: TypeAlias = Callable[[ASGIReceiveEvent], None]
"""Takes what ASGI calls `websocket.receive`, and in the end one `websocket.disconnect` or several."""

_EMPTY_HANDSHAKE = b"GET / HTTP/1.1\r\n\r\n"


class Watcher(Protocol):
    """Who is told what happens to a socket."""

    def paused(self) -> None:
        """The buffer is full."""

    def drained(self) -> None:
        """The buffer has room again."""

    def ponged(self, payload: bytes) -> None:
        """The client answered a ping, or says so."""

    def refused(self, code: CloseCode) -> None:
        """The client broke a bound of the connection's: close it with `code`."""

    def closed(self) -> None:
        """Nothing may be written any more."""


class Sink(Protocol):
    """What a connection needs of its socket."""

    watcher: Watcher | None

    @property
    def write(self) -> Outlet:
        """Takes framed bytes to the client; not to be used after `closed`."""

    def hand_over(self, hear: Hear) -> None:
        """What the client says goes to `hear` from here on, what waits first, and the application may return. Nothing more
        is read after a message until `go_on`."""

    def go_on(self) -> None:
        """What was heard is in work: the next may come."""

    def abandon(self) -> None:
        """End the connection without a word: serving it has failed."""

    def ping(self, payload: bytes) -> None:
        """Ping behind what was written; the answer has the payload (at most 125 bytes) and proves that all of it arrived."""

    def close(self, code: CloseCode) -> None:
        """Close from our side."""


class _Handed:
    """In the place of the queue of messages for the application, when it is left behind."""

    __slots__ = ("put_nowait",)

    def __init__(self, hear: Hear) -> None:
        self.put_nowait = hear

    def empty(self) -> bool:
        """Nothing waits here."""
        return True


class SocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol behind a door, which is a Sink as well. `write` takes framed bytes; what comes is read
    in pieces and within a budget (`core.frame_budget`). All that writes here takes the connection off the fast list."""

    write: Direct

    watcher: Watcher | None = None

    def __init__(self, door: Door, **server: Any) -> None:
        super().__init__(**server)
        self._door = door
        self._budget = FrameBudget(self.loop.time())
        self._unsent_pong = b""
        self.close_timeout = CLOSE_SECONDS

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """From here on it can be written to."""
        super().connection_made(transport)
        self.write = Direct(self.transport)

    def begin(self, request: Request) -> None:
        """The handshake, which the door has counted: the library's parser gets an empty one, for it answers none that is
        over limits of its own."""
        self.conn.receive_data(_EMPTY_HANDSHAKE)
        self.conn.events_received()
        self.handle_connect(request)

    def hand_over(self, hear: Hear) -> None:
        """The application is left behind."""
        waiting, self.queue = self.queue, cast("asyncio.Queue[ASGIReceiveEvent]", _Handed(hear))
        del self.scope, self.request, self.response
        while not waiting.empty():
            hear(waiting.get_nowait())

    def go_on(self) -> None:
        """Read on."""
        if self.read_paused and not self.transport.is_closing():
            self.read_paused = False
            self.transport.resume_reading()

    def abandon(self) -> None:
        """End it without a word."""
        self._end_of_writes()
        self.transport.close()

    async def run_asgi(self) -> None:
        """The application, for as long as the handshake takes: uvicorn's own would end the connection with it."""
        try:
            await self.app(self.scope, self.receive, self.send)
        except ClientDisconnected:
            pass  # it did not wait for the answer
        except BaseException:
            self.logger.exception("Exception in ASGI application\n")
            self.send_500_response()
        if not isinstance(self.queue, _Handed) and self.close_timer is None:
            self.transport.close()

    def ping(self, payload: bytes) -> None:
        """A ping of our sweep (uvicorn's own timer per connection is off)."""
        if not self.close_sent and not self.transport.is_closing():
            self._door.asked = True
            self.write(ping_frame(payload))

    def close(self, code: CloseCode) -> None:
        """Send the close frame, wait for the client's, then end; the application sees a disconnect."""
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        self._end_of_writes()
        while not self.queue.empty():  # nobody hears them any more, and the connection may linger
            self.queue.get_nowait()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code.code, "reason": code.reason})
        self.conn.send_close(code.code, code.reason)
        self.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:  # the client's close frame must be read
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)

    def refuse(self, refusal: Refusal) -> None:
        """Instead of the handshake's answer; the application sees that the client is gone."""
        self.disconnected = self.handshake_complete = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": 1006})
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)
        self._door.refuse(refusal)

    def stuck(self) -> None:
        """The client takes nothing."""
        self._end_with(TOO_SLOW)

    def take(self, data: bytes) -> int:
        """Frames, a few at a time and as long as the budget holds."""
        if self._door.life.stage is Stage.HANDSHAKE:
            self.refuse(EARLY)
            return len(data)
        for at in range(0, len(data), PIECE_BYTES):
            if self.transport.is_closing() or not self._take(data[at : at + PIECE_BYTES]):
                break
        return len(data)

    def handle_connect(self, event: Request) -> None:
        """Offer the sink to the application; what the library refuses is answered in our words, and counted."""
        status = self.conn.accept(event).status_code
        if status != 101:
            self.refuse(HANDSHAKES.get(status, HANDSHAKE))
            return
        super().handle_connect(event)
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
        if self._unsent_pong and not self.close_sent:
            self.write(self._unsent_pong)
        self._unsent_pong = b""
        if self.watcher is not None:
            self.watcher.drained()

    def handle_ping(self) -> None:
        """Answer; while the client does not read, only its newest ping (RFC 6455 section 5.5.3)."""
        pongs = self.conn.data_to_send()
        if self.close_sent:
            return
        if self.writable.is_set():
            self.write(b"".join(pongs))
        elif pongs:
            self._unsent_pong = pongs[-1]

    def handle_pong(self, event: Frame) -> None:
        """Any pong says that the client lives."""
        self._door.asked = False
        if self.watcher is not None:
            self.watcher.ponged(bytes(event.data))

    def handle_close(self, event: Frame) -> None:
        """The client closes."""
        self._end_of_writes()
        super().handle_close(event)

    def handle_parser_exception(self) -> None:
        """The client broke the protocol: told so, and left a moment to read it (the rest of what it sent, unread,
        would reset the connection)."""
        self._end_of_writes()
        sent = self.conn.close_sent
        if self.close_sent or sent is None:
            self.transport.close()
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": sent.code, "reason": sent.reason})
        self.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)
        self._door.last_word()

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
        if (
            self.close_sent
        ):  # for what it said; the library stops reading after a message, and the client's close frame must come
            self.go_on()

    def eof_received(self) -> None:
        """The client sends nothing more: the transport closes once what waits is written, and nothing may follow."""
        self._end_of_writes()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._end_of_writes()
        self.write.end()
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
        self.write.off()  # what it wrote, it wrote last: it waits before, not after
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True  # else the server logs an error for each handshake that is refused
        if message["type"] == "websocket.accept" and self._door.life.stage is Stage.HANDSHAKE:
            self._door.happened(Step.OPENED)

    def _take(self, piece: bytes) -> bool:
        """Read a piece; False when nothing more is to be read."""
        self.conn.receive_data(piece)
        if self.conn.parser_exc is not None:
            self.handle_parser_exception()
            return False
        events = self.conn.events
        control = sum(isinstance(event, Frame) and event.opcode in CTRL_OPCODES for event in events)
        spent = self._budget.allows(
            self.loop.time(), size=len(piece), frames=len(events), control=control, fragments=len(self.frames)
        )
        if spent:
            self.handle_events()
            return True
        self.conn.events_received()
        self.conn.data_to_send()
        if not self.close_sent:
            self._door.overrun("frames")
            self._end_with(RATE_LIMITED)
        self._door.last_word()
        return False

    def _end_with(self, code: CloseCode) -> None:
        """Close from below: through who watches, if anybody does."""
        if self.watcher is not None:
            self.watcher.refused(code)
        else:
            self.close(code)

    def _end_of_writes(self) -> None:
        self.write.off()
        if self.watcher is not None:
            watcher, self.watcher = self.watcher, None
            watcher.closed()


def sink_of(websocket: WebSocket) -> Sink:
    """The socket's sink."""
    sink: Sink = websocket.scope["extensions"][EXTENSION]
    return sink
