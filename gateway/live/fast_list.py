"""One delivery to many sockets: one system call for each, without a line of Python between two of them.

A connection's bytes may bypass its transport only while the transport's buffer is empty: otherwise they would overtake what
waits there, in the middle of a frame. `Outlet` keeps that rule for one connection. Its `send` is the socket's own while the
buffer is known to be empty (the connection is on the fast list), and otherwise returns that nothing was sent; then the bytes
go through the transport, after what waits there. Any other write to the transport takes the connection off the list first,
and so does its end. TLS connections are never on it. Knows neither events nor frames.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from operator import methodcaller
from typing import Protocol

NOTHING_SENT = -1


class Sends(Protocol):
    """A non-blocking socket, or its substitute."""

    def send(self, data: bytes, /) -> int:
        """How many bytes the kernel took. Raises OSError."""


class Outlet(Protocol):
    """Where the bytes of one subscriber go."""

    @property
    def fast(self) -> Sends:
        """Takes a delivery completely, in part, or not at all."""

    def __call__(self, data: bytes, /) -> None:
        """Write after everything that was written before."""

    def rest(self, data: bytes, sent: int, /) -> None:
        """`fast` took the first `sent` bytes of `data`, or none: write the rest."""


class _Off:
    """Replaces the socket of a connection that is not on the fast list."""

    __slots__ = ()

    def send(self, data: bytes, /) -> int:
        return NOTHING_SENT


OFF = _Off()


class Direct:
    """The outlet of a connection with a transport: directly to its socket if possible."""

    __slots__ = ("_own", "_transport", "fast")

    def __init__(self, transport: asyncio.Transport) -> None:
        self.fast: Sends = OFF
        self._transport = transport
        self._own = _second_socket(transport)

    def __call__(self, data: bytes, /) -> None:
        """Write through the transport."""
        self.fast = OFF
        self._transport.write(data)

    def rest(self, data: bytes, sent: int, /) -> None:
        """Write through the transport, unless its buffer is empty again: then the connection is back on the list."""
        if self.fast is OFF and self._may_be_fast() and self._own is not None:
            self.fast = self._own
            try:
                sent = self._own.send(data)
            except OSError:  # it takes nothing now, or is broken, which the transport will notice
                sent = NOTHING_SENT
        if sent < len(data):
            self.fast = OFF
            self._transport.write(data[sent:] if sent > 0 else data)

    def off(self) -> None:
        """Something else is about to write to the transport, or to close it."""
        self.fast = OFF

    def end(self) -> None:
        """The connection is lost: its descriptor, which is the transport's, may be reused for another."""
        self.fast = OFF
        if self._own is not None:
            self._own.detach()
            self._own = None

    def _may_be_fast(self) -> bool:
        return not self._transport.is_closing() and self._transport.get_write_buffer_size() == 0


class Through:
    """The outlet of a transport that takes bytes through one function only."""

    __slots__ = ("_write",)

    fast: Sends = OFF

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write

    def __call__(self, data: bytes, /) -> None:
        """Pass it on."""
        self._write(data)

    def rest(self, data: bytes, sent: int, /) -> None:
        """Pass it on."""
        self._write(data)


def deliver(data: bytes, outlets: Sequence[Outlet]) -> None:
    """Write `data`, whole frames, to each."""
    sent: list[int] = []
    sending = map(methodcaller("send", data), [outlet.fast for outlet in outlets])
    while True:
        try:
            sent.extend(sending)
            break
        except OSError:  # of one socket; earlier results are in the list, and the iterator continues after it
            sent.append(NOTHING_SENT)
    size = len(data)
    if sent.count(size) == len(sent):
        return
    for outlet, taken in zip(outlets, sent, strict=True):
        if taken != size:
            outlet.rest(data, taken)


def _second_socket(transport: asyncio.Transport) -> socket.socket | None:
    """A socket on the transport's descriptor, which only the transport closes; None if bytes may not bypass the
    transport."""
    known = transport.get_extra_info("socket")
    if known is None or transport.get_extra_info("sslcontext") is not None or known.fileno() < 0:
        return None
    own = socket.socket(known.family, known.type, known.proto, known.fileno())
    own.setblocking(False)
    return own
