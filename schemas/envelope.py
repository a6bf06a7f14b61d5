"""Frames on a socket: how an event's bytes are built from a stored record, and what a client may send.

An event's frame is built around the record's stored JSON bytes, which are never decoded and encoded again, so the
same record gives the same bytes live, from memory and from the log, for every client and after every restart.
"""

from __future__ import annotations

import functools
import re
import string
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from schemas import headers as h
from schemas.channels import Channel
from schemas.errors import Undecodable
from schemas.times import is_timestamp, iso

if TYPE_CHECKING:
    Json = bool | int | float | str | None | list["Json"] | dict[str, "Json"]
else:  # msgspec decodes no recursive alias
    Json = bool | int | float | str | None | list[Any] | dict[str, Any]


class EventFrames:
    """Builds the frames of a channel's events: the bytes of text frames with `type`, `data`, `payload` (when
    `legacy_payload`), `timestamp`, `channel`, `partition`, `offset`, `id`."""

    def __init__(self, channel: Channel, *, legacy_payload: bool) -> None:
        self._name = channel.name.encode()
        self._legacy_payload = legacy_payload
        self._form = _form(channel.event, channel.name, legacy_payload=legacy_payload)
        self.pieces = tuple(re.split(rb"%[bd]", self._form))
        """A frame's bytes around what `frame` inserts: the value (twice with `legacy_payload`), the time in quotes, the
        partition, the offset, the id in quotes."""

    def frame(
        self, partition: int, offset: int, timestamp: int, headers: Sequence[tuple[str, bytes]], value: bytes
    ) -> bytes:
        """One event's. `timestamp` (ms) is the append time, used if the record has no valid `ce_time`. `value` must have
        been decoded successfully before, because it is inserted unchanged. A record without `ce_id` (written by a foreign
        tool) gets an id made of its channel, partition and offset."""
        found = dict(headers)
        id_, time = found.get(h.CE_ID), found.get(h.CE_TIME)
        if time is None or not is_timestamp(time):
            time = iso(timestamp).encode()
        id_ = _text(id_ or b"%b:%d:%d" % (self._name, partition, offset))
        if self._legacy_payload:
            return self._form % (value, value, b'"%b"' % time, partition, offset, id_)
        return self._form % (value, b'"%b"' % time, partition, offset, id_)


def spliced(
    event: str,
    data: bytes,
    *,
    timestamp: bytes | msgspec.Raw,
    channel: str,
    partition: int,
    offset: int,
    id: bytes | msgspec.Raw,
    legacy_payload: bool,
) -> bytes:
    """The frame that `EventFrames` would build around this data, from its members: what is JSON already is inserted
    unchanged. `event` and `channel` are names of ours, which need no escape."""
    form = _form(event, channel, legacy_payload=legacy_payload)
    return form % (*((data,) * (1 + legacy_payload)), timestamp, partition, offset, id)


@functools.cache  # of the program's channels, which are few
def _form(event: str, channel: str, *, legacy_payload: bool) -> bytes:
    """A frame with places for what differs between the events of a channel."""
    payload = ',"payload":%b' if legacy_payload else ""
    form = (
        '{"type":"EVENT","data":%bPAYLOAD,"timestamp":%b,"channel":"CHANNEL","partition":%d,"offset":%d,"id":%b}'
    )
    return form.replace("EVENT", event).replace("CHANNEL", channel).replace("PAYLOAD", payload).encode()


def _text(header: bytes) -> bytes:
    """A header as a JSON string; one of characters that need no escape, as all ids of ours are, as it stands."""
    return _encode(header.decode("ascii", "replace")) if header.translate(None, _PLAIN) else b'"%b"' % header


_PLAIN = string.ascii_letters.encode() + string.digits.encode() + b"-_.:"


class FrameHead(Struct, frozen=True):
    """The members of an event's frame that identify it, in this order."""

    timestamp: str
    channel: str
    partition: int
    offset: int
    id: str


_encode = msgspec.json.Encoder().encode


class Message(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """What a client sends. Extra fields are ignored. `ref` is echoed in the answer whatever its JSON type. Fields other
    than `type` are checked by the code that serves the message, so that the answer names the one bad option."""

    type: str
    ref: Json | UnsetType = UNSET
    channel: Json = None
    from_: Json | UnsetType = UNSET
    until: Json | UnsetType = UNSET
    filter: Json | UnsetType = UNSET
    on_gap: Json | UnsetType = UNSET
    on_slow: Json | UnsetType = UNSET
    credit: Json | UnsetType = UNSET
    token: Json | UnsetType = UNSET
    timestamp: Json | UnsetType = UNSET

    @property
    def plain(self) -> bool:
        """True when no member beyond the seed's contract is used."""
        options = (self.from_, self.until, self.filter, self.on_gap, self.on_slow, self.credit)
        return all(option is UNSET for option in options)


_message = msgspec.json.Decoder(Message)

ErrorCode = Literal[
    "bad_json", "not_an_object", "unknown_type", "unknown_channel", "bad_request", "bad_cursor",
    "rate_limited", "not_subscribed", "unavailable",
]  # fmt: skip


class BadMessage(Undecodable):
    """A client's text that is not a valid message. `code`: the error frame's; `ref` is echoed if it is readable."""

    def __init__(self, code: ErrorCode, reason: str, ref: Json | UnsetType = UNSET) -> None:
        self.code: ErrorCode = code
        self.ref = ref
        super().__init__(reason)


def decode_message(text: str | bytes) -> Message:
    """Read a client's message. Raises BadMessage with the error frame's code."""
    try:
        return _message.decode(text)
    except msgspec.ValidationError as error:
        raise _bad(text, error) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadMessage("bad_json", f"not JSON: {error}") from error


def _bad(text: str | bytes, error: msgspec.ValidationError) -> BadMessage:
    """What is wrong with a text that is not a valid message. It may not be JSON either: the first error found is not
    always the first in the text."""
    try:
        loose = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        return BadMessage("bad_json", f"not JSON: {broken}")
    if not isinstance(loose, dict):
        return BadMessage("not_an_object", "a message is a JSON object")
    return BadMessage("bad_request", f"message needs a string `type`: {error}", loose.get("ref", UNSET))
