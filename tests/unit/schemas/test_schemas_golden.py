"""Golden files: records of every released version are read by this one, and every example of the WebSocket
contract passes through the types unchanged in meaning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.channels import CHANNELS, Channel
from schemas.codec import Codec, encode
from schemas.envelope import EventFrames, decode_message
from schemas.headers import CE_TIME
from schemas.topics import DATA_TOPICS, Topic
from tests.support.golden_records import EXAMPLES, GOLDEN, SEED, formatted
from tests.support.grown import grown_bytes
from tools.records import topic_schema

RECORD_FILES = sorted((GOLDEN / "records").glob("v*/*.json"))
SERVER_FRAMES = sorted(path for path in SEED.glob("*.json") if not path.name.startswith("client."))
CLIENT_MESSAGES = sorted(SEED.glob("client.*.json"))


def reader(topic: Topic) -> Codec[msgspec.Struct]:
    """The type that any reader of the topic decodes with."""
    return Codec(topic.records)


def channel_of(frame: dict[str, Any]) -> Channel:
    return next(channel for channel in CHANNELS.values() if channel.event == frame["type"])


@pytest.mark.parametrize("path", RECORD_FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_record_of_a_released_version_is_read_and_loses_nothing(path: Path) -> None:
    topic, _ = EXAMPLES[path.stem]
    record = reader(topic).decode(path.read_bytes())
    assert json.loads(encode(record)) == json.loads(path.read_bytes())


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_record_is_written_as_its_golden_file_says(name: str) -> None:
    _, record = EXAMPLES[name]
    assert (GOLDEN / "records" / "v1" / f"{name}.json").read_text() == formatted(record)


@pytest.mark.parametrize("name", EXAMPLES)
def test_fields_of_a_later_program_are_ignored_wherever_they_stand(name: str) -> None:
    topic, record = EXAMPLES[name]
    later = grown_bytes(record)
    assert later.count(b"a_field_of_tomorrow") >= 1
    assert reader(topic).decode(later) == record


def test_every_record_type_has_a_golden_file() -> None:
    shown = {type(record).__name__ for _, record in EXAMPLES.values()}
    inner = {
        "FileState",
        "RootIdentity",
        "Counts",
        "Found",
        "Tags",
        "Counters",
        "Analysis",
        "GoneItem",
        "Unseen",
        "Holding",
        "Correction",
        "Credit",
        "Chapter",
        "AudioTrack",
        "SubtitleTrack",
        "Place",
        "Mark",
    }
    declared = {name for topic in DATA_TOPICS for name in topic_schema(topic)["$defs"]}
    assert declared - inner == shown


@pytest.mark.parametrize("path", SERVER_FRAMES, ids=lambda path: path.stem)
def test_an_example_of_the_contract_comes_out_of_a_frame_as_it_is(path: Path) -> None:
    example = json.loads(path.read_bytes())
    channel = channel_of(example)
    data: msgspec.Struct = Codec[msgspec.Struct](channel.data).decode(json.dumps(example["data"]).encode())
    frame = EventFrames(channel, legacy_payload=True).frame(
        0, 7, 0, [(CE_TIME, example["timestamp"].encode())], encode(data)
    )
    sent = json.loads(frame)
    assert {member: sent[member] for member in example} == example
    assert sent["payload"] == example["data"]


@pytest.mark.parametrize("path", CLIENT_MESSAGES, ids=lambda path: path.stem)
def test_a_message_of_the_contract_is_understood_and_plain(path: Path) -> None:
    example = json.loads(path.read_bytes())
    message = decode_message(path.read_bytes())
    assert (message.type, message.channel, message.plain) == (example["type"], example["channel"], True)


def test_every_event_of_the_contract_is_among_the_examples() -> None:
    shown = {json.loads(path.read_bytes())["type"] for path in SERVER_FRAMES}
    assert shown == {"media_update", "system_update", "analysis_complete", "notification"}
