"""The AsyncAPI document that a gateway serves describes its installation, for administrators; and what its sockets really
send and receive conforms to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft7Validator

from runtime.kafka import Kafka
from schemas.channels import ANALYSIS_UPDATES, CHANNELS, MEDIA_UPDATES, NOTIFICATIONS, SYSTEM_UPDATES
from schemas.topics import ALL_TOPICS
from tests.integration.gateway.test_seed_contract import EXAMPLES
from tests.support.asyncapi import Described
from tests.support.events import event, films
from tests.support.gateway import Client, Gateway
from tests.support.golden_records import GOLDEN
from tests.support.topic import NewRecord, write

BOTH = ("/asyncapi.json", "/api/v1/asyncapi.json")


@pytest.fixture(scope="module")
def described(server: Gateway) -> Described:
    with server.http(server.sign_in()) as http:
        answers = [http.get(path) for path in BOTH]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    return Described(answers[0].json())


def test_it_is_only_for_accounts_that_may_inspect_the_gateway(server: Gateway) -> None:
    assert [httpx.get(server.url + path).status_code for path in BOTH] == [401, 401]


def test_it_has_the_values_of_the_installation(server: Gateway, described: Described, log: Kafka) -> None:
    found = described.document
    Draft7Validator(json.loads(Path(GOLDEN / "asyncapi" / "3.0.0.json").read_text())).validate(found)
    with server.http() as http:
        assert found["info"]["version"] == http.get("/version").json()["version"]
    assert found["servers"]["gateway"]["host"] == f"127.0.0.1:{server.port}"
    assert found["servers"]["kafka"]["host"] == log.settings.bootstrap_servers
    for topic in ALL_TOPICS:
        channel = found["channels"][topic.name]
        assert channel["address"] == channel["bindings"]["kafka"]["topic"] == log.name(topic)
        assert channel["bindings"]["kafka"]["partitions"] == topic.partition_count(log.lanes)


def test_real_frames_conform_to_it(server: Gateway, token: str, log: Kafka, described: Described) -> None:
    sent: list[dict[str, Any]] = []

    def say(client: Client, **message: Any) -> None:
        sent.append({name.rstrip("_"): value for name, value in message.items()})
        client.send(**message)

    assert MEDIA_UPDATES.topic is not None
    with server.client(token) as client:
        for channel in CHANNELS.values():
            say(client, type="subscribe", channel=channel.name, from_="earliest", ref={"any": [1]})
            client.receive_type("subscribed")
        write(log, *(event(c, data, id=f"held-{n}", time=time) for n, (c, data, time) in enumerate(EXAMPLES)))
        write(log, NewRecord(MEDIA_UPDATES.topic, b"not json", key=b"home"), *films(1_100))
        client.receive_type("gap")
        client.receive_type("position")
        say(client, type="unsubscribe", channel="system_updates")
        client.receive_type("unsubscribed")
        say(
            client, type="subscribe", channel="media_updates", from_={"last": 20}, until="head", on_slow="conflate"
        )
        client.receive_type("unsubscribed")
        say(client, type="subscribe", channel="media_updates", credit=5)
        say(client, type="credit", channel="media_updates", credit=5)
        say(client, type="ping", ref=1)
        client.receive_type("pong")
        say(client, type="auth", token=token)
        client.receive_type("authenticated")
        client.send(type="subscribe", channel="nothing")
        client.receive_type("error")
    frames = [json.loads(text) for text in client.texts]
    assert {fault for frame in [*frames, *sent] for fault in described.faults(frame)} == set()
    events = {c.event for c in (MEDIA_UPDATES, SYSTEM_UPDATES, ANALYSIS_UPDATES, NOTIFICATIONS)}
    assert {frame["type"] for frame in frames} >= events | {
        "subscribed", "caught_up", "gap", "position", "unsubscribed", "pong", "authenticated", "error",
    }  # fmt: skip
