"""uvicorn's HTTP protocol behind a door: one request of a connection in work at a time, each within its limits.

uvicorn limits nothing: not the address, the headers, trailers (which it adds to the headers of the request in work), nor the
requests that wait for their turn; and it starts the application for a request of which only the head is there. Here the
parser gets pieces that end where a request may end, each counted first (`core.arriving`); the application starts when the
request is complete, so a request that never ends costs only its bytes; and what arrives while an answer is made waits.
"""

from __future__ import annotations

from typing import Any, Protocol

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from websockets.datastructures import Headers
from websockets.http11 import Request

from gateway.core.arriving import MALFORMED, AllArriving, Arriving, Refusal, end_of_piece
from gateway.core.life import Stage, Step
from gateway.errors import GatewayError
from gateway.live.door import Door
from gateway.live.sockets import SocketProtocol

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LASTING = "catalogizer.lasting"


class Lasting(Protocol):
    """For answers without an end: what they need of their connection; in the request's scope, among the extensions."""

    def lasts(self, final_piece: bytes) -> None:
        """The answer has no end of its own: other requests of its client need not wait for it. `final_piece` is its last
        piece if the client takes nothing."""


class TooMuch(GatewayError):
    """A limit of `core.arriving` is exceeded; raised through the parser, which it stops."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(refusal.message)


class RequestProtocol(HttpToolsProtocol):
    """HTTP on one connection, until it becomes a WebSocket."""

    read_paused = False

    def __init__(self, door: Door, max_header_bytes: int, all_arriving: AllArriving, **server: Any) -> None:
        super().__init__(**server)
        self._door = door
        self._max_header_bytes = max_header_bytes
        self._all = all_arriving
        self._count = Arriving(max_header_bytes, all_arriving)
        self._before = b""
        self._body = bytearray()
        self._final_piece = b""

    def take(self, data: bytes) -> int:
        """Feed the parser piece by piece up to the end of a request; returns how many bytes that were."""
        at = 0
        while at < len(data) and self._door.life.stage not in (Stage.ANSWERING, Stage.CLOSING):
            end = end_of_piece(self._before, data, at, self._count.at_most(len(data) - at))
            self._feed(data[at:end])
            at = end
            if self._door.life.stage is Stage.HANDSHAKE:
                self._upgrade()
                break
        return at

    def refuse(self, refusal: Refusal) -> None:
        """Answer with the refusal; what has arrived of the request is dropped."""
        if self.scope is not None:
            self.headers = self.scope["headers"] = []
        self._body = bytearray()
        self._count.over()
        self.parser = httptools.HttpRequestParser(self)  # the old one has parts of the request too
        self._door.refuse(refusal)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._count.over()
        super().connection_lost(exc)

    def stuck(self) -> None:
        """The client does not take its answer; if the answer has no end, the final piece is sent in case it takes some."""
        if not self._final_piece:
            self.transport.abort()
            return
        piece = self._final_piece
        chunk = b"%x\r\n%b\r\n0\r\n\r\n" % (len(piece), piece)
        self.transport.write(chunk if self.cycle.chunked_encoding else piece)
        self._door.finish()
        self.transport.close()

    def lasts(self, final_piece: bytes) -> None:
        """See `Lasting`."""
        self._final_piece = final_piece
        self._door.done()

    # The parser's side.

    def on_message_begin(self) -> None:
        """The first byte of a request; two requests in one piece (bare line ends) are malformed."""
        if self._door.life.stage not in (Stage.FRESH, Stage.IDLE):
            raise TooMuch(MALFORMED)
        super().on_message_begin()
        extensions: dict[str, Any] = {LASTING: self}
        self.scope["extensions"] = extensions
        self._door.happened(Step.BEGAN)

    def on_url(self, url: bytes) -> None:
        """A part of the address."""
        _check(self._count.addressed(len(url)))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer, which is ignored."""
        size = len(name) + len(value)
        if self._door.life.stage is not Stage.HEAD:
            _check(self._count.trailer(size))
            return
        _check(self._count.header(size))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is complete. A client that waits to be allowed to send the body (RFC 9110 section 10.1.1) is, here."""
        handshake = self.parser.should_upgrade() and self._should_upgrade()
        _check(self._count.declared(self.headers, handshake=handshake))
        if handshake:
            self._door.happened(Step.UPGRADE_REQUESTED)
            super().on_headers_complete()
            return
        self._door.happened(Step.HEADED)
        if self.expect_100_continue:
            self.expect_100_continue = False
            self.transport.write(CONTINUE)

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        _check(self._count.bodied(len(body)))
        self._body += body

    def on_message_complete(self) -> None:
        """The request is complete: the application starts, and the next request is counted anew."""
        self._count.over()
        self._count, self._before = Arriving(self._max_header_bytes, self._all), b""
        if self._door.life.stage is Stage.HANDSHAKE:
            return
        super().on_headers_complete()
        self.cycle.body, self._body = self._body, bytearray()
        super().on_message_complete()
        self._door.happened(Step.WHOLE)

    # The application's side.

    def on_response_complete(self) -> None:
        """Answered. The door times the wait for the next request."""
        super().on_response_complete()
        self._final_piece = b""
        self._unset_keepalive_if_required()
        if self.transport.is_closing():
            self._door.happened(Step.FINAL_WRITE)
            return
        self._door.happened(Step.ANSWERED)

    # Steps of the above.

    def _feed(self, piece: bytes) -> None:
        before = self._door.life.stage
        self._before = (self._before + piece)[-3:]
        try:
            _check(self._came(before, len(piece)))
            self.parser.feed_data(piece)
            if before is self._door.life.stage and before in (Stage.FRESH, Stage.IDLE):
                _check(self._count.blanks(len(piece)))
        except TooMuch as error:
            self.refuse(error.refusal)
        except httptools.HttpParserUpgrade:
            if self._door.life.stage is not Stage.HANDSHAKE:
                self.cycle.keep_alive = False  # to an unsupported protocol: answered, and the parser has ended
        except httptools.HttpParserError as error:
            cause = error.__context__
            self.refuse(cause.refusal if isinstance(cause, TooMuch) else MALFORMED)

    def _came(self, stage: Stage, size: int) -> Refusal | None:
        match stage:
            case Stage.HEAD:
                return self._count.came_in_head(size)
            case Stage.BODY:
                return self._count.came_in_body(size)
            case _:
                return None

    def _upgrade(self) -> None:
        """Hand the connection over. The WebSocket's own parser does not see the handshake: for handshakes that it rejects
        (a header of more than 8 kB) it would not send an answer."""
        try:
            path = self.url.decode("ascii")
        except UnicodeDecodeError:
            self.refuse(MALFORMED)
            return
        headers = Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in self.headers)
        request = Request(path, headers, self.scope["method"], f"HTTP/{self.scope['http_version']}")
        self.connections.discard(self)
        protocol = SocketProtocol(
            self._door, config=self.config, server_state=self.server_state, app_state=self.app_state
        )
        self._door.take_over(protocol)
        protocol.begin(request)


def _check(refusal: Refusal | None) -> None:
    if refusal is not None:
        raise TooMuch(refusal)
