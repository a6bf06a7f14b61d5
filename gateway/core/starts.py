"""Where a client wants a subscription to start and to end: places (`schemas.places`) or a cursor, read from its JSON.

Anything else is refused by name: ignoring an option silently would break a promise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from msgspec import UNSET, UnsetType

from gateway.errors import GatewayError
from schemas.cursor import Cursor, decode
from schemas.envelope import Json
from schemas.errors import BadPlace
from schemas.place_forms import FROM, UNTIL, Grammar, Own, read_json, read_query
from schemas.places import AtEach, AtTime, ClientPlace, Head


@dataclass(frozen=True, slots=True)
class Resume:
    """From a cursor."""

    cursor: Cursor


Start: TypeAlias = ClientPlace | Resume
Until: TypeAlias = Head | AtTime | AtEach | None
OnGap = Literal["fail", "earliest", "live"]


class BadOption(GatewayError):
    """An invalid option: `reason` names it and what is allowed."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def start_of(value: Json | UnsetType, channel: str) -> Start:
    """Read `from`. Raises BadOption, or BadCursor for an invalid cursor."""
    return _start(Head() if value is UNSET else _read("from", value, FROM), channel)


def start_in_query(text: str, channel: str) -> Start:
    """Read `from` in the form that it has in an address. Raises BadOption, BadCursor."""
    return _start(_read("from", text, FROM, read_query), channel)


def until_in_query(text: str) -> Until:
    """Read `until` in the form that it has in an address. Raises BadOption."""
    return _until(_read("until", text, UNTIL, read_query))


def _start(place: ClientPlace | Own, channel: str) -> Start:
    match place:
        case Own(_, str(text)):
            return Resume(decode(text, channel))
        case Own(key):
            raise BadOption(f"from.{key}: the text of a cursor")
        case _:
            return place


def until_of(value: Json | UnsetType) -> Until:
    """Read `until`. Raises BadOption."""
    return None if value is UNSET or value is None else _until(_read("until", value, UNTIL))


def _until(place: ClientPlace | Own) -> Until:
    match place:
        case Head() | AtTime() | AtEach():
            return place
        case _:
            raise BadOption(f"until: {UNTIL.allowed}")


def on_gap_of(value: Json | UnsetType) -> OnGap:
    """Read `on_gap`; earliest by default. Raises BadOption."""
    match value:
        case UnsetType():
            return "earliest"
        case "fail" | "earliest" | "live":
            return value
        case _:
            raise BadOption('on_gap: one of "fail", "earliest" or "live"')


def _read(
    name: str, value: object, grammar: Grammar, read: Callable[[Any, Grammar], ClientPlace | Own] = read_json
) -> ClientPlace | Own:
    try:
        return read(value, grammar)
    except BadPlace as error:
        raise BadOption(f"{name}{error.at}: {error}") from error
