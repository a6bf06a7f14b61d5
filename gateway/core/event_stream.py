"""A socket's payloads as server-sent events (WHATWG HTML, section 9.2): the type of each, and the reader's position then.

The id of every event is a cursor that is right in every partition: a client that reads one channel from a known start, each
partition in order, has after an event the position it had before, except in the event's partition, where it is the offset
after the event. What lies between (events that it may not see, transaction markers) is skipped with the next event or
`position`. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec
from msgspec import UNSET, Struct, UnsetType

from schemas.close_codes import CloseCode
from schemas.cursor import Cursor, decode
from schemas.places import next_offset

RETRY_MS = 2_000
OPENING = b"retry: %d\n\n" % RETRY_MS
HEARTBEAT = b": alive\n\n"


class Topics(Protocol):
    """The state of the channels' topics."""

    def epoch(self, channel: str) -> str:
        """The epoch of the channel's topic."""

    def heads(self, channel: str) -> dict[int, int]:
        """Its partitions and their ends."""


class _Envelope(Struct, rename={"from_": "from"}):
    """The members of a payload with its type and position."""

    type: str
    channel: str = ""
    partition: int = -1
    offset: int = -1
    from_: int = -1
    to: int | None = None
    cursor: str | UnsetType = UNSET


class Closed(Struct, frozen=True):
    """`data` of the last event: a close code as a socket gets it, and whether to come back."""

    code: int
    reason: str
    come_back: bool


_encode = msgspec.json.Encoder().encode
_envelope = msgspec.json.Decoder(_Envelope).decode


class Reading:
    """The position of one reader of one channel."""

    def __init__(self, channel: str, topics: Topics, starts: Mapping[int, int]) -> None:
        self._channel = channel
        self._topics = topics
        self._epoch = topics.epoch(channel)
        self._next = dict(starts)

    @property
    def cursor(self) -> str:
        """As text."""
        count = len(self._topics.heads(self._channel))
        return Cursor(self._channel, self._epoch, count, self._next).encode()

    def event(self, payload: bytes) -> bytes:
        """A payload as an event; empty if it belongs to another channel (one that everybody gets)."""
        envelope = _envelope(payload)
        if envelope.channel != self._channel:
            return b""
        self._pass(envelope)
        return block(envelope.type, self.cursor, payload)

    def _pass(self, envelope: _Envelope) -> None:
        if self._epoch != self._topics.epoch(self._channel):  # a gap comes first, then all of the new topic
            self._epoch, self._next = self._topics.epoch(self._channel), {}
        elif envelope.offset >= 0:
            self._next[envelope.partition] = next_offset(envelope.offset)
        elif envelope.partition >= 0 and envelope.to is not None:
            self._next[envelope.partition] = envelope.to
        elif envelope.cursor is not UNSET:
            self._next = dict(decode(envelope.cursor, self._channel).next_offsets)


def block(type_: str, cursor: str, payload: bytes) -> bytes:
    """One event. A payload is one line, unless another tool wrote the record in several."""
    lines = payload.splitlines() if b"\n" in payload or b"\r" in payload else (payload,)
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (cursor.encode(), type_.encode(), b"\ndata: ".join(lines))


def closing_event(code: CloseCode) -> bytes:
    """Why the stream ends: an event, for a page cannot read comments; without an id, so the reader keeps its position."""
    return b"event: closed\ndata: %b\n\n" % _encode(Closed(code.code, code.reason, code.come_back))
