"""How a client wants to follow a channel, read from its JSON: which events, how many at a time, and what happens if it is
slow.

An unknown option is refused by name: ignoring one silently would break a promise.
"""

from __future__ import annotations

from typing import get_args

from msgspec import UNSET, UnsetType

from gateway.core.hub import MAX_CREDIT
from gateway.core.starts import BadOption
from gateway.core.subscriber import OnSlow, Options
from gateway.core.view import Filter
from schemas.envelope import Json, Message
from schemas.media import Action

MAX_NAMES = 64
"""In one member of a filter."""

_MEMBERS = ("storage_root", "media_type", "action")
_ACTIONS: tuple[Action, ...] = get_args(Action)
_ON_SLOW: tuple[OnSlow, ...] = get_args(OnSlow)


def options_of(message: Message) -> Options:
    """Read them all. Raises BadOption."""
    return Options(
        status_messages=not message.plain,
        filter=filter_of(message.filter),
        credit=None if message.credit is UNSET else credit_of(message.credit),
        on_slow=_on_slow(message.on_slow),
    )


def credit_of(value: Json | UnsetType) -> int:
    """A number of events. Raises BadOption."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_CREDIT:
        raise BadOption(f"credit: a number of events from 1 to {MAX_CREDIT}")
    return value


def filter_of(value: Json | UnsetType) -> Filter | None:
    """The filter of a channel's events. Raises BadOption."""
    if value is UNSET or value is None:
        return None
    if not isinstance(value, dict) or not value or not value.keys() <= set(_MEMBERS):
        raise BadOption(f"filter: an object with some of {', '.join(_MEMBERS)}")
    actions = _names(value, "action")
    if actions is not None and not actions <= set(_ACTIONS):
        raise BadOption(f"filter.action: some of {', '.join(_ACTIONS)}")
    return Filter(_names(value, "storage_root"), _names(value, "media_type"), actions)


def _on_slow(value: Json | UnsetType) -> OnSlow:
    if value is UNSET:
        return "catch_up"
    for known in _ON_SLOW:
        if value == known:
            return known
    raise BadOption('on_slow: one of "catch_up", "conflate" or "disconnect"')


def _names(value: dict[str, Json], member: str) -> frozenset[str] | None:
    if member not in value:
        return None
    named = value[member]
    names = named if isinstance(named, list) else [named]
    if not 1 <= len(names) <= MAX_NAMES or not all(isinstance(name, str) for name in names):
        raise BadOption(f"filter.{member}: a text, or a list of 1 to {MAX_NAMES}")
    return frozenset(str(name) for name in names)
