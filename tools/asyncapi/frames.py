"""What a socket receives: the JSON Schema of every frame, built from the types that the gateway encodes, and an example of
each, made by its encoders.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.core import answers
from gateway.core.answers import AnswerType
from schemas import headers as h
from schemas.channels import CHANNELS, Channel
from schemas.cursor import Cursor
from schemas.envelope import EventFrames, FrameHead
from schemas.times import iso
from tools.asyncapi.commands import REF, Schema

AT = 1_705_314_600_000
"""The time of the examples, ms: 2024-01-15T10:30:00Z."""

COMPONENTS = "#/components/schemas/{name}"
_CURSOR = Cursor("media_updates", "5f0c3a9e7b1d2846", 2, {0: 120, 1: 7}).encode()


@dataclass(frozen=True, slots=True)
class Answer:
    """A message of the gateway itself. `of_channel`: it concerns a channel."""

    summary: str
    body: answers.Body | answers.ErrorBody
    of_channel: bool = True


ANSWERS: dict[AnswerType, Answer] = {
    "subscribed": Answer(
        "Answer to `subscribe`, before any event of it: where it starts",
        answers.Subscribed(
            channel="media_updates",
            start={0: 120, 1: 7},
            head={0: 121, 1: 7},
            epoch="5f0c3a9e7b1d2846",
            mode="ring",
            recovered=False,
            cursor=_CURSOR,
            reason="retention",
            missed={0: answers.MissedOffsets(100, 120)},
        ),
    ),
    "unsubscribed": Answer(
        "Answer to `unsubscribe`, and the end of a bounded replay or of the right to the channel",
        answers.Unsubscribed(channel="media_updates", reason="complete", cursor=_CURSOR),
    ),
    "caught_up": Answer("All past events have been delivered", answers.CaughtUp("media_updates", _CURSOR)),
    "position": Answer("Where the client stands", answers.ClientPosition("media_updates", _CURSOR)),
    "lagging": Answer(
        "The client reads more slowly than events come; nothing is dropped", answers.Lagging("media_updates")
    ),
    "gap": Answer(
        "Offsets that are skipped",
        answers.GapTold(channel="media_updates", partition=0, from_=120, to=121, reason="undecodable"),
    ),
    "conflated": Answer(
        "Events that are left out, for newer ones of the same items came",
        answers.Conflated(channel="media_updates", partition=0, from_=100, to=121, skipped=17),
    ),
    "auth_expiring": Answer(
        "The token ends soon: send `auth`, or the socket is closed with 4002",
        answers.Expiring(iso(AT + 60_000)),
        of_channel=False,
    ),
    "authenticated": Answer("Answer to `auth`", answers.Expiring(iso(AT + 3_600_000)), of_channel=False),
    "pong": Answer("Answer to `ping`", answers.EMPTY, of_channel=False),
    "error": Answer(
        "A message was not valid; the socket stays",
        answers.ErrorBody("bad_request", "from.last: 1 to 10000"),
    ),
}

_EVENTS: dict[str, Schema] = {
    "media_updates": {
        "action": "created",
        "media_id": 42,
        "media": {
            "id": 42,
            "title": "The Matrix (1999)",
            "media_type": "video",
            "year": 1999,
            "quality": "1080p",
            "file_size": 4_294_967_296,
            "directory_path": "/movies/The Matrix (1999)",
            "created_at": "2024-01-15T10:30:00Z",
            "updated_at": "2024-01-15T10:30:00Z",
        },
    },
    "system_updates": {
        "action": "health_check",
        "component": "smb_storage",
        "status": "healthy",
        "message": "All SMB connections active",
        "details": {"connected_shares": 3, "total_shares": 3},
    },
    "analysis_updates": {
        "items_processed": 150,
        "items_identified": 142,
        "items_failed": 8,
        "duration_ms": 45_000,
        "storage_root": "nas-media",
        "scan_id": 23,
    },
    "asset_updates": {},
    "notifications": {
        "type": "conversion",
        "title": "Conversion Complete",
        "message": "video.mp4 has been converted to mp3",
        "level": "success",
    },
}
"""`data` of an example of each channel: those of the WebSocket contract."""


def components() -> dict[str, Schema]:
    """The JSON Schemas that the frames' schemas refer to, by name."""
    _, found = msgspec.json.schema_components(
        [*_bodies(), *_data_types(), FrameHead], schema_hook=_any_json, ref_template=COMPONENTS
    )
    return found


def answer_schema(type_: AnswerType) -> Schema:
    """The frame of one of the gateway's own messages: its members are in `data` and beside it."""
    answer = ANSWERS[type_]
    name = type(answer.body).__name__
    body = components()[name]
    flat = type_ != "error"
    return {
        "type": "object",
        "description": f"{answer.summary}.",
        "properties": {
            "type": {"const": type_},
            "data": {"$ref": COMPONENTS.format(name=name)},
            **(body["properties"] if flat else {}),
            "timestamp": {"type": "string", "format": "date-time"},
            "ref": REF,
        },
        "required": ["type", "data", *(body["required"] if flat else []), "timestamp"],
    }


def answer_example(type_: AnswerType) -> Schema:
    """As the gateway writes it."""
    match ANSWERS[type_].body:
        case answers.ErrorBody(code=code, message=text):
            return _decoded(answers.error(code, text, AT, 7))
        case body:
            return _decoded(answers.message(type_, body, AT))


def event_schema(channel: Channel) -> Schema:
    """The frame of an event of a channel."""
    (data,), _ = msgspec.json.schema_components([channel.data], schema_hook=_any_json, ref_template=COMPONENTS)
    head = components()["FrameHead"]
    return {
        "type": "object",
        "description": f"An event of `{channel.name}`; the same bytes for everybody who sees it.",
        "properties": {
            "type": {"const": channel.event},
            "data": data,
            "payload": {"description": "equal to `data`; off with CATALOGIZER_GATEWAY__LEGACY_PAYLOAD=false"},
            **head["properties"],
            "channel": {"const": channel.name},
        },
        "required": ["type", "data", *head["required"]],
    }


def event_example(channel: Channel) -> Schema:
    """As the gateway frames it."""
    frame = EventFrames(channel, legacy_payload=True).frame(
        0,
        120,
        AT,
        [(h.CE_ID, b"0b4b5b0e-4f0f-5b8e-9f0e-2f6a5a1f2d3c"), (h.CE_TIME, iso(AT).encode())],
        msgspec.json.encode(_EVENTS[channel.name]),
    )
    return _decoded(frame)


def _bodies() -> list[type]:
    return list(dict.fromkeys(type(answer.body) for answer in ANSWERS.values()))


def _data_types() -> list[Any]:
    return [channel.data for channel in CHANNELS.values()]


def _any_json(_type: type) -> Schema:
    return {"description": "any JSON value"}


def _decoded(frame: bytes) -> Schema:
    decoded: Schema = json.loads(frame)
    return decoded
