"""WebSocket framing (RFC 6455 section 5.2) of what a server sends: unmasked, unfragmented.

Payloads are built once and shared by all clients, and so are their frames: a `Bundle` is framed once, however many clients
it goes to. Another transport frames the same payloads in its own way.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache

_FIN_TEXT = 0x81
_PING = 0x89


def ping_frame(payload: bytes) -> bytes:
    """A ping; its pong has the same payload, of at most 125 bytes (RFC 6455 section 5.5.2)."""
    return bytes((_PING, len(payload))) + payload


def text_frame(payload: bytes) -> bytes:
    """`payload`, UTF-8, as one text frame."""
    return _header(len(payload)) + payload


@lru_cache(16)
def shared_text_frames(payloads: tuple[bytes, ...]) -> bytes:
    """`text_frames` for sockets that replay the same at about the same time: joined once for all of them."""
    return text_frames(payloads)


def text_frames(payloads: Sequence[bytes]) -> bytes:
    """Each of `payloads` as a text frame, joined for one write."""
    parts = [b""] * (2 * len(payloads))
    parts[::2] = map(_header, map(len, payloads))
    parts[1::2] = payloads
    return b"".join(parts)


class Bundle:
    """Payloads that go out together, framed at most once however many clients share them."""

    __slots__ = ("_text_frames", "payloads")

    def __init__(self, payloads: Sequence[bytes]) -> None:
        self.payloads = payloads
        self._text_frames = b""

    def text_frames(self) -> bytes:
        """As WebSocket text frames."""
        if not self._text_frames:
            self._text_frames = text_frames(self.payloads)
        return self._text_frames


def payloads(frames: bytes) -> Iterator[bytes]:
    """The payloads of joined text frames, for a transport that frames them in its own way."""
    at = 0
    while at < len(frames):
        size, at = frames[at + 1], at + 2
        if size == 126:
            size, at = struct.unpack_from(">H", frames, at)[0], at + 2
        elif size == 127:
            size, at = struct.unpack_from(">Q", frames, at)[0], at + 8
        yield frames[at : at + size]
        at += size


@lru_cache(4_096)  # events have few different sizes, and a replay frames a hundred a turn
def _header(size: int) -> bytes:
    if size < 126:
        return bytes((_FIN_TEXT, size))
    if size < 65_536:
        return struct.pack(">BBH", _FIN_TEXT, 126, size)
    return struct.pack(">BBQ", _FIN_TEXT, 127, size)
