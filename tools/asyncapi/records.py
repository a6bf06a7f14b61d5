"""What is in Kafka: each topic of the table as a channel, each type of record as a message with its key and headers."""

from __future__ import annotations

from typing import Any

from schemas.headers import (
    TRACEPARENT,
    X_ATTEMPT,
    X_EXCEPTION_MESSAGE,
    X_EXCEPTION_TYPE,
    X_LETTER,
    X_ORIGINAL_OFFSET,
    X_ORIGINAL_PARTITION,
    X_ORIGINAL_SIZE,
    X_ORIGINAL_TIMESTAMP,
    X_ORIGINAL_TOPIC,
    X_TO,
)
from schemas.topics import DLQ_SUFFIX, SNAPSHOTS, Topic
from tools.records import HEADER_MEANINGS, headers_of, mark_schema, topic_schema

Schema = dict[str, Any]

_LETTER, _MARK = "letter.headers", "letter_closed.headers"
BINDING = "0.5.0"
"""Version of AsyncAPI's Kafka bindings."""

_NOT_ALWAYS = (TRACEPARENT, X_TO, X_ORIGINAL_SIZE)
_OF_LETTERS = (
    X_ORIGINAL_TOPIC, X_ORIGINAL_PARTITION, X_ORIGINAL_OFFSET, X_ORIGINAL_TIMESTAMP, X_EXCEPTION_TYPE, X_EXCEPTION_MESSAGE,
    X_ATTEMPT, X_ORIGINAL_SIZE,
)  # fmt: skip


def components(topics: tuple[Topic, ...]) -> dict[str, Schema]:
    """The JSON Schemas of all records and of their parts, by name."""
    found: dict[str, Schema] = {}
    for topic in topics:
        found |= {name: _header_schema(headers) for name, headers in _headers_of(topic).items()}
        found |= _to_draft_07(
            topic_schema(topic)["$defs"] if topic.records is not bytes else mark_schema()["$defs"]
        )
    return found


def messages(topic: Topic) -> dict[str, Schema]:
    """The messages of a topic's records, by name."""
    if topic.name.endswith(DLQ_SUFFIX):
        letter = {"description": "the original's value as it was, or its beginning"}
        mark = _ref("LetterClosed")
        return {
            f"{topic.name}.Letter": _message(topic, "A record that could not be processed", letter, _LETTER),
            f"{topic.name}.LetterClosed": _message(topic, "A mark that a letter was seen to", mark, _MARK),
        }
    schema = topic_schema(topic)
    names = [part["$ref"].rsplit("/", 1)[-1] for part in schema.get("anyOf", [schema])]
    headers = f"{topic.name}.headers"
    found = {
        f"{topic.name}.{name}": _message(topic, _first_line(schema["$defs"][name]), _ref(name), headers)
        for name in names
    }
    if topic is SNAPSHOTS:
        chunk = {"description": "bytes in the format that the manifest after them gives"}
        found[f"{topic.name}.Chunk"] = _message(
            topic, "A piece of a lane's state", chunk, headers, "application/octet-stream"
        )
    return found


def channel(topic: Topic) -> Schema:
    """The channel of a topic. For topics with one partition for each lane the number is left to the installation."""
    configuration: Schema = {"cleanup.policy": [topic.cleanup], "max.message.bytes": topic.max_message_bytes}
    for name in ("retention.ms", "retention.bytes"):
        if name in topic.config():
            configuration[name] = int(topic.config()[name])
    binding: Schema = {"topic": topic.name, "topicConfiguration": configuration, "bindingVersion": BINDING}
    if topic.partitions is not None:
        binding["partitions"] = topic.partitions
    return {
        "address": topic.name,
        "title": topic.name,
        "description": f"{topic.purpose}. Written by: {topic.writer}; read by: {topic.readers}. Key: {topic.key}.",
        "servers": [{"$ref": "#/servers/kafka"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages(topic)},
        "bindings": {"kafka": binding},
    }


def operations(topic: Topic) -> dict[str, Schema]:
    """The operations that write and read a topic."""
    of_it = [{"$ref": f"#/channels/{topic.name}/messages/{name}"} for name in messages(topic)]
    channel_ = {"$ref": f"#/channels/{topic.name}"}
    return {
        f"write.{topic.name}": {
            "action": "send",
            "channel": channel_,
            "summary": f"Written by: {topic.writer}",
            "messages": of_it,
        },
        f"read.{topic.name}": {
            "action": "receive",
            "channel": channel_,
            "summary": f"Read by: {topic.readers}",
            "messages": of_it,
        },
    }


def _message(
    topic: Topic, summary: str, payload: Schema, headers: str, content_type: str = "application/json"
) -> Schema:
    return {
        "contentType": content_type,
        "summary": summary,
        "headers": _ref(headers),
        "payload": payload,
        "bindings": {"kafka": {"key": {"type": "string", "description": topic.key}, "bindingVersion": BINDING}},
    }


def _headers_of(topic: Topic) -> dict[str, tuple[str, ...]]:
    """The headers of a topic's records, by the name of their schema."""
    if topic.name.endswith(DLQ_SUFFIX):
        return {_LETTER: _OF_LETTERS, _MARK: (X_LETTER,)}
    return {f"{topic.name}.headers": headers_of(topic)}


def _header_schema(headers: tuple[str, ...]) -> Schema:
    return {
        "type": "object",
        "properties": {name: {"type": "string", "description": HEADER_MEANINGS[name]} for name in headers},
        "required": [name for name in headers if name not in _NOT_ALWAYS],
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _first_line(record: Schema) -> str:
    text = " ".join(str(record.get("description", record["title"])).split())
    return text.split(". ")[0].rstrip(".")


def _to_draft_07(value: Any) -> Any:
    """AsyncAPI's schemas are JSON Schema's draft 07: references go to the document's components, and `discriminator` is the
    name alone."""
    match value:
        case dict():
            found = {name: _to_draft_07(member) for name, member in value.items()}
            if isinstance(ref := found.get("$ref"), str):
                found["$ref"] = ref.replace("#/$defs/", "#/components/schemas/")
            if isinstance(tag := found.get("discriminator"), dict) and "propertyName" in tag:
                found["discriminator"] = tag["propertyName"]
            return found
        case list():
            return [_to_draft_07(member) for member in value]
        case _:
            return value
