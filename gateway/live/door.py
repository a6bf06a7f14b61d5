"""One accepted connection from accept to close, whatever its protocol: HTTP, a handshake, or frames.

A door owns the transport's reads: bytes are read in small pieces through one buffer that all doors share (`doors`), so that
what a client sends beyond that stays in the kernel. What may arrive when, and how the connection ends, is decided in
`gateway.core` (`life`, `arriving`, `pulse`); writes bypass the door and go to the transport.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import time
from typing import TYPE_CHECKING, Any, Protocol

from gateway.access.proxies import network_of
from gateway.core import life
from gateway.core.arriving import LATE, Refusal
from gateway.core.life import TIMED_OUT, Stage, Step
from gateway.core.pulse import Pulse, Verdict
from gateway.live import tcp
from runtime.waits import COME_BACK_SECONDS

if TYPE_CHECKING:
    from gateway.live.doors import Doors

PIECE_BYTES = 2_048
"""Bytes read of one connection before the next has its turn."""

DISCARDED_BYTES = 262_144
"""Bytes read and discarded after a refusal, so that a client that is still sending can read it; the rest is not read."""

DRAIN_SECONDS = 10.0
"""A connection that is being closed is kept as long as its client takes some of what is written in each such period."""


class Inner(Protocol):
    """The protocol that has the connection now."""

    def connection_made(self, transport: asyncio.Transport, /) -> None:
        """The connection belongs to this protocol from here on."""

    @property
    def read_paused(self) -> bool:
        """True while it does not want to read."""

    def take(self, data: bytes, /) -> int:
        """Bytes arrived; returns how many it took. The rest is for later, or for the connection's next protocol."""

    def eof_received(self) -> None:
        """The client will send nothing more."""

    def pause_writing(self) -> None:
        """The buffer is full."""

    def resume_writing(self) -> None:
        """It has room again."""

    def connection_lost(self, exc: Exception | None, /) -> None:
        """The connection is gone."""

    def refuse(self, refusal: Refusal, /) -> None:
        """Answer with the refusal, if an answer is possible, and read nothing more."""

    def stuck(self) -> None:
        """The client takes nothing: send the reason, if possible, and close."""


