"""The bounds of a connection to the gateway, for docs/security.md: each number is that of the code."""

from __future__ import annotations

from gateway.core import admission, arriving, frame_budget, life, limits, pulse
from gateway.core.arriving import Refusal
from gateway.live import door, doors, handshake, sockets, tcp
from gateway.main import MAX_MESSAGE_BYTES
from gateway.settings import GatewaySettings
from schemas import close_codes
from schemas.channels import CHANNELS
from schemas.close_codes import CloseCode

_DEFAULTS = GatewaySettings()


def _set(name: str) -> str:
    return f"{getattr(_DEFAULTS, name):,g} (`CATALOGIZER_GATEWAY__{name.upper()}`)"


def _status(*refusals: Refusal) -> str:
    return ", ".join(f"{refusal.status}, closed" for refusal in refusals)


def _code(code: CloseCode) -> str:
    return f"close {code.code}"


BOUNDS: tuple[tuple[str, str, str], ...] = (
    ("connections in total", f"`max_sockets` and {admission.REQUEST_CONNECTIONS:,} more, below the limit on open files less"
     f" {admission.OTHER_FILES}", _status(arriving.FULL)),
    ("connections of one IPv4 address or IPv6 /64", _set("max_connections_per_address") + ", half of all at most",
     _status(arriving.PER_ADDRESS)),
    ("WebSockets", _set("max_sockets"), "503 at the handshake"),
    ("WebSockets of one session", _set("max_sockets_per_session"), "429 at the handshake"),
    ("handshakes with bad tokens held at once", f"{handshake.HELD_HANDSHAKES}", "503 at the handshake"),
    ("requests of a connection in work", "1", "read later"),
    ("requests of an address in work", f"{admission.IN_WORK}", "read later"),
    ("reading in one step of the event loop", f"{doors.STEP_SECONDS * 1_000:g} ms; {door.PIECE_BYTES:,} bytes each,"
     " addresses in turn", "read later"),
    ("bytes read ahead of a connection", f"{doors.READ_BYTES:,}", "stay in the kernel"),
    ("address of a request", f"{arriving.MAX_ADDRESS_BYTES:,} bytes", _status(arriving.ADDRESS)),
    ("headers of a request or handshake", f"{arriving.MAX_HEADERS}", _status(arriving.HEADERS)),
    ("their bytes", _set("max_header_bytes"), _status(arriving.HEADERS)),
    ("trailers", f"{arriving.MAX_TRAILER_BYTES:,} bytes", _status(arriving.TRAILERS)),
    ("body, chunked or not", f"{arriving.MAX_BODY_BYTES:,} bytes", _status(arriving.BODY)),
    ("chunk sizes and extensions of a body", f"{arriving.CHUNK_ROOM_BYTES:,} bytes", _status(arriving.BODY)),
    ("empty lines before a request", f"{arriving.MAX_BLANK_BYTES} bytes", _status(arriving.MALFORMED)),
    ("body of a handshake", "none", _status(arriving.HANDSHAKE_BODY)),
    ("bytes before a handshake's answer", "none", _status(arriving.EARLY)),
    ("bytes of all requests that are not whole", f"{arriving.MAX_ALL_BYTES:,}; {arriving.FEW_BYTES:,} of one fit always",
     _status(arriving.BUSY)),
    ("time until a request's first byte", f"{life.REQUEST_SECONDS:g} s", "closed"),
    ("time for a request, head and body", f"{life.REQUEST_SECONDS:g} s", _status(arriving.LATE)),
    ("time between requests", f"{life.IDLE_SECONDS:g} s", "closed"),
    ("read after a refusal", f"{door.DISCARDED_BYTES:,} bytes and {life.LINGER_SECONDS:g} s, thrown away", "closed"),
    ("time for the answer to a close frame", f"{sockets.CLOSE_SECONDS:g} s", "closed"),
    ("a message", f"{MAX_MESSAGE_BYTES:,} bytes", _code(close_codes.TOO_BIG)),
    ("fragments of a message", f"{frame_budget.MAX_FRAGMENTS}", _code(close_codes.RATE_LIMITED)),
    ("messages", f"{limits.MESSAGES_PER_SECOND:g} a second, {limits.MESSAGE_BURST:g} at once",
     _code(close_codes.RATE_LIMITED)),
    ("subscriptions of a socket", f"{len(CHANNELS)}: one a channel, another takes its place", "`error unknown_channel`"),
    ("frames of any kind", f"{frame_budget.FRAMES_PER_SECOND:g} a second, {frame_budget.FRAME_BURST:g} at once",
     _code(close_codes.RATE_LIMITED)),
    ("pings and pongs", f"{frame_budget.CONTROL_PER_SECOND:g} a second, {frame_budget.CONTROL_BURST:g} at once",
     _code(close_codes.RATE_LIMITED)),
    ("bytes of frames", f"{frame_budget.BYTES_PER_SECOND:,.0f} a second, {frame_budget.BYTE_BURST:,.0f} at once",
     _code(close_codes.RATE_LIMITED)),
    ("pongs for a client that does not read", "the newest", "not sent"),
    ("unsent in the kernel", f"{tcp.UNSENT_BYTES:,} bytes of a connection", "written later"),
    ("nothing acknowledged", f"{pulse.DEAD_SECONDS:g} s", "reset"),
    ("nothing taken, no pong", _set("slow_seconds") + " s",
     f"{_code(close_codes.TOO_SLOW)} or {close_codes.NO_PONG.code}; a request's connection is reset"),
    ("a closed connection whose client takes nothing", f"{door.DRAIN_SECONDS:g} s", "reset"),
)  # fmt: skip
