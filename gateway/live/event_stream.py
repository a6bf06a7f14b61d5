"""A channel as server-sent events: a subscriber of the hub whose transport is the answer to a request.

It gets what a socket gets that subscribed with `from`, and is a connection like a socket: counted, reviewed, swept, closed.
Beyond `FULL_BYTES` of unsent data it keeps at most what one write of the hub brought: then it is behind, and the hub serves
it from memory or the log at its own pace. A client that takes nothing is ended by the transport (`live.requests`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway import metrics
from gateway.access.tokens import Identity
from gateway.core.event_stream import HEARTBEAT, OPENING, Reading, closing_event
from gateway.core.framing import payloads
from gateway.core.resolve import End, Resolved
from gateway.core.standing import Standing
from gateway.core.subscriber import Options
from gateway.live.connection import deadline_of, viewer_of
from gateway.live.connections import Connections
from gateway.live.fast_list import Through
from gateway.live.requests import LASTING, Lasting
from gateway.live.streaming import Streaming
from gateway.live.subscribing import Subscribing
from schemas import close_codes
from schemas.channels import Channel
from schemas.close_codes import CloseCode

FULL_BYTES = 65_536


class EventStream:
    """One reader. `follow` must be called in the step in which its start was resolved."""

    def __init__(
        self, channel: Channel, identity: Identity, streaming: Streaming, subscribing: Subscribing
    ) -> None:
        self.identity = identity
        self._channel = channel
        self._streaming = streaming
        self._subscribing = subscribing
        self._deadline = deadline_of(identity)
        self._due: list[bytes] = [OPENING]
        self._size = 0
        self._sent_at = time.monotonic()
        self._wake = asyncio.Event()
        self._ended_with: CloseCode | None = None
        self._subscriber = streaming.connect(Through(self._write), viewer_of(identity))
        self._reading: Reading | None = None

    def follow(self, resolved: Resolved, options: Options) -> None:
        """Begin at the resolved start; nothing may be awaited in between."""
        self._reading = Reading(self._channel.name, self._streaming.memory, resolved.start)
        self._subscribing.enter(self._subscriber, self._channel, resolved, End(), options)
        self._streaming.release(self._subscriber)

    # As the other connections are.

    @property
    def gone(self) -> bool:
        """True if nothing may be written any more."""
        return self._subscriber.standing is Standing.ENDED

    def close(self, code: CloseCode) -> None:
        """End the stream: its position, then the reason."""
        if self.gone:
            return
        self._streaming.send_positions(self._subscriber)
        self._ended_with = code
        metrics.CLOSED.labels(str(code.code)).inc()
        self.leave()

    def see_as(self, identity: Identity) -> None:
        """The same user, perhaps with other rights: ends if the channel may no longer be followed."""
        self.identity = identity
        self._streaming.see_as(self._subscriber, viewer_of(identity))
        if self._channel.name not in self._subscriber.subscriptions:
            self.close(close_codes.REVOKED)

    def sweep(self, now: float, wall: float, ping_seconds: float) -> None:
        """Do what is due by time: the token's end; a comment if nothing was sent for a while."""
        if wall >= self._deadline:
            self.close(close_codes.TOKEN_EXPIRED)
        elif not self._due and now - self._sent_at >= ping_seconds:
            self._due.append(HEARTBEAT)
            self._wake.set()

    # The answer's side.

    async def next(self) -> bytes:
        """The bytes to send now; empty at the end."""
        while not self._due and not self.gone:  # what was written may not be for this channel
            self._wake.clear()
            await self._wake.wait()
        data, was_full = b"".join(self._due), self._size >= FULL_BYTES
        self._due.clear()
        self._size = 0
        if was_full and not self.gone:
            self._streaming.drained(self._subscriber)
        self._sent_at = time.monotonic()
        return data

    @property
    def farewell(self) -> bytes:
        """What is sent last."""
        code = self._ended_with
        return b"" if code is None else closing_event(code)

    def leave(self) -> None:
        """The stream is over."""
        self._streaming.leave(self._subscriber)
        self._wake.set()

    def _write(self, frames: bytes) -> None:
        """Called by the hub with framed payloads, in order."""
        if self._reading is None:
            return
        was_full = self._size >= FULL_BYTES
        for payload in payloads(frames):
            if event := self._reading.event(payload):
                self._due.append(event)
                self._size += len(event)
        self._wake.set()
        if self._size >= FULL_BYTES and not was_full:
            self._streaming.filled(self._subscriber)


class EventStreamAnswer(Response):
    """The answer to a request for a stream; it lasts until the reader leaves. `begin` makes the stream, in the step in which
    the first byte is due; `connections` counts it."""

    media_type = "text/event-stream"

    def __init__(
        self, connections: Connections, identity: Identity, begin: Callable[[], Awaitable[EventStream]]
    ) -> None:
        super().__init__(headers={"X-Accel-Buffering": "no"})
        self.raw_headers = [(k, v) for k, v in self.raw_headers if k not in (b"content-length", b"content-type")]
        self.raw_headers.append((b"content-type", b"text/event-stream"))
        self._connections = connections
        self._identity = identity
        self._begin = begin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        if scope["state"].get("head"):
            await send(start)
            await send({"type": "http.response.body", "body": b""})
            return
        with self._connections.counted(self._identity):
            stream = await self._begin()
            with self._connections.joined(stream):
                await send(start)
                await _converse(stream, scope, receive, send)


async def _converse(stream: EventStream, scope: Scope, receive: Receive, send: Send) -> None:
    lasting: Lasting | None = scope.get("extensions", {}).get(LASTING)
    if lasting is not None:
        lasting.lasts(closing_event(close_codes.TOO_SLOW))
    leaving = asyncio.create_task(_until_gone(stream, receive))
    try:
        while data := await stream.next():
            await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": stream.farewell})
    finally:
        stream.leave()
        leaving.cancel()


async def _until_gone(stream: EventStream, receive: Callable[[], Awaitable[Any]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.leave()
