"""A socket's payloads as server-sent events (WHATWG HTML, section 9.2): what each is, and where its reader stands after it.

The id of every event is a cursor, right in every partition: whoever reads one channel from a known start, in the order of
each partition, stands after an event where it stood before, but in the partition of the event right behind it. What lies
between (what it may not see, marks of transactions) is passed when the next event or `position` says so. Pure.
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
    """What is known of the channels' topics."""

    def epoch(self, channel: str) -> str:
        """The epoch of the channel's topic."""

    def heads(self, channel: str) -> dict[int, int]:
        """Its partitions, and where they end."""


class _Told(Struct, rename={"from_": "from"}):
    """The members of a payload that say what and where it is."""

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
_told = msgspec.json.Decoder(_Told).decode


class Reading:
    """Where one reader of one channel stands."""

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
        """A payload as an event; nothing where it is of another channel (one that everybody gets)."""
        told = _told(payload)
        if told.channel != self._channel:
            return b""
        self._pass(told)
        return block(told.type, self.cursor, payload)

    def _pass(self, told: _Told) -> None:
        if self._epoch != self._topics.epoch(
            self._channel
        ):  # its first word is a gap: all of the new one is to come
            self._epoch, self._next = self._topics.epoch(self._channel), {}
        elif told.offset >= 0:
            self._next[told.partition] = next_offset(told.offset)
        elif told.partition >= 0 and told.to is not None:
            self._next[told.partition] = told.to
        elif told.cursor is not UNSET:
            self._next = dict(decode(told.cursor, self._channel).next_offsets)


def block(type_: str, cursor: str, payload: bytes) -> bytes:
    """One event. A payload is one line, unless a foreign tool wrote the record in several."""
    lines = payload.splitlines() if b"\n" in payload or b"\r" in payload else (payload,)
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (cursor.encode(), type_.encode(), b"\ndata: ".join(lines))


def last_words(code: CloseCode) -> bytes:
    """Why it ends: an event, for a page can read no comment; without an id, so that its reader stands where it stood."""
    return b"event: closed\ndata: %b\n\n" % _encode(Closed(code.code, code.reason, code.come_back))