class Door(asyncio.BufferedProtocol):
    """One connection."""

    __slots__ = (
        "_came", "_discarded", "_doors", "_given_up", "_inner", "_paused", "_pulse", "_server", "_taken", "_working",
        "address", "client", "life", "pong_due", "transport",
    )  # fmt: skip

    def __init__(self, doors: Doors, server: dict[str, Any]) -> None:
        self.transport: asyncio.Transport
        self.address = self.client = ""
        self.life = life.begin(time.monotonic())
        self.pong_due = False
        """True while a pong is due from the peer, so that its acknowledgements are checked."""
        self._doors = doors
        self._server = server
        self._inner: Inner | None = None
        self._pulse = Pulse()
        self._came = b""
        self._paused = self._working = False
        self._given_up = False
        self._discarded = 0
        self._taken = -1

    # The transport's side.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Admit the connection, or refuse it without reading."""
        self.transport = transport
        peer = transport.get_extra_info("peername")
        self.address = peer[0] if isinstance(peer, tuple) else ""
        exempt = self._doors.admission.exempt(self.address)
        self.client = self.address if exempt else network_of(self.address)
        self._doors.open[self] = None
        refusal = self._doors.admission.enter(self.client)
        if refusal is not None:
            self.refuse(refusal)
            transport.close()
            return
        self.take_over(self._doors.inner(self, self._doors.max_header_bytes, self._doors.arriving, **self._server))

    def get_buffer(self, sizehint: int) -> memoryview:
        """One buffer for all doors: it is emptied in the step in which it is filled."""
        return self._doors.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes arrived."""
        if self.life.stage is Stage.CLOSING:
            self._discard(nbytes)
            return
        was_waiting = bool(self._came)
        self._came += bytes(self._doors.buffer[:nbytes])
        if not was_waiting:
            self._doors.came(self)
        self.go_on()

    def eof_received(self) -> None:
        """The client will send nothing more: the transport closes when everything is written."""
        if self._inner is not None:
            self._inner.eof_received()

    def pause_writing(self) -> None:
        """The buffer is full."""
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        """It has room again."""
        if self._inner is not None:
            self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        del self._doors.open[self]
        self.done()
        self._doors.admission.leave(self.client)
        if self._inner is not None:
            self._inner.connection_lost(exc)

    # The side of the doors' turns.

    @property
    def wanted(self) -> bool:
        """True while it has bytes that may be read now."""
        return bool(self._came) and self.life.stage is not Stage.ANSWERING

    def read(self) -> bool:
        """Give its protocol one piece; True if that completed a request or a handshake."""
        before = self.life.stage
        if before is Stage.CLOSING or self._inner is None or self.transport.is_closing():
            self._came = b""
            return False
        came, self._came = self._came, b""
        try:
            taken = self._inner.take(came[:PIECE_BYTES])
        except BaseException:
            self.transport.abort()
            raise
        self._came = came[taken:]
        after = self.life.stage
        if after is Stage.ANSWERING and not self._working:
            self._working = True
            self._doors.admission.began(self.client)
        return after is not before and after in (Stage.ANSWERING, Stage.HANDSHAKE)

    def wait(self) -> None:
        """Its bytes wait: nothing more is read meanwhile."""
        if not self._paused and not self.transport.is_closing():
            self._paused = True
            self.transport.pause_reading()

    def go_on(self) -> None:
        """Nothing waits any more, except for an answer: read on."""
        if self._came:
            self.wait()
        elif self._paused:
            self._paused = False
            if self._inner is not None and not self._inner.read_paused and not self.transport.is_closing():
                self.transport.resume_reading()

    # The protocols' side.

    def take_over(self, inner: Inner) -> None:
        """The connection belongs to another protocol from here on."""
        self._inner = inner
        inner.connection_made(self.transport)

    def happened(self, step: Step) -> None:
        """Apply a step to its life."""
        self.life.happened(step, time.monotonic())
        if step in (Step.ANSWERED, Step.FINAL_WRITE):
            self.done()
        if step is Step.ANSWERED and self._came:
            self._doors.came(self)
            self.go_on()

    def done(self) -> None:
        """Its client's request is no longer in work; the client's other connections need not wait for it."""
        if self._working:
            self._working = False
            self._doors.done(self.client)

    def refuse(self, refusal: Refusal) -> None:
        """Send the reason and read nothing more."""
        self._doors.ended(refusal.why, self.address)
        self.transport.write(answer_of(refusal))
        self.finish()

    def finish(self) -> None:
        """What is written now is the last: nothing more is read, and the client has a moment to read it."""
        self._came = b""
        self.happened(Step.FINAL_WRITE)
        if not self.transport.is_closing() and self.transport.can_write_eof():
            with contextlib.suppress(OSError):  # it is gone already
                self.transport.write_eof()

    def overrun(self, why: str) -> None:
        """Count an exceeded limit that its protocol answers itself."""
        self._doors.ended(why, self.address)

    # The clock's side.

    def sweep(self, now: float) -> None:
        """Check whether its time is over, or its peer is dead or takes nothing."""
        stage, buffered = self.life.stage, self.transport.get_write_buffer_size()
        if stage is not Stage.CLOSING and self.transport.is_closing():
            self.life.happened(Step.FINAL_WRITE, now)
        elif now >= self.life.ends and not self.wanted and not (buffered and stage is Stage.IDLE):
            self._end_by_time(stage, buffered, now)
        elif buffered or self.pong_due:
            self._judge(buffered, now)
        else:
            self._pulse.rest()

    def _end_by_time(self, stage: Stage, buffered: int, now: float) -> None:
        if stage in TIMED_OUT and self._inner is not None:
            self._inner.refuse(LATE)
        elif stage is not Stage.CLOSING:
            self.transport.close()
        elif not self.transport.is_closing() or (buffered and self._takes(buffered)):
            self.life.ends = now + DRAIN_SECONDS
            self.transport.close()
        else:
            self.transport.abort()

    def _takes(self, buffered: int) -> bool:
        """True if the client has taken something since the last time this was asked (also the first time). The bytes that
        wait in the kernel count: a slow client needs long for those, and none of `buffered` leaves meanwhile."""
        connection = self.transport.get_extra_info("socket")
        before, self._taken = self._taken, -1 if connection is None else tcp.sample(connection, buffered).taken
        return self._taken != before

    def _judge(self, buffered: int, now: float) -> None:
        connection = self.transport.get_extra_info("socket")
        if connection is None or self._inner is None:
            return
        match self._pulse.observe(tcp.sample(connection, buffered), now, self._doors.stuck_seconds):
            case Verdict.DEAD:
                self._doors.ended("dead", self.address)
                self.transport.abort()
            case Verdict.STUCK if not self._given_up:
                self._given_up = True
                self._doors.ended("stuck", self.address)
                self._inner.stuck()
            case _:
                pass

    def _discard(self, size: int) -> None:
        self._discarded += size
        if self._discarded > DISCARDED_BYTES:
            self.transport.pause_reading()


def answer_of(refusal: Refusal) -> bytes:
    """The bytes of a refusal: like every error of the gateway (`rest.edge`), but written below the application."""
    request_id = secrets.token_hex(8)
    body = json.dumps(
        {"error": refusal.code, "message": refusal.message, "request_id": request_id}, separators=(",", ":")
    ).encode()
    retry = f"retry-after: {COME_BACK_SECONDS}\r\n" if refusal.status in (429, 503) else ""
    own = "".join(f"{name}: {value}\r\n" for name, value in refusal.headers)
    head = (
        f"HTTP/1.1 {refusal.status} {refusal.phrase}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\nx-content-type-options: nosniff\r\n"
        f"x-request-id: {request_id}\r\ncache-control: no-store\r\n{retry}{own}\r\n"
    )
    return head.encode() + body
