"""JSON Schemas (`schemas/json`) and docs/records.md, generated from the records and the topics table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from schemas.channels import CHANNELS
from schemas.dead_letters import LetterClosed
from schemas.headers import (
    CE_DATASCHEMA,
    CE_ID,
    CE_SOURCE,
    CE_SPECVERSION,
    CE_SUBJECT,
    CE_TIME,
    CE_TYPE,
    CONTENT_TYPE,
    SCHEMA_VERSION,
    TRACEPARENT,
    TYPE,
    X_ATTEMPT,
    X_EXCEPTION_MESSAGE,
    X_EXCEPTION_TYPE,
    X_FOLD_VERSION,
    X_LETTER,
    X_N,
    X_ORIGINAL_OFFSET,
    X_ORIGINAL_PARTITION,
    X_ORIGINAL_SIZE,
    X_ORIGINAL_TIMESTAMP,
    X_ORIGINAL_TOPIC,
    X_SOURCE,
    X_TARGETS,
    X_TO,
)
from schemas.topics import (
    ALERTS,
    COUNTED,
    COVERS,
    DATA_TOPICS,
    DEFAULT_LANES,
    EMBEDDED_LANES,
    META,
    NOTIFICATIONS,
    POSITIONS,
    RAW,
    Topic,
    dlq_of,
)
from schemas.topics import GUARDED as GUARDED_TOPICS
from tools.meanings import meaning

JSON_FOLDER = Path("schemas/json")
RECORDS = Path("docs/records.md")

CLOUD_EVENT = (CE_SPECVERSION, CE_ID, CE_TYPE, CE_SOURCE, CE_TIME, CE_SUBJECT, CE_DATASCHEMA, CONTENT_TYPE)

HEADER_MEANINGS: dict[str, str] = {
    TYPE: "the record's kind",
    SCHEMA_VERSION: "major version of its schema; an unknown one goes to the dead letter queue",
    TRACEPARENT: "W3C trace context: the same trace for an observation and all that came of it; where it is known",
    CE_SPECVERSION: "`1.0` (CloudEvents, binary mode of the Kafka protocol binding)",
    CE_ID: "deterministic id of the event: UUID 5 of (source position, index among its outputs)",
    CE_TYPE: "type of the event",
    CE_SOURCE: "what wrote it",
    CE_TIME: "the event's own time, ISO 8601",
    CE_SUBJECT: "what it is about: a media id, a path, a component",
    CE_DATASCHEMA: "`urn:catalogizer:schema:<type>:<major version>`",
    CONTENT_TYPE: "`application/json`",
    X_SOURCE: "`topic:partition:offset` of the record at which it was decided",
    X_N: "number of the record, dense per topic and lane, from 1: a reader proves contiguity by it",
    X_FOLD_VERSION: "version of the fold",
    X_TO: "of a notification for some alone: `role:ID`, `user:ID` or `library:NAME`",
    X_TARGETS: "of an alert given back from the dead letter queue: the targets that it had failed to reach",
    X_ORIGINAL_TOPIC: "where the dead letter came from: topic",
    X_ORIGINAL_PARTITION: "partition",
    X_ORIGINAL_OFFSET: "offset",
    X_ORIGINAL_TIMESTAMP: "append time there, ms since 1970",
    X_ORIGINAL_SIZE: "bytes of the original's value, where only its beginning is kept (of more than 400,000)",
    X_EXCEPTION_TYPE: "why it could not be processed: the error's type",
    X_EXCEPTION_MESSAGE: "the error's text",
    X_ATTEMPT: "how often it was tried",
    X_LETTER: "of a mark in a dead letter queue: the offset of the letter there that it closes; the first header",
}


def topic_schema(topic: Topic) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a topic's values, its fields described."""
    schema = _described(topic.records)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:catalogizer:schema:{topic.name}",
        "title": topic.name,
        "description": topic.purpose,
        **schema,
    }


def mark_schema() -> dict[str, Any]:
    """The same for a mark in a dead letter queue."""
    return _described(LetterClosed)


def _described(records: object) -> dict[str, Any]:
    schema = msgspec.json.schema(records, schema_hook=_any_json)
    for name, record in schema["$defs"].items():
        for field, described in record.get("properties", {}).items():
            if (text := meaning(name, field)) is not None:
                described["description"] = text
    return schema


def files() -> dict[Path, str]:
    """Every generated file, relative to the project's folder, with its contents."""
    written = {
        JSON_FOLDER / f"{topic.name}.json": json.dumps(topic_schema(topic), indent=2, ensure_ascii=False) + "\n"
        for topic in DATA_TOPICS
    }
    written[RECORDS] = "\n".join(_records_page()).rstrip() + "\n"
    return written


def _any_json(_type: type) -> dict[str, Any]:
    return {"description": "any JSON value"}


def headers_of(topic: Topic) -> tuple[str, ...]:
    """The headers that our writers add to a topic's records."""
    if topic is RAW:
        return (TYPE, SCHEMA_VERSION, TRACEPARENT)
    if topic in (META, POSITIONS):
        return ()
    if topic.writer == "the fold":
        return (*CLOUD_EVENT, X_SOURCE, *((X_N,) if topic in COUNTED else ()), X_FOLD_VERSION, TRACEPARENT)
    if topic is COVERS:
        return (*CLOUD_EVENT, TRACEPARENT)
    if topic is ALERTS:
        return (*CLOUD_EVENT, X_SOURCE, X_TARGETS)
    if topic is NOTIFICATIONS:
        return (*CLOUD_EVENT, X_TO)
    return CLOUD_EVENT


