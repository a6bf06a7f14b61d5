"""The TypeScript types of the web client that are generated from the schemas: every frame, channels, close codes.

Generated from msgspec's JSON Schemas of the types, so that a changed field, kind of observation or close code changes there
too; `--check` fails until it does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
from msgspec import inspect

from gateway.core import answers
from schemas.channels import (
    ANALYSIS_UPDATES,
    ASSET_UPDATES,
    CHANNELS,
    MEDIA_UPDATES,
    NOTIFICATIONS,
    SYSTEM_UPDATES,
)
from schemas.close_codes import CLOSE_CODES
from schemas.envelope import ErrorCode
from schemas.media import AnalysisComplete, MediaUpdate
from schemas.system import Notification, SystemUpdate

PATH = Path("web/client/src/messages.generated.ts")

EVENTS: tuple[tuple[str, str], ...] = (
    (MEDIA_UPDATES.event, "MediaUpdate"),
    (SYSTEM_UPDATES.event, "SystemUpdate"),
    (ANALYSIS_UPDATES.event, "AnalysisComplete"),
    (ASSET_UPDATES.event, "Record<string, unknown>"),
    (NOTIFICATIONS.event, "Notification"),
)
"""`type` of an event's frame, and the type of its `data`."""

ANSWERS: tuple[tuple[str, type], ...] = (
    ("subscribed", answers.Subscribed),
    ("unsubscribed", answers.Unsubscribed),
    ("caught_up", answers.CaughtUp),
    ("position", answers.ClientPosition),
    ("lagging", answers.Lagging),
    ("gap", answers.GapTold),
    ("conflated", answers.Conflated),
    ("auth_expiring", answers.Expiring),
)
"""`type` of the gateway's own messages, and the type of their members, which are in `data` and beside it."""


def files() -> dict[Path, str]:
    """The generated module, relative to the project's folder."""
    return {PATH: "\n".join(_module()).rstrip() + "\n"}


def type_text(schema: dict[str, Any]) -> str:
    """A JSON Schema as a TypeScript type."""
    match schema:
        case {"$ref": ref}:
            return str(ref).rsplit("/", 1)[-1]
        case {"anyOf": parts}:
            return " | ".join(dict.fromkeys(type_text(part) for part in parts))
        case {"enum": values}:
            return " | ".join(json.dumps(value) for value in values)
        case {"type": "array", "items": dict(items)}:
            return f"readonly {_grouped(type_text(items))}[]"
        case {"type": "array"}:
            return "readonly unknown[]"
        case {"type": "object", "additionalProperties": dict(values)}:
            return f"Record<string, {type_text(values)}>"
        case {"type": "object"}:
            return "Record<string, unknown>"
        case {"type": "integer" | "number"}:
            return "number"
        case {"type": "string" | "boolean" | "null" as name}:
            return str(name)
        case _:
            return "unknown"


def interface(name: str, record: dict[str, Any], *, left_out: bool) -> Iterator[str]:
    """A record as an interface. `left_out`: its writers omit members with their default value."""
    if text := record.get("description"):
        yield f"/** {' '.join(text.split())} */"
    yield f"export interface {name} {{"
    required = record.get("required", [])
    for field, described in record.get("properties", {}).items():
        text = type_text(_without_null(described) if left_out and field not in required else described)
        yield f"  {field}{'' if field in required else '?'}: {text};"
    yield "}"
    yield ""


def _without_null(described: dict[str, Any]) -> dict[str, Any]:
    """Remove `null` from the type of a member that is omitted instead."""
    if "default" not in described or described["default"] is not None or "anyOf" not in described:
        return described
    return {"anyOf": [part for part in described["anyOf"] if part != {"type": "null"}]}


def _any_json(_type: type) -> dict[str, Any]:
    return {"description": "any JSON value"}


def _grouped(text: str) -> str:
    return f"({text})" if " " in text else text


def _module() -> Iterator[str]:
    yield "// Written by `python -m tools.generate` from schemas/; a check fails if it is out of date."
    yield ""
    yield from _records()
    yield from _events()
    yield from _channels()
    yield from _close_codes()


def _records() -> Iterator[str]:
    types = (MediaUpdate, AnalysisComplete, SystemUpdate, Notification, *(body for _, body in ANSWERS))
    _, components = msgspec.json.schema_components(types, schema_hook=_any_json, ref_template="#/$defs/{name}")
    structs = _structs(types)
    for name, record in components.items():
        yield from interface(name, record, left_out=structs[name].__struct_config__.omit_defaults)
    yield "/** `data` of a `media_update`; `action` distinguishes them. */"
    yield f"export type MediaUpdate = {' | '.join(part.__name__ for part in get_args(MediaUpdate))};"
    yield ""


def _structs(types: tuple[Any, ...]) -> dict[str, Any]:
    """Every struct in the types, by name."""
    found: dict[str, Any] = {}

    def walk(node: object) -> None:
        match node:
            case inspect.StructType(cls=cls, fields=fields):
                if cls.__name__ not in found:
                    found[cls.__name__] = cls
                    for field in fields:
                        walk(field.type)
            case inspect.UnionType(types=parts):
                for part in parts:
                    walk(part)
            case inspect.DictType(value_type=value):
                walk(value)
            case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
                walk(item)
            case _:
                pass

    for node in inspect.multi_type_info(types):
        walk(node)
    return found


def _events() -> Iterator[str]:
    yield "/** The type of `data` by the `type` of an event's frame. */"
    yield "export interface EventData {"
    for event, data in EVENTS:
        yield f"  {event}: {data};"
    yield "}"
    yield ""
    yield "/** The members of the gateway's own messages by their `type`; they are in `data` and beside it. */"
    yield "export interface AnswerData {"
    for answer, body in ANSWERS:
        yield f"  {answer}: {body.__name__};"
    yield "}"
    yield ""
    yield "/** Why a message was rejected. */"
    yield f"export type ErrorCode = {' | '.join(json.dumps(code) for code in get_args(ErrorCode))};"
    yield ""


def _channels() -> Iterator[str]:
    yield "/** Every channel and the `type` of its events; `everybody`: delivered without a subscription. */"
    yield "export const CHANNELS = {"
    for channel in CHANNELS.values():
        event, everybody = json.dumps(channel.event), json.dumps(channel.everybody)
        yield f"  {channel.name}: {{ event: {event}, everybody: {everybody} }},"
    yield "} as const;"
    yield ""
    yield "export type Channel = keyof typeof CHANNELS;"
    yield ""


def _close_codes() -> Iterator[str]:
    yield "/** Every close code: its meaning, and whether to reconnect. */"
    yield "export const CLOSE_CODES: Readonly<Record<number, { meaning: string; comeBack: boolean }>> = {"
    for code in CLOSE_CODES:
        yield f"  {code.code}: {{ meaning: {json.dumps(code.meaning)}, comeBack: {json.dumps(code.come_back)} }},"
    yield "};"
