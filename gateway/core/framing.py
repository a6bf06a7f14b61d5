"""WebSocket framing (RFC 6455 section 5.2) of what a server sends: unmasked, unfragmented.

Frames are built once and shared by all clients, so they are framed here and not per connection.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_FIN_TEXT = 0x81
PING = b"\x89\x00"
"""A ping without payload."""


def text_frame(payload: bytes) -> bytes:
    """`payload`, UTF-8, as one text frame."""
    size = len(payload)
    if size < 126:
        return bytes((_FIN_TEXT, size)) + payload
    if size < 65_536:
        return struct.pack(">BBH", _FIN_TEXT, 126, size) + payload
    return struct.pack(">BBQ", _FIN_TEXT, 127, size) + payload


def payloads(frames: bytes) -> Iterator[bytes]:
    """The payloads of joined text frames, for servers whose sockets take one message at a time."""
    at = 0
    while at < len(frames):
        size, at = frames[at + 1], at + 2
        if size == 126:
            size, at = struct.unpack_from(">H", frames, at)[0], at + 2
        elif size == 127:
            size, at = struct.unpack_from(">Q", frames, at)[0], at + 8
        yield frames[at : at + size]
        at += size
