"""How much of a request may arrive, and the answer if more arrives: one table of refusals, one count per request.

Counts what the parser reports (address, headers, body). A parser reports nothing before it is complete, so the raw bytes
are counted as they arrive, too. Knows no socket.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_ADDRESS_BYTES = 8_192
MAX_HEADERS = 128
MAX_BODY_BYTES = 65_536
MAX_TRAILER_BYTES = 4_096
CHUNK_ROOM_BYTES = 65_536
"""Bytes of chunk sizes and chunk extensions around one body, at most."""

MAX_ALL_BYTES = 8_388_608
"""Bytes of all incomplete requests of all connections together. Beyond that, a request is refused that has more than
FEW_BYTES of them."""

FEW_BYTES = 8_192
MAX_BLANK_BYTES = 64
"""Empty lines before a request, which a server should skip (RFC 9112 section 2.2)."""

_REQUEST_LINE_ROOM = MAX_ADDRESS_BYTES + 256
_HEADER_OVERHEAD = 4
"""`: ` and the line's end."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP answer after which the connection ends. `why`: the reason's name in metrics and the log."""

    status: int
    phrase: str
    code: str
    why: str
    message: str
    headers: tuple[tuple[str, str], ...] = ()
    """Headers of this status, in addition to those of every answer."""


MALFORMED = Refusal(400, "Bad Request", "bad_request", "malformed", "not an HTTP/1.1 request")
HANDSHAKE_BODY = Refusal(400, "Bad Request", "bad_request", "handshake_body", "a handshake has no body")
EARLY = Refusal(400, "Bad Request", "bad_request", "early", "nothing may follow a handshake before its answer")
HANDSHAKE = Refusal(
    400,
    "Bad Request",
    "bad_request",
    "handshake",
    "not the handshake of a WebSocket (RFC 6455, section 4.2.1): one Sec-WebSocket-Key of 16 bytes in base64,"
    " Sec-WebSocket-Version 13, at most one Origin",
    (("sec-websocket-version", "13"),),
)
HANDSHAKE_METHOD = Refusal(
    405,
    "Method Not Allowed",
    "method_not_allowed",
    "handshake_method",
    "a handshake is a GET",
    (("allow", "GET"),),
)
HANDSHAKE_UPGRADE = Refusal(
    426,
    "Upgrade Required",
    "upgrade_required",
    "handshake_upgrade",
    "a handshake has one Upgrade, to websocket",
    (("upgrade", "websocket"),),
)
HANDSHAKE_HTTP = Refusal(
    505, "HTTP Version Not Supported", "http_version_not_supported", "handshake_http", "a handshake is HTTP/1.1"
)
HANDSHAKES = {refusal.status: refusal for refusal in (HANDSHAKE_METHOD, HANDSHAKE_UPGRADE, HANDSHAKE_HTTP)}
"""By the status that the WebSocket's own parser gives; HANDSHAKE is for all others."""

LATE = Refusal(408, "Request Timeout", "request_timeout", "late", "the request did not arrive in time")
BODY = Refusal(413, "Content Too Large", "too_large", "body", "body too large")
ADDRESS = Refusal(414, "URI Too Long", "address_too_long", "address", "address too long")
HEADERS = Refusal(431, "Request Header Fields Too Large", "headers_too_large", "headers", "headers too large")
TRAILERS = Refusal(431, "Request Header Fields Too Large", "headers_too_large", "trailers", "trailers too large")
PER_ADDRESS = Refusal(
    429,
    "Too Many Requests",
    "too_many_requests",
    "connections_of_address",
    "too many connections from this address",
)
FULL = Refusal(503, "Service Unavailable", "unavailable", "connections", "too many connections")
BUSY = Refusal(503, "Service Unavailable", "unavailable", "arriving", "too many requests are arriving")


@dataclass(slots=True)
class AllArriving:
    """Bytes of all incomplete requests."""

    total: int = 0


@dataclass(slots=True)
class Arriving:
    """The counts of one request. Every method returns a refusal if it is too much, else None."""

    max_header_bytes: int
    all: AllArriving
    blank: int = 0
    address: int = 0
    header_bytes: int = 0
    headers: int = 0
    trailer_bytes: int = 0
    body: int = 0
    raw_head: int = 0
    raw_body: int = 0
    counted: int = 0
    length: int | None = None
    """Of the body, if it is declared."""

    def blanks(self, size: int) -> Refusal | None:
        """Bytes arrived before a request's first line."""
        self.blank += size
        return MALFORMED if self.blank > MAX_BLANK_BYTES else None

    def came_in_head(self, size: int) -> Refusal | None:
        """Bytes of an incomplete head arrived."""
        self.raw_head += size
        if self.raw_head > _REQUEST_LINE_ROOM + self.max_header_bytes:
            return HEADERS
        return self._among_all(size)

    def came_in_body(self, size: int) -> Refusal | None:
        """Bytes of an incomplete body arrived, chunk sizes and extensions included."""
        self.raw_body += size
        if self.raw_body > MAX_BODY_BYTES + CHUNK_ROOM_BYTES:
            return BODY
        return self._among_all(size)

    def _among_all(self, size: int) -> Refusal | None:
        self.all.total += size
        self.counted += size
        return BUSY if self.all.total > MAX_ALL_BYTES and self.counted > FEW_BYTES else None

    def over(self) -> None:
        """The request is complete, or will never be."""
        self.all.total -= self.counted
        self.counted = 0

    def addressed(self, size: int) -> Refusal | None:
        """A part of the address arrived."""
        self.address += size
        return ADDRESS if self.address > MAX_ADDRESS_BYTES else None

    def header(self, size: int) -> Refusal | None:
        """A header of `size` bytes, name and value, arrived."""
        self.headers += 1
        self.header_bytes += size + _HEADER_OVERHEAD
        return HEADERS if self.headers > MAX_HEADERS or self.header_bytes > self.max_header_bytes else None

    def trailer(self, size: int) -> Refusal | None:
        """The same, after a chunked body."""
        self.trailer_bytes += size + _HEADER_OVERHEAD
        return TRAILERS if self.trailer_bytes > MAX_TRAILER_BYTES else None

    def declared(self, headers: list[tuple[bytes, bytes]], *, handshake: bool) -> Refusal | None:
        """The head is complete: check what it declares about the body."""
        for name, value in headers:
            if name == b"transfer-encoding" and handshake:
                return HANDSHAKE_BODY
            if name == b"content-length":
                if handshake and value.strip(b"0"):
                    return HANDSHAKE_BODY
                if not value.isdigit():
                    return MALFORMED
                if len(value) > len(str(MAX_BODY_BYTES)) or int(value) > MAX_BODY_BYTES:
                    return BODY
                self.length = int(value)
        return None

    def at_most(self, size: int) -> int:
        """How much of `size` bytes can still belong to this request."""
        return size if self.length is None else min(size, max(1, self.length - self.body))

    def bodied(self, size: int) -> Refusal | None:
        """A part of the body arrived."""
        self.body += size
        return BODY if self.body > MAX_BODY_BYTES else None


def end_of_piece(before: bytes, data: bytes, start: int, longest: int) -> int:
    """Where to cut `data`, which continues at `start` after `before` (the last three bytes, or fewer, of this request):
    after the first empty line, so that no piece contains parts of two requests, and after at most `longest` bytes."""
    known = len(before)
    found = (before + data[start : start + longest]).find(b"\r\n\r\n")
    return min(len(data), start + longest) if found < 0 else start + found + 4 - known
