"""The gateway's own messages, as payloads: answers, positions, gaps, errors.

The contract promises `type`, `data` and `timestamp` in every message, and existing clients read the members at the top
level: so they are in `data` and beside it. `ref` is the client's own value, echoed.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from schemas.envelope import ErrorCode, Json
from schemas.times import iso

GapReason = Literal["undecodable", "retention", "epoch_changed"]
Mode = Literal["live", "ring", "log"]
AnswerType = Literal[
    "subscribed", "unsubscribed", "caught_up", "position", "lagging", "gap", "conflated", "auth_expiring", "authenticated",
    "pong", "error",
]  # fmt: skip

_encode = msgspec.json.Encoder().encode


class MissedOffsets(Struct, frozen=True, rename={"from_": "from"}):
    """A range of offsets that will not come: [from, to); `to` None: not known."""

    from_: int
    to: int | None


class Subscribed(Struct, frozen=True, kw_only=True):
    """Answer to `subscribe`. Offsets by partition. `recovered` false: something wanted is gone, `missed` says
    what and `reason` why."""

    channel: str
    start: dict[int, int]
    head: dict[int, int]
    epoch: str
    mode: Mode
    recovered: bool
    cursor: str
    reason: str | UnsetType = UNSET
    missed: dict[int, MissedOffsets] | UnsetType = UNSET


class Unsubscribed(Struct, frozen=True, kw_only=True):
    """Answer to `unsubscribe`; with `reason` also the end of a bounded replay, or of the right to the channel."""

    channel: str
    reason: Literal["complete", "forbidden"] | UnsetType = UNSET
    cursor: str | UnsetType = UNSET


class CaughtUp(Struct, frozen=True):
    """Every partition of the channel is live."""

    channel: str
    cursor: str


class ClientPosition(Struct, frozen=True):
    """Where the client stands in the channel."""

    channel: str
    cursor: str


class Lagging(Struct, frozen=True):
    """The client reads more slowly than events come; it is served at its own pace now."""

    channel: str


class GapTold(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """Offsets [from, to) of the partition are skipped; `to` None: not known."""

    channel: str
    partition: int
    from_: int
    to: int | None
    reason: GapReason


class Conflated(Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """Of the offsets [from, to) of the partition, `skipped` events are left out: a newer one of the same item came."""

    channel: str
    partition: int
    from_: int
    to: int
    skipped: int


class Expiring(Struct, frozen=True):
    """The token ends soon; send `{"type":"auth","token":…}` with a new one."""

    expires_at: str


class Empty(Struct, frozen=True):
    """No members besides the type."""


EMPTY = Empty()

Body = Subscribed | Unsubscribed | CaughtUp | ClientPosition | Lagging | GapTold | Conflated | Expiring | Empty


def message(type_: AnswerType, body: Body, at: int, ref: Json | UnsetType = UNSET) -> bytes:
    """One of the gateway's own messages, at the time `at` (ms)."""
    data = _encode(body)
    members = data[1:-1] + b"," if len(data) > 2 else b""
    echo = b"" if ref is UNSET else b'"ref":' + _encode(ref) + b","
    return b'{"type":"%b","data":%b,%b%b"timestamp":"%b"}' % (
        type_.encode(), data, members, echo, iso(at).encode(),
    )  # fmt: skip


class ErrorBody(Struct, frozen=True):
    """What was wrong with a client's message: for programs and for people."""

    code: ErrorCode
    message: str


def error(code: ErrorCode, text: str, at: int, ref: Json | UnsetType = UNSET) -> bytes:
    """An error; the socket stays."""
    echo = b"" if ref is UNSET else b'"ref":' + _encode(ref) + b","
    body = _encode(ErrorBody(code, text))
    return b'{"type":"error","data":%b,%b"timestamp":"%b"}' % (body, echo, iso(at).encode())


def caught_up(channel: str, cursor: str, at: int) -> bytes:
    """`caught_up`."""
    return message("caught_up", CaughtUp(channel, cursor), at)


def position(channel: str, cursor: str, at: int) -> bytes:
    """`position`."""
    return message("position", ClientPosition(channel, cursor), at)


def conflated(channel: str, partition: int, start: int, end: int, skipped: int, at: int) -> bytes:
    """`conflated`."""
    body = Conflated(channel=channel, partition=partition, from_=start, to=end, skipped=skipped)
    return message("conflated", body, at)


def gap(channel: str, partition: int, start: int, end: int | None, reason: GapReason, at: int) -> bytes:
    """`gap`. If `at` is an append time, it depends on the log alone, so a replay has the same bytes."""
    body = GapTold(channel=channel, partition=partition, from_=start, to=end, reason=reason)
    return message("gap", body, at)
