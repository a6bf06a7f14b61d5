"""A gateway whose topics are changed by an operator's tools while it runs: clients are notified, nothing is silently
skipped, and no record is published where nobody reads."""

from __future__ import annotations

from pathlib import Path

from runtime.kafka import Kafka
from schemas.channels import MEDIA_UPDATES, NOTIFICATIONS
from schemas.topics import Topic
from tests.support.events import event, films
from tests.support.gateway import Frame, Gateway, gateway
from tests.support.kafka_tools import add_partitions, delete_records, make_anew
from tests.support.topic import NewRecord, write
from tests.support.waiting import wait_until

NOTICED_SECONDS = 90.0
"""The topics are checked every 20 s."""


def topic_of(channel_topic: Topic | None) -> Topic:
    assert channel_topic is not None
    return channel_topic


def notifications(count: int, first: int, partition: int = 0) -> list[NewRecord]:
    return [
        event(
            NOTIFICATIONS, {"type": "news", "title": str(n), "message": "", "level": "info"}, id=f"news-{n}",
            time="2024-01-15T10:30:00Z", partition=partition,
        )
        for n in range(first, first + count)
    ]  # fmt: skip


def topics_problem(server: Gateway) -> str:
    with server.http() as http:
        return str(http.get("/health").json()["problems"].get("topics", ""))


def titles(frames: list[Frame]) -> list[str]:
    return [frame["data"]["title"] for frame in frames if frame["type"] == "notification"]


def post(server: Gateway, token: str, count: int) -> list[str]:
    """Publish notifications; returns the ids of those that were accepted."""
    ids = []
    with server.http(token) as http:
        for n in range(count):
            body = {"type": f"kind-{n}", "title": f"posted {n}", "message": "", "level": "info"}
            answer = http.post("/api/v1/notifications", json=body)
            assert answer.status_code == 201, answer.text
            ids.append(answer.json()["id"])
    return ids


def test_a_recreated_topic_grown_past_its_old_end_is_reported_and_delivered_from_its_beginning(
    kafka: Kafka, tables: str, tmp_path: Path
) -> None:
    topic, brokers = kafka.name(topic_of(NOTIFICATIONS.topic)), kafka.settings.bootstrap_servers or ""
    write(kafka, *notifications(2, 0))
    server = gateway(kafka, tables, tmp_path)
    server.start()
    try:
        token = server.sign_in()
        with server.client(token, ping_interval=None) as client:
            before = client.subscribe("notifications", from_="earliest")
            client.receive_type("caught_up")
            make_anew(brokers, topic)
            write(kafka, *notifications(9, 100))
            gap = client.receive_until(lambda f: f["type"] == "gap", NOTICED_SECONDS)[-1]
            after = client.receive_until(lambda f: f.get("id") == "news-108", 20)
            problem = topics_problem(server)
        with server.client(token) as client:
            again = client.subscribe("notifications", from_={"cursor": before["cursor"]})
            replayed = client.receive_until(lambda f: f["type"] == "caught_up", 20)
    finally:
        server.kill()
    assert (gap["channel"], gap["partition"], gap["to"], gap["reason"]) == (
        "notifications",
        0,
        None,
        "epoch_changed",
    )
    assert titles(after) == [str(n) for n in range(100, 109)]
    assert [f["offset"] for f in after if f["type"] == "notification"] == list(range(9))
    assert f"{topic} was recreated by other means: run `catalogizer topics apply`" in problem
    assert (again["recovered"], again["reason"], again["start"]) == (False, "epoch_changed", {"0": 0})
    assert titles(replayed) == [str(n) for n in range(100, 109)]


def test_partitions_that_were_added_are_read_from_their_beginning_and_what_we_write_arrives_at_once(
    kafka: Kafka, tables: str, tmp_path: Path
) -> None:
    brokers = kafka.settings.bootstrap_servers or ""
    channels = {c.name: topic_of(c.topic) for c in (NOTIFICATIONS, MEDIA_UPDATES)}
    lanes = kafka.lanes
    server = gateway(kafka, tables, tmp_path)
    server.start()
    try:
        token = server.sign_in()
        with server.client(token, ping_interval=None) as client:
            client.subscribe("media_updates", from_="live")
            add_partitions(brokers, kafka.name(channels["notifications"]), 3)
            add_partitions(brokers, kafka.name(channels["media_updates"]), lanes + 2)
            posted = post(server, token, 12)
            received = client.receive_until(lambda f: f.get("id") == posted[-1], 5)
            write(kafka, *notifications(3, 0, partition=2), *films(2, first=700, partition=lanes + 1))
            late = client.receive_until(lambda f: f.get("id") == f"film-{lanes + 1}-701", NOTICED_SECONDS)
            late += client.receive_until(lambda f: f.get("id") == "news-2", 10) if "2" not in titles(late) else []
            problem = topics_problem(server)
            write(kafka, *films(1, first=702, partition=lanes + 1), *films(1, first=703))
            client.receive_until(lambda f: f.get("id") == "film-0-703", 10)
    finally:
        server.kill()
    assert [f["id"] for f in received if f["type"] == "notification"] == posted
    assert titles(late) == ["0", "1", "2"]
    assert [f["id"] for f in late if f["type"] == "media_update"] == [f"film-{lanes + 1}-{n}" for n in (700, 701)]
    assert not [f for f in (*received, *late) if f["type"] == "gap"]
    assert f"{kafka.name(channels['notifications'])} has 3 partitions and was declared with 1" in problem
    assert f"{kafka.name(channels['media_updates'])} has {lanes + 2} partitions" in problem


def test_records_deleted_by_kafka_s_own_tool_are_a_gap_for_who_wanted_them(
    kafka: Kafka, tables: str, tmp_path: Path
) -> None:
    topic = topic_of(MEDIA_UPDATES.topic)
    server = gateway(kafka, tables, tmp_path, {"RING_BYTES": "65536"})
    server.start()
    try:
        token = server.sign_in()
        with server.client(token, max_queue=1, ping_interval=None) as slow, server.client(token) as quick:
            quick.subscribe("media_updates")
            write(kafka, *films(60, first=1_000, partition=1, size=3_000))
            quick.receive_until(lambda f: f.get("id") == "film-1-1059", 20)
            start = slow.subscribe("media_updates", from_={"time": 0})
            end = int(start["head"]["1"])
            delete_records(kafka.settings.bootstrap_servers or "", tmp_path, kafka.name(topic), 1, end - 5)
            wait_until(lambda: _earliest(server, token) == end - 5, 20, what="the records to be gone")
            again = quick.subscribe("media_updates", from_={"offsets": {"0": 0, "1": end - 60}})
            rest = quick.receive_until(lambda f: f["type"] == "caught_up", 20)
    finally:
        server.kill()
    assert (again["recovered"], again["reason"]) == (False, "retention")
    assert again["missed"] == {"1": {"from": end - 60, "to": end - 5}}
    assert [f["offset"] for f in rest if f["type"] == "media_update" and f["partition"] == 1] == [
        *range(end - 5, end)
    ]


def _earliest(server: Gateway, token: str) -> int:
    with server.client(token) as client:
        return int(client.subscribe("media_updates", from_="earliest")["start"]["1"])
