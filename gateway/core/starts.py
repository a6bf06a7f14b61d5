"""Where a client asks a subscription to start and to end: places (`schemas.places`) or a cursor, read from its JSON.

What is not one of them is refused by name: an option silently ignored would be a promise broken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from msgspec import UNSET, UnsetType

from gateway.errors import GatewayError
from schemas.cursor import Cursor, decode
from schemas.envelope import Json
from schemas.errors import BadPlace
from schemas.place_forms import FROM, UNTIL, Grammar, Own, read_json
from schemas.places import AtEach, AtTime, ClientPlace, Head


@dataclass(frozen=True, slots=True)
class Resume:
    """From a cursor on."""

    cursor: Cursor


Start: TypeAlias = ClientPlace | Resume
Until: TypeAlias = Head | AtTime | AtEach | None
OnGap = str


class BadOption(GatewayError):
    """An option that is none: `reason` names it and says what is allowed."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def start_of(value: Json | UnsetType, channel: str) -> Start:
    """Read `from`. Raises BadOption, or BadCursor for a cursor that does not hold."""
    match Head() if value is UNSET else _read("from", value, FROM):
        case Own(_, str(text)):
            return Resume(decode(text, channel))
        case Own(key):
            raise BadOption(f"from.{key}: the text of a cursor")
        case place:
            return place


def until_of(value: Json | UnsetType) -> Until:
    """Read `until`. Raises BadOption."""
    match None if value is UNSET or value is None else _read("until", value, UNTIL):
        case None | Head() | AtTime() | AtEach() as place:
            return place
        case _:
            raise BadOption(f"until: {UNTIL.allowed}")


def on_gap_of(value: Json | UnsetType) -> OnGap:
    """Read `on_gap`; earliest unless said otherwise. Raises BadOption."""
    match value:
        case UnsetType():
            return "earliest"
        case "fail" | "earliest" | "live":
            return value
        case _:
            raise BadOption('on_gap: one of "fail", "earliest" or "live"')


def _read(name: str, value: Json | UnsetType, grammar: Grammar) -> ClientPlace | Own:
    try:
        return read_json(value, grammar)
    except BadPlace as error:
        raise BadOption(f"{name}{error.at}: {error}") from error
