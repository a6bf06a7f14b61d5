"""What a client may send on a socket: the JSON Schema of each message, built from the bounds that the gateway checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

from gateway.core.hub import MAX_CREDIT
from gateway.core.options import MAX_NAMES
from gateway.core.starts import OnGap
from gateway.core.subscriber import OnSlow
from schemas.channels import CHANNELS
from schemas.cursor import MAX_LENGTH
from schemas.ids import MAX_SAFE
from schemas.media import Action
from schemas.place_forms import FROM, MAX_LAST, MAX_PARTITIONS, MAX_TIME, UNTIL, Grammar

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Command:
    """A message of a client. `answers`: types of the frames that answer it. `members`: besides `type` and `ref`, by name;
    those in `needed` are required."""

    type: str
    summary: str
    answers: tuple[str, ...]
    members: dict[str, Schema]
    needed: tuple[str, ...]
    examples: tuple[Schema, ...]

    @property
    def of_channel(self) -> bool:
        """True if it concerns a channel."""
        return "channel" in self.members

    def schema(self) -> Schema:
        """The message's JSON Schema."""
        return {
            "type": "object",
            "description": f"{self.summary}. Members that are not known are ignored.",
            "properties": {"type": {"const": self.type}, **self.members, "ref": REF},
            "required": ["type", *self.needed],
        }


REF: Schema = {"description": "the client's own word, any JSON value, echoed in the answer"}
_PLACES: dict[str, Schema] = {
    "last": {
        "type": "integer",
        "minimum": 1,
        "maximum": MAX_LAST,
        "description": "the newest so many over all partitions",
    },
    "time": {
        "anyOf": [{"type": "string"}, {"type": "integer", "minimum": 0, "exclusiveMaximum": MAX_TIME}],
        "description": "append time: ISO 8601, without a zone UTC, or ms since 1970",
    },
    "offsets": {
        "type": "object",
        "minProperties": 1,
        "maxProperties": MAX_PARTITIONS,
        "propertyNames": {"pattern": "^[0-9]{1,6}$"},
        "additionalProperties": {"type": "integer", "minimum": 0, "exclusiveMaximum": MAX_SAFE},
        "description": "by partition, the next offset wanted",
    },
    "cursor": {
        "type": "string",
        "maxLength": MAX_LENGTH,
        "description": "of `subscribed`, `caught_up` or `position`",
    },
}


def _place(grammar: Grammar, description: str) -> Schema:
    """Where a subscription starts or ends, as `schemas.place_forms` parses it."""
    objects = [
        {"type": "object", "properties": {key: _PLACES[key]}, "required": [key], "additionalProperties": False}
        for key in (*grammar.keys, *grammar.own)
    ]
    return {"anyOf": [{"enum": sorted(grammar.words)}, *objects], "description": description}


def _names(item: Schema) -> Schema:
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1, "maxItems": MAX_NAMES}]}


_TEXT: Schema = {"type": "string"}
_CHANNEL: Schema = {"enum": list(CHANNELS)}
_CREDIT: Schema = {
    "type": "integer",
    "minimum": 1,
    "maximum": MAX_CREDIT,
    "description": "so many events may be sent",
}
_FILTER: Schema = {
    "type": "object",
    "properties": {
        "storage_root": _names(_TEXT),
        "media_type": _names(_TEXT),
        "action": _names({"enum": list(get_args(Action))}),
    },
    "minProperties": 1,
    "additionalProperties": False,
    "description": "what of the channel; what a filter leaves out is like what rights hide",
}

COMMANDS: tuple[Command, ...] = (
    Command(
        "subscribe",
        "Follow a channel, from now on or from a place in its past",
        ("subscribed", "error"),
        {
            "channel": _CHANNEL,
            "from": _place(FROM, "where it starts; absent: now"),
            "until": _place(UNTIL, "where it ends, not included; absent: never"),
            "filter": _FILTER,
            "on_gap": {
                "enum": list(get_args(OnGap)),
                "description": "when something wanted is gone; absent: earliest",
            },
            "on_slow": {
                "enum": list(get_args(OnSlow)),
                "description": "when the client does not keep up; absent: catch_up",
            },
            "credit": _CREDIT,
        },
        ("channel",),
        (
            {"type": "subscribe", "channel": "media_updates"},
            {
                "type": "subscribe",
                "channel": "media_updates",
                "from": {"last": 100},
                "filter": {"storage_root": ["films"], "action": "created"},
                "on_slow": "conflate",
                "credit": 100,
                "ref": 1,
            },
            {
                "type": "subscribe",
                "channel": "media_updates",
                "from": {"offsets": {"0": 120}},
                "until": "head",
                "on_gap": "fail",
            },
        ),
    ),
    Command(
        "unsubscribe",
        "Follow a channel no longer",
        ("unsubscribed", "error"),
        {"channel": _CHANNEL},
        ("channel",),
        ({"type": "unsubscribe", "channel": "system_updates"},),
    ),
    Command(
        "credit",
        "Let so many more events of a channel be sent; answered only where that cannot be",
        ("error",),
        {"channel": _CHANNEL, "credit": _CREDIT},
        ("channel", "credit"),
        ({"type": "credit", "channel": "media_updates", "credit": 50},),
    ),
    Command("ping", "Ask whether the gateway answers", ("pong",), {}, (), ({"type": "ping", "ref": "a"},)),
    Command(
        "auth",
        "Bring a new token, or the first one on a socket opened with `?auth=message`",
        ("authenticated", "error"),
        {"token": {"type": "string"}},
        ("token",),
        ({"type": "auth", "token": "eyJhbGciOi…"},),
    ),
)
