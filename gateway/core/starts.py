"""Where a client asks a subscription to start and to end, as closed choices, read from its JSON.

What is not one of them is refused by name: an option silently ignored would be a promise broken.
"""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import UNSET, UnsetType

from schemas.cursor import Cursor, decode
from schemas.envelope import Json, Message
from schemas.ids import MAX_SAFE
from schemas.times import parse_iso

MAX_LAST = 10_000
MAX_PARTITIONS = 1_024
MAX_TIME_MS = 253_402_300_800_000
"""9999-12-31: later ones cannot be written as ISO 8601."""


@dataclass(frozen=True, slots=True)
class Live:
    """From now on."""


@dataclass(frozen=True, slots=True)
class Earliest:
    """From the oldest event retained."""


@dataclass(frozen=True, slots=True)
class Last:
    """From the `count` newest events on, over all partitions."""

    count: int


@dataclass(frozen=True, slots=True)
class Since:
    """From append time `at` (ms) on."""

    at: int


@dataclass(frozen=True, slots=True)
class Offsets:
    """From these next offsets on, by partition."""

    next_offsets: dict[int, int]


@dataclass(frozen=True, slots=True)
class Resume:
    """From a cursor on."""

    cursor: Cursor


Start = Live | Earliest | Last | Since | Offsets | Resume


@dataclass(frozen=True, slots=True)
class Head:
    """Up to where the topic ends now."""


Until = Head | Since | Offsets | None
OnGap = str


class BadOption(Exception):
    """An option that is none: `reason` names it and says what is allowed."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


FORMS = '"live", "earliest", {"last":n}, {"time":…}, {"offsets":{…}} or {"cursor":"…"}'


def start_of(value: Json | UnsetType, channel: str) -> Start:
    """Read `from`. Raises BadOption, or BadCursor for a cursor that does not hold."""
    match value:
        case UnsetType() | "live":
            return Live()
        case "earliest":
            return Earliest()
        case {"last": int(last)} if not isinstance(last, bool):
            if not 1 <= last <= MAX_LAST:
                raise BadOption(f"from.last: 1 to {MAX_LAST}")
            return Last(last)
        case {"time": time}:
            return Since(_time(time, "from.time"))
        case {"offsets": offsets}:
            return Offsets(_offsets(offsets, "from.offsets"))
        case {"cursor": str(text)}:
            return Resume(decode(text, channel))
        case _:
            raise BadOption(f"from: one of {FORMS}")


def until_of(value: Json | UnsetType) -> Until:
    """Read `until`. Raises BadOption."""
    match value:
        case UnsetType() | None:
            return None
        case "head":
            return Head()
        case {"time": time}:
            return Since(_time(time, "until.time"))
        case {"offsets": offsets}:
            return Offsets(_offsets(offsets, "until.offsets"))
        case _:
            raise BadOption('until: one of "head", {"time":…} or {"offsets":{…}}')


def on_gap_of(value: Json | UnsetType) -> OnGap:
    """Read `on_gap`; earliest unless said otherwise. Raises BadOption."""
    match value:
        case UnsetType():
            return "earliest"
        case "fail" | "earliest" | "live":
            return value
        case _:
            raise BadOption('on_gap: one of "fail", "earliest" or "live"')


def refuse_unknown(message: Message) -> None:
    """Refuse the options that this gateway does not know yet. Raises BadOption."""
    if message.filter is not UNSET:
        raise BadOption("filter: not offered by this gateway")
    if message.credit is not UNSET:
        raise BadOption("credit: not offered by this gateway")
    if message.on_slow is not UNSET and message.on_slow != "catch_up":
        raise BadOption('on_slow: only "catch_up" is offered')


def _time(value: Json, name: str) -> int:
    if isinstance(value, str):
        try:
            value = parse_iso(value)
        except (ValueError, OverflowError) as error:
            raise BadOption(f"{name}: ISO 8601 or milliseconds since 1970 ({error})") from error
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < MAX_TIME_MS:
        raise BadOption(f"{name}: ISO 8601 or milliseconds since 1970")
    return value


def _offsets(value: Json, name: str) -> dict[int, int]:
    if not isinstance(value, dict) or not 1 <= len(value) <= MAX_PARTITIONS:
        raise BadOption(f"{name}: an object of partition to next offset")
    found: dict[int, int] = {}
    for key, offset in value.items():
        if not (key.isascii() and key.isdigit() and len(key) <= 6):
            raise BadOption(f"{name}: {key!r} is not a partition")
        if not isinstance(offset, int) or isinstance(offset, bool) or not 0 <= offset < MAX_SAFE:
            raise BadOption(f"{name}.{key}: an offset is a whole number from 0")
        found[int(key)] = offset
    return found
