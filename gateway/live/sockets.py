"""The server's side of a WebSocket: uvicorn's protocol plus a sink that takes framed bytes directly.

FastAPI does routing and the handshake, and is not needed once a socket is open (`hand_over`): nothing of the handshake, no
task and no request, is kept while the socket is open. Data frames bypass the per-message ASGI `send`: they go to the socket
or the transport (`fast_list`) as they are, and the socket reports when its buffer is full, when it has room again and when
it is gone.
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
"""Bytes of frames that are read between two checks of the budget (170 empty frames, 2 ms)."""

CLOSE_SECONDS = 5.0
"""Time for a client to answer our close frame."""

OnMessage: TypeAlias = Callable[[ASGIReceiveEvent], None]
"""Takes what ASGI calls `websocket.receive`, and in the end one `websocket.disconnect` or several."""

_EMPTY_HANDSHAKE = b"GET / HTTP/1.1\r\n\r\n"


class Watcher(Protocol):
    """Is notified of what happens to a socket."""

    def paused(self) -> None:
        """The buffer is full."""

    def drained(self) -> None:
        """The buffer has room again."""

    def ponged(self, payload: bytes) -> None:
        """A pong arrived (unsolicited ones included)."""

    def refused(self, code: CloseCode) -> None:
        """The client exceeded a limit of the connection: close it with `code`."""

    def closed(self) -> None:
        """Nothing may be written any more."""


class Sink(Protocol):
    """What a connection needs of its socket."""

    watcher: Watcher | None

    @property
    def write(self) -> Outlet:
        """Takes framed bytes to the client; not to be used after `closed`."""

    def hand_over(self, on_message: OnMessage) -> None:
        """Pass what the client sends to `on_message` from here on, what waits first; the application may return. After a
        message nothing more is read until `go_on`."""

    def go_on(self) -> None:
        """The last message is in work: the next may be read."""

    def abandon(self) -> None:
        """End the connection without a close frame: serving it has failed."""

    def ping(self, payload: bytes) -> None:
        """Send a ping after what was written; its pong, with the payload (at most 125 bytes), proves that all arrived."""

    def close(self, code: CloseCode) -> None:
        """Close the socket."""


class _Handed:
    """Replaces the queue of messages for the application after `hand_over`."""

    __slots__ = ("put_nowait",)

    def __init__(self, on_message: OnMessage) -> None:
        self.put_nowait = on_message

    def empty(self) -> bool:
        """Nothing waits here."""
        return True


class SocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol behind a door, which is a Sink as well. `write` takes framed bytes; what arrives is read
    in pieces and within a budget (`core.frame_budget`). Every other write here takes the connection off the fast list."""

    write: Direct

    watcher: Watcher | None = None

    def __init__(self, door: Door, **server: Any) -> None:
        super().__init__(**server)
        self._door = door
        self._budget = FrameBudget(self.loop.time())
        self._unsent_pong = b""
        self.close_timeout = CLOSE_SECONDS

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It can be written to from here on."""
        super().connection_made(transport)
        self.write = Direct(self.transport)

    def begin(self, request: Request) -> None:
        """The handshake, which the door has counted: the library's parser gets an empty one, because it does not answer
        handshakes that exceed its own limits."""
        self.conn.receive_data(_EMPTY_HANDSHAKE)
        self.conn.events_received()
        self.handle_connect(request)

    def hand_over(self, on_message: OnMessage) -> None:
        """Messages bypass the application from here on."""
        waiting, self.queue = self.queue, cast("asyncio.Queue[ASGIReceiveEvent]", _Handed(on_message))
        del self.scope, self.request, self.response
        while not waiting.empty():
            on_message(waiting.get_nowait())

    def go_on(self) -> None:
        """Read on."""
        if self.read_paused and not self.transport.is_closing():
            self.read_paused = False
            self.transport.resume_reading()

    def abandon(self) -> None:
        """End it without a close frame."""
        self._end_of_writes()
        self.transport.close()

    async def run_asgi(self) -> None:
        """Run the application for the handshake only: uvicorn's own method would end the connection with it."""
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
        """Send a ping for our sweep (uvicorn's own timer per connection is off)."""
        if not self.close_sent and not self.transport.is_closing():
            self._door.pong_due = True
            self.write(ping_frame(payload))

    def close(self, code: CloseCode) -> None:
        """Send the close frame, wait for the client's, then end; the application sees a disconnect."""
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        self._end_of_writes()
        while not self.queue.empty():  # nobody reads them any more, and the connection may last a while
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
        """Refuse instead of answering the handshake; the application sees that the client is gone."""
        self.disconnected = self.handshake_complete = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": 1006})
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)
        self._door.refuse(refusal)

    def stuck(self) -> None:
        """The client takes nothing."""
        self._end_with(TOO_SLOW)

    def take(self, data: bytes) -> int:
        """Read frames, a few at a time and while the budget lasts."""
        if self._door.life.stage is Stage.HANDSHAKE:
            self.refuse(EARLY)
            return len(data)
        for at in range(0, len(data), PIECE_BYTES):
            if self.transport.is_closing() or not self._take(data[at : at + PIECE_BYTES]):
                break
        return len(data)

    def handle_connect(self, event: Request) -> None:
        """Offer the sink to the application; handshakes that the library rejects get our own answer, and are counted."""
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
        """Any pong proves that the client is alive."""
        self._door.pong_due = False
        if self.watcher is not None:
            self.watcher.ponged(bytes(event.data))

    def handle_close(self, event: Frame) -> None:
        """The client closes."""
        self._end_of_writes()
        super().handle_close(event)

    def handle_parser_exception(self) -> None:
        """The client broke the protocol: send the reason, and leave a moment to read it (the rest of what it sent, unread,
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
        self._door.finish()

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
        if self.close_sent:  # the library stops reading after a message, but a close frame must follow
            self.go_on()

    def eof_received(self) -> None:
        """The client sends nothing more: the transport closes when what waits is written, and nothing may follow."""
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
        self.write.off()  # after the write: the fast list is safe again only when that has left the buffer
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True  # else the server logs an error for each handshake that is refused
        if message["type"] == "websocket.accept" and self._door.life.stage is Stage.HANDSHAKE:
            self._door.happened(Step.OPENED)

    def _take(self, piece: bytes) -> bool:
        """Read a piece; False if nothing more is to be read."""
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
        self._door.finish()
        return False

    def _end_with(self, code: CloseCode) -> None:
        """Close from the transport's side: through the watcher, if there is one."""
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
