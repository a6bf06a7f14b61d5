"""One delivery to many sockets: one system call for each, made without a line of Python between two of them.

A connection's bytes may go past its transport only while nothing waits in the transport's buffer: else they would overtake
what does, in the middle of a frame. `Outlet` keeps that law for one connection. Its `send` is the socket's own while the
buffer is known to be empty (it is on the fast list), and else answers that nothing was sent; then the bytes go through the
transport, behind what waits there. Whatever else writes to the transport takes the connection off the list first, and so
does its end. TLS connections are never on it. It knows no events and no frames.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from operator import methodcaller
from typing import Protocol

NOTHING_SENT = -1


class Sends(Protocol):
    """A non-blocking socket, or what stands in its place."""

    def send(self, data: bytes, /) -> int:
        """How many bytes the kernel took. Raises OSError."""


class Outlet(Protocol):
    """Where the bytes of one subscriber go."""

    @property
    def fast(self) -> Sends:
        """Takes a delivery whole or in part, or not at all."""

    def __call__(self, data: bytes, /) -> None:
        """Write, behind everything that was written before."""

    def rest(self, data: bytes, sent: int, /) -> None:
        """`fast` took the first `sent` bytes of `data`, or none: write what is left."""


class _Off:
    """In the place of the socket of a connection that is not on the fast list."""

    __slots__ = ()

    def send(self, data: bytes, /) -> int:
        return NOTHING_SENT


OFF = _Off()


class Direct:
    """The outlet of a connection with a transport: straight to its socket where that may be."""

    __slots__ = ("_own", "_transport", "fast")

    def __init__(self, transport: asyncio.Transport) -> None:
        self.fast: Sends = OFF
        self._transport = transport
        self._own = _second_socket(transport)

    def __call__(self, data: bytes, /) -> None:
        """Through the transport."""
        self.fast = OFF
        self._transport.write(data)

    def rest(self, data: bytes, sent: int, /) -> None:
        """Through the transport, unless its buffer has become empty, by which the connection is on the list again."""
        if self.fast is OFF and self._may_be_fast() and self._own is not None:
            self.fast = self._own
            try:
                sent = self._own.send(data)
            except OSError:  # it takes nothing now, or is broken, as the transport will find
                sent = NOTHING_SENT
        if sent < len(data):
            self.fast = OFF
            self._transport.write(data[sent:] if sent > 0 else data)

    def off(self) -> None:
        """Somebody is about to write to the transport, or to close it."""
        self.fast = OFF

    def end(self) -> None:
        """The connection is lost: its descriptor, which is the transport's, may be another's next."""
        self.fast = OFF
        if self._own is not None:
            self._own.detach()
            self._own = None

    def _may_be_fast(self) -> bool:
        return not self._transport.is_closing() and self._transport.get_write_buffer_size() == 0


class Through:
    """The outlet of what takes bytes in no other way than this."""

    __slots__ = ("_write",)

    fast: Sends = OFF

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write

    def __call__(self, data: bytes, /) -> None:
        """Hand it over."""
        self._write(data)

    def rest(self, data: bytes, sent: int, /) -> None:
        """Hand it over."""
        self._write(data)


def deliver(data: bytes, outlets: Sequence[Outlet]) -> None:
    """Write `data`, whole frames, to each."""
    sent: list[int] = []
    sending = map(methodcaller("send", data), [outlet.fast for outlet in outlets])
    while True:
        try:
            sent.extend(sending)
            break
        except OSError:  # of one socket; what was sent before it is in the list, and the iterator stands behind it
            sent.append(NOTHING_SENT)
    size = len(data)
    if sent.count(size) == len(sent):
        return
    for outlet, taken in zip(outlets, sent, strict=True):
        if taken != size:
            outlet.rest(data, taken)


def _second_socket(transport: asyncio.Transport) -> socket.socket | None:
    """A socket over the transport's descriptor, which stays the transport's to close; None where bytes may not pass
    the transport by."""
    known = transport.get_extra_info("socket")
    if known is None or transport.get_extra_info("sslcontext") is not None or known.fileno() < 0:
        return None
    own = socket.socket(known.family, known.type, known.proto, known.fileno())
    own.setblocking(False)
    return own