def _records_page() -> Iterator[str]:
    yield "# Records: every topic's every field"
    yield ""
    yield "Generated by `python -m tools.generate` from `schemas/`; a test fails when it is out of date."
    yield ""
    yield (
        "Values are UTF-8 JSON. Readers ignore fields they do not know; fields with a default are left out when"
        " they have it. The broker gives every record its append time (`LogAppendTime`). `L` is the number of"
        f" lanes ({DEFAULT_LANES}; {EMBEDDED_LANES} on the embedded broker), fixed for the life of the log. Every"
        " library is one lane: all its records have partition `murmur2(library) mod L` in every topic with L"
        " partitions. An installation may put one prefix before all topic names. JSON Schemas of all values are"
        " in `schemas/json/`."
    )
    yield ""
    yield from _overview()
    yield from _header_table()
    for topic in DATA_TOPICS:
        yield from _topic_section(topic)
    yield from _dlq_section()


def _overview() -> Iterator[str]:
    yield "| topic | channel | key | partitions | kept | written by | read by |"
    yield "|---|---|---|---|---|---|---|"
    channels = {channel.topic.name: channel.name for channel in CHANNELS.values() if channel.topic is not None}
    for topic in DATA_TOPICS:
        channel = f"`{channels[topic.name]}`" if topic.name in channels else ""
        link = f"[`{topic.name}`](#{topic.name.replace('.', '')})"
        cells = (link, channel, topic.key, _partitions(topic), _kept(topic), topic.writer, topic.readers)
        yield f"| {' | '.join(cells)} |"
    yield ""


def _header_table() -> Iterator[str]:
    yield "## Headers"
    yield ""
    yield "| header | meaning |"
    yield "|---|---|"
    for name, text in HEADER_MEANINGS.items():
        yield f"| `{name}` | {text} |"
    yield ""


def _topic_section(topic: Topic) -> Iterator[str]:
    schema = topic_schema(topic)
    headers = ", ".join(f"`{name}`" for name in headers_of(topic)) or "none"
    yield f"## {topic.name}"
    yield ""
    yield f"{_sentence(topic.purpose)} Key: {topic.key}. Partitions: {_partitions(topic)}. Kept: {_kept(topic)}."
    yield f"Written by {topic.writer}; read by {topic.readers}. Headers: {headers}."
    yield ""
    for name, record in _in_order(schema):
        yield from _record_section(name, record, schema.get("discriminator", {}).get("propertyName"))


def _in_order(schema: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The records of the topic first, then the types they consist of."""
    heads = [part["$ref"].rsplit("/", 1)[-1] for part in schema.get("anyOf", [schema])]
    names = [*heads, *(name for name in schema["$defs"] if name not in heads)]
    return [(name, schema["$defs"][name]) for name in names]


def _record_section(name: str, record: dict[str, Any], tag: str | None) -> Iterator[str]:
    """A record's section. `tag`: the field that distinguishes the topic's records, if it has several."""
    fields = record.get("properties", {})
    kind = fields.get(tag, {}).get("enum")
    yield f"### {name}{f' (`{tag}`: `{kind[0]}`)' if kind else ''}"
    yield ""
    if text := record.get("description"):
        yield " ".join(text.split())
        yield ""
    shown = {field: described for field, described in fields.items() if field != tag or not kind}
    if not shown:
        return
    yield "| field | type | | meaning |"
    yield "|---|---|---|---|"
    required = record.get("required", [])
    for field, described in shown.items():
        need = "" if field in required else _default(described)
        yield f"| `{field}` | {_type_text(described)} | {need} | {described.get('description', '')} |"
    yield ""


def _dlq_section() -> Iterator[str]:
    queues = ", ".join(f"`{dlq_of(topic).name}`" for topic in GUARDED_TOPICS)
    queue = dlq_of(RAW)
    yield "## Dead letter queues"
    yield ""
    yield (
        f"{queues}. One partition each, kept {_kept(queue)}. Key and value are the original's, byte for byte; the"
        " original's headers follow these:"
    )
    yield ""
    for name in (n for n in HEADER_MEANINGS if n.startswith(("x-original", "x-exception", X_ATTEMPT))):
        yield f"- `{name}`"
    yield ""
    yield (
        f"A record whose first header is `{X_LETTER}` is no letter but a mark that a letter was seen to, written by"
        " `catalogizer dlq redrive` (in one transaction with what it gave back) or `dlq discard`. Its value:"
    )
    yield ""
    yield from _record_section("LetterClosed", mark_schema()["$defs"]["LetterClosed"], None)


def _default(described: dict[str, Any]) -> str:
    if "default" not in described or described["default"] is None:
        return "optional"
    return f"default `{json.dumps(described['default'], ensure_ascii=False)}`"


def _type_text(described: dict[str, Any]) -> str:
    match described:
        case {"$ref": ref}:
            return str(ref).rsplit("/", 1)[-1]
        case {"anyOf": parts}:
            return " or ".join(_type_text(part) for part in parts)
        case {"enum": values}:
            return ", ".join(f"`{value}`" for value in values)
        case {"type": "array", "items": items}:
            return f"list of {_type_text(items)}"
        case {"type": "object", "additionalProperties": _}:
            return "object"
        case {"contentEncoding": encoding}:
            return f"{encoding} string"
        case {"type": kind}:
            return str(kind)
        case _:
            return "any"


def _partitions(topic: Topic) -> str:
    return "L" if topic.partitions is None else str(topic.partitions)


def _kept(topic: Topic) -> str:
    if topic.cleanup == "compact":
        return "the newest of each key (compacted)"
    return "for ever" if topic.retention is None else f"{topic.retention.days} days"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."
