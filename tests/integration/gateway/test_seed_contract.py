"""Every example of the contract reaches a socket unchanged: type, data and timestamp exact; and a client that knows only the
contract is served as it expects."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.kafka import Kafka
from schemas.channels import ANALYSIS_UPDATES, CHANNELS, MEDIA_UPDATES, NOTIFICATIONS, SYSTEM_UPDATES, Channel
from tests.support.events import event, film
from tests.support.gateway import Gateway
from tests.support.topic import write

Example = tuple[Channel, dict[str, Any], str]

EXAMPLES: list[Example] = [
    (
        MEDIA_UPDATES,
        {
            "action": "created",
            "media_id": 42,
            "media": {
                "id": 42,
                "title": "The Matrix (1999)",
                "media_type": "video",
                "year": 1999,
                "quality": "1080p",
                "file_size": 4294967296,
                "directory_path": "/movies/The Matrix (1999)",
                "created_at": "2024-01-15T10:30:00Z",
                "updated_at": "2024-01-15T10:30:00Z",
            },
        },
        "2024-01-15T10:30:00Z",
    ),
    (
        MEDIA_UPDATES,
        {"action": "deleted", "media_id": 42, "media": {"id": 42, "title": "The Matrix (1999)"}},
        "2024-01-15T11:00:00Z",
    ),
    (
        SYSTEM_UPDATES,
        {
            "action": "health_check",
            "component": "smb_storage",
            "status": "healthy",
            "message": "All SMB connections active",
            "details": {"connected_shares": 3, "total_shares": 3},
        },
        "2024-01-15T10:00:00Z",
    ),
    (
        SYSTEM_UPDATES,
        {
            "action": "storage_update",
            "component": "nas-backup",
            "status": "error",
            "message": "SMB connection lost to nas-backup",
            "details": {
                "host": "192.168.1.100",
                "share": "backup",
                "last_connected": "2024-01-15T09:55:00Z",
                "retry_count": 3,
            },
        },
        "2024-01-15T10:05:00Z",
    ),
    (
        SYSTEM_UPDATES,
        {
            "action": "service_status",
            "component": "media_analysis",
            "status": "warning",
            "message": "Analysis queue backlog detected",
            "details": {"queue_length": 500, "workers": 4, "estimated_completion": "2024-01-15T12:00:00Z"},
        },
        "2024-01-15T10:10:00Z",
    ),
    (
        ANALYSIS_UPDATES,
        {
            "items_processed": 150,
            "items_identified": 142,
            "items_failed": 8,
            "duration_ms": 45000,
            "storage_root": "nas-media",
            "scan_id": 23,
        },
        "2024-01-15T10:45:00Z",
    ),
    (
        NOTIFICATIONS,
        {
            "type": "conversion",
            "title": "Conversion Complete",
            "message": "video.mp4 has been converted to mp3",
            "level": "success",
        },
        "2024-01-15T11:00:00Z",
    ),
]


@pytest.mark.parametrize(
    ("channel", "data", "time"), EXAMPLES, ids=[f"{c.event}-{t[11:16]}" for c, _, t in EXAMPLES]
)
def test_an_example_of_the_contract_arrives_as_it_stands_there(
    server: Gateway, token: str, log: Kafka, channel: Channel, data: dict[str, Any], time: str
) -> None:
    with server.client(token) as client:
        for name in ("media_updates", "system_updates", "analysis_updates"):
            client.subscribe(name)
        write(log, event(channel, data, id="example-1", time=time))
        frame = client.receive_type(channel.event)
    assert {"type": frame["type"], "data": frame["data"], "timestamp": frame["timestamp"]} == {
        "type": channel.event,
        "data": data,
        "timestamp": time,
    }
    assert frame["payload"] == data
    assert (frame["channel"], frame["partition"], frame["id"]) == (channel.name, 0, "example-1")
    assert isinstance(frame["offset"], int)


def test_a_plain_subscribe_gets_the_flat_answer_and_nothing_the_contract_does_not_have(
    server: Gateway, token: str, log: Kafka
) -> None:
    with server.client(token) as client:
        answers = [client.subscribe(name) for name in CHANNELS]
        write(log, event(MEDIA_UPDATES, film(1), id="a", time="2024-01-15T10:30:00Z"))
        event_frame = client.receive()
    assert [(a["type"], a["channel"]) for a in answers] == [("subscribed", name) for name in CHANNELS]
    assert all(a["timestamp"] for a in answers)
    assert event_frame["type"] == "media_update"
    assert [len(client.texts), client.texts[-1][:23]] == [len(CHANNELS) + 1, '{"type":"media_update",']


def test_what_is_not_subscribed_to_does_not_come_and_unsubscribing_ends_it(
    server: Gateway, token: str, log: Kafka
) -> None:
    with server.client(token) as client:
        client.subscribe("system_updates")
        client.subscribe("media_updates")
        client.send(type="unsubscribe", channel="media_updates", ref="u1")
        answer = client.receive_type("unsubscribed")
        write(log, event(MEDIA_UPDATES, film(1), id="b", time="2024-01-15T10:30:00Z"))
        status = {"action": "health_check", "component": "x", "status": "healthy"}
        write(log, event(SYSTEM_UPDATES, status, id="c", time="2024-01-15T10:30:00Z"))
        frames = client.receive_until(lambda frame: frame["type"] == "system_update")
    assert (answer["channel"], answer["ref"]) == ("media_updates", "u1")
    assert [frame["type"] for frame in frames] == ["system_update"]


def test_subscribing_twice_delivers_once(server: Gateway, token: str, log: Kafka) -> None:
    with server.client(token) as client:
        client.subscribe("media_updates")
        client.subscribe("media_updates")
        write(log, event(MEDIA_UPDATES, film(1), id="d", time="2024-01-15T10:30:00Z"))
        write(log, event(MEDIA_UPDATES, film(2), id="e", time="2024-01-15T10:30:00Z"))
        frames = client.receive_until(lambda frame: frame.get("id") == "e")
    assert [frame["id"] for frame in frames] == ["d", "e"]


def test_a_notification_reaches_a_client_that_never_subscribed(server: Gateway, token: str) -> None:
    body = {"type": "conversion", "title": "Done", "message": "a.mp4", "level": "success"}
    with server.client(token) as client, server.http(token) as http:
        answer = http.post("/api/v1/notifications", json={**body, "id": "mine-1"})
        frame = client.receive()
    assert answer.status_code == 201
    assert (frame["type"], frame["data"], frame["id"]) == ("notification", body, "mine-1")
    assert (frame["partition"], frame["offset"]) == (answer.json()["partition"], answer.json()["offset"])


def test_ping_is_answered_with_or_without_a_timestamp(server: Gateway, token: str) -> None:
    with server.client(token) as client:
        client.send(type="ping")
        client.send(type="ping", timestamp="2024-01-15T10:30:00Z", ref={"n": 7})
        frames = [client.receive(), client.receive()]
    assert [(f["type"], f.get("ref")) for f in frames] == [("pong", None), ("pong", {"n": 7})]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "bad_json"),
        ("", "bad_json"),
        ("[1]", "not_an_object"),
        ('"subscribe"', "not_an_object"),
        ("{}", "bad_request"),
        ('{"type":7,"ref":"r"}', "bad_request"),
        ('{"type":"fly","ref":"r"}', "unknown_type"),
        ('{"type":"subscribe","channel":"no","ref":"r"}', "unknown_channel"),
        ('{"type":"subscribe","ref":"r"}', "unknown_channel"),
        ('{"type":"subscribe","channel":["media_updates"],"ref":"r"}', "unknown_channel"),
        ('{"type":"unsubscribe","channel":"media_updates","ref":"r"}', "not_subscribed"),
        ('{"type":"subscribe","channel":"media_updates","from":"yesterday","ref":"r"}', "bad_request"),
        ('{"type":"subscribe","channel":"media_updates","from":{"last":0},"ref":"r"}', "bad_request"),
        ('{"type":"subscribe","channel":"media_updates","from":{"last":true},"ref":"r"}', "bad_request"),
        ('{"type":"subscribe","channel":"media_updates","from":{"time":"then"},"ref":"r"}', "bad_request"),
        ('{"type":"subscribe","channel":"media_updates","from":{"time":1e99},"ref":"r"}', "bad_request"),
        ('{"type":"subscribe","channel":"media_updates","from":{"offsets":{"x":1}},"ref":"r"}', "bad_request"),
        ('{"type":"subscribe","channel":"media_updates","from":{"offsets":{"0":-1}},"ref":"r"}', "bad_request"),
        ('{"type":"subscribe","channel":"media_updates","from":{"cursor":"x"},"ref":"r"}', "bad_cursor"),
        ('{"type":"subscribe","channel":"media_updates","from":"session","ref":"r"}', "bad_request"),
        ('{"type":"subscribe","channel":"media_updates","filter":{},"ref":"r"}', "bad_request"),
        ('{"type":"subscribe","channel":"media_updates","credit":0,"ref":"r"}', "bad_request"),
        ('{"type":"subscribe","channel":"media_updates","filter":{"colour":"red"},"ref":"r"}', "bad_request"),
        ('{"type":"subscribe","channel":"media_updates","on_slow":"sleep","ref":"r"}', "bad_request"),
        ('{"type":"subscribe","channel":"media_updates","until":3,"ref":"r"}', "bad_request"),
        ('{"type":"auth","token":"x","ref":"r"}', "bad_request"),
        ('{"type":"ping","ref":1e999}', "bad_json"),
    ],
)
def test_a_wrong_message_is_answered_by_name_and_the_socket_stays(
    server: Gateway, token: str, text: str, code: str
) -> None:
    with server.client(token) as client:
        client.socket.send(text)
        error = client.receive()
        client.send(type="ping")
        assert client.receive()["type"] == "pong"
    assert (error["type"], error["data"]["code"]) == ("error", code)
    assert error["data"]["message"]
    assert error["timestamp"]
    if '"ref":"r"' in text:
        assert error["ref"] == "r"
