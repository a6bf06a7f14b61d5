"""The AsyncAPI document is one by the standard's own schema, leaves nothing out, and its examples and its bounds are those
of the gateway."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft7Validator

from gateway.core.answers import AnswerType
from gateway.core.options import credit_of, options_of
from gateway.core.starts import BadOption, on_gap_of, start_of, until_of
from schemas.channels import CHANNELS
from schemas.close_codes import CLOSE_CODES
from schemas.codec import encode
from schemas.envelope import decode_message
from schemas.headers import event_headers
from schemas.topics import ALL_TOPICS, NOTIFICATIONS, Topic
from tests.support.asyncapi import Described
from tests.support.golden_records import EXAMPLES, GOLDEN
from tools.asyncapi import document, records
from tools.asyncapi.commands import COMMANDS

STANDARD = Path(GOLDEN / "asyncapi" / "3.0.0.json")
SUBSCRIBE: dict[str, Any] = {"type": "subscribe", "channel": "media_updates"}


@pytest.fixture(scope="module")
def described() -> Described:
    return Described(document.document())


def test_it_is_an_asyncapi_document(described: Described) -> None:
    Draft7Validator(json.loads(STANDARD.read_text())).validate(described.document)


def test_every_reference_leads_somewhere(described: Described) -> None:
    def follow(value: Any) -> int:
        if isinstance(value, list):
            return sum(map(follow, value))
        if not isinstance(value, dict):
            return 0
        found = 0
        if isinstance(ref := value.get("$ref"), str):
            at: Any = described.document
            for part in ref.removeprefix("#/").split("/"):
                at = at[part]
            found = 1
        return found + sum(map(follow, value.values()))

    assert follow(described.document) > 500


def test_every_channel_topic_frame_command_and_close_code_is_in_it(described: Described) -> None:
    channels = described.document["channels"]
    assert channels.keys() == {*CHANNELS, document.SOCKET, *(topic.name for topic in ALL_TOPICS)}
    answers, commands = set(get_args(AnswerType)), {command.type for command in COMMANDS}
    on_sockets = [channels[name]["messages"] for name in (*CHANNELS, document.SOCKET)]
    assert set().union(*on_sockets) == answers | commands | {channel.event for channel in CHANNELS.values()}
    for name, channel in CHANNELS.items():
        assert {channel.event, "subscribed", "subscribe", "unsubscribe", "credit"} <= channels[name][
            "messages"
        ].keys()
    sent = described.document["operations"]
    for name in channels:
        assert {"send", "receive"} == {
            o["action"] for o in sent.values() if o["channel"]["$ref"].endswith(f"/{name}")
        }
    codes = [code["code"] for code in described.document["servers"]["gateway"]["x-close-codes"]]
    assert codes == [code.code for code in CLOSE_CODES]


def test_every_frame_and_command_has_an_example_that_holds(described: Described) -> None:
    shown = {name for name, message in described.messages.items() if "examples" in message}
    assert shown == {*get_args(AnswerType), *(c.event for c in CHANNELS.values()), *(c.type for c in COMMANDS)}
    for name in shown:
        for example in described.messages[name]["examples"]:
            assert example["payload"]["type"] == name
            assert described.faults(example["payload"]) == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_record_is_one_of_the_messages_of_its_topic(described: Described, name: str) -> None:
    topic, record = EXAMPLES[name]
    value = json.loads(encode(record))
    fitting = [of for of in records.messages(topic) if described.judge(of).is_valid(value)]
    assert f"{topic.name}.{type(record).__name__}" in fitting


@pytest.mark.parametrize("topic", ALL_TOPICS, ids=lambda topic: topic.name)
def test_a_topic_has_a_key_and_headers(described: Described, topic: Topic) -> None:
    messages = [described.messages[name] for name in described.document["channels"][topic.name]["messages"]]
    assert messages
    for message in messages:
        assert message["bindings"]["kafka"]["key"] == {"type": "string", "description": topic.key}
        name = message["headers"]["$ref"].rsplit("/", 1)[-1]
        assert described.document["components"]["schemas"][name]["type"] == "object"


def test_headers_as_they_are_written_hold(described: Described) -> None:
    written = event_headers(id="1", type="notification", source="s", time="2024-01-15T10:30:00Z", subject="x")
    schema = described.document["components"]["schemas"][f"{NOTIFICATIONS.name}.headers"]
    Draft7Validator(schema).validate({name: value.decode() for name, value in written})


@pytest.mark.parametrize(
    ("members", "holds"),
    [
        ({}, True),
        ({"from": "live"}, True),
        ({"from": "head"}, False),
        ({"from": {"last": 10_000}}, True),
        ({"from": {"last": 10_001}}, False),
        ({"from": {"last": 0}}, False),
        ({"from": {"last": 1, "time": 1}}, False),
        ({"from": {"time": "2026-11-24T10:30:00Z"}}, True),
        ({"from": {"time": 253_402_300_800_000}}, False),
        ({"from": {"offsets": {"0": 120}}}, True),
        ({"from": {"offsets": {}}}, False),
        ({"from": {"offsets": {"x": 1}}}, False),
        ({"from": {"offsets": {"0": 2**53}}}, False),
        ({"until": "head"}, True),
        ({"until": "earliest"}, False),
        ({"until": {"last": 1}}, False),
        ({"on_gap": "fail"}, True),
        ({"on_gap": "stop"}, False),
        ({"on_slow": "conflate"}, True),
        ({"on_slow": "wait"}, False),
        ({"filter": {"storage_root": ["films"], "action": "created"}}, True),
        ({"filter": {}}, False),
        ({"filter": {"root": "films"}}, False),
        ({"filter": {"action": "vanished"}}, False),
        ({"filter": {"media_type": ["x"] * 65}}, False),
        ({"credit": 1_000_000}, True),
        ({"credit": 0}, False),
        ({"of_tomorrow": 1}, True),
    ],
)
def test_what_the_document_allows_a_client_to_send_is_what_the_gateway_accepts(
    described: Described, members: dict[str, Any], holds: bool
) -> None:
    printed = SUBSCRIBE | members
    assert (described.faults(printed) == []) is holds
    assert _taken(printed) is holds


def _taken(printed: dict[str, Any]) -> bool:
    message = decode_message(json.dumps(printed))
    try:
        options_of(message)
        start_of(message.from_, "media_updates")
        until_of(message.until)
        on_gap_of(message.on_gap)
        if "credit" in printed:
            credit_of(message.credit)
    except BadOption:
        return False
    return True
