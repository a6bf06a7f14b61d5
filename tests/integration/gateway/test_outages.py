"""What is down does not affect what is up: sockets survive the broker and the database, REST answers 503 without a database,
retention that overtook a client is reported, and so is a recreated topic."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from cli.provisioning.tables import apply_migrations
from cli.provisioning.topics import apply
from cli.up import ports
from cli.up.embedded.kafka import EmbeddedKafka
from cli.up.embedded.postgres import EmbeddedPostgres
from gateway.access.account_admin import ensure_admin
from runtime.kafka import Kafka
from schemas.channels import MEDIA_UPDATES
from tests.support.events import films
from tests.support.gateway import PASSWORD, Client, Frame, Gateway, gateway
from tests.support.servers import Brokers, clients
from tests.support.topic import write
from tests.support.waiting import wait_until

CHANNEL = "media_updates"
FILMS = 1_500
AWAY_SECONDS = 22.0
"""Longer than anything in the gateway waits for the broker before it tries again (15 s at most)."""


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A database server that this test may kill, with the tables and the administrator in it."""
    server = EmbeddedPostgres(tmp_path / "pg", ports.free_port(), fsync=False)
    server.prepare()
    server.start()
    try:
        server.wait_ready()
        apply_migrations(server.url())
        asyncio.run(ensure_admin(server.url(), PASSWORD))
        yield server
    finally:
        server.kill()


def _own_log(brokers: Brokers) -> tuple[EmbeddedKafka, Kafka]:
    """A broker that this test may kill, with the topics on it."""
    broker = brokers()
    kafka = clients(broker)
    asyncio.run(apply(kafka))
    return broker, kafka


def test_sockets_outlive_the_broker_and_the_database(
    broker_factory: Brokers, own_postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    broker, kafka = _own_log(broker_factory)
    server = gateway(kafka, own_postgres.url(), tmp_path)
    server.start()
    try:
        token = server.sign_in()
        with server.client(token, ping_interval=None) as client:
            client.subscribe(CHANNEL)
            write(kafka, *films(2))
            client.receive_until(lambda f: f.get("id") == "film-0-1")
            broker.kill()
            client.send(type="subscribe", channel=CHANNEL, from_="earliest", ref="while-down")
            refused = client.receive_until(lambda f: f.get("ref") == "while-down")[-1]
            broker.start()
            broker.wait_ready()
            write(kafka, *films(2, first=2))
            back = client.receive_until(lambda f: f.get("id") == "film-0-3", 60)
            assert client.subscribe(CHANNEL, from_="earliest")["type"] == "subscribed"
            again = client.receive_until(lambda f: f.get("id") == "film-0-3", 30)

            own_postgres.kill()
            _database_is_away(server, token)
            write(kafka, *films(1, first=4))
            client.receive_until(lambda f: f.get("id") == "film-0-4")
            own_postgres.start()
            own_postgres.wait_ready()
            with server.http(token) as http:
                wait_until(
                    lambda: http.get("/api/v1/media/stats").status_code == 200, 30, what="the database back in use"
                )
                wait_until(lambda: http.get("/health/ready").status_code == 200, 15, what="ready again")
    finally:
        server.kill()
    assert (refused["type"], refused["data"]["code"]) == ("error", "unavailable")
    assert [f["id"] for f in back if f["type"] == "media_update"] == ["film-0-2", "film-0-3"]
    assert [f["id"] for f in again if f["type"] == "media_update"] == [f"film-0-{n}" for n in range(4)]


def test_a_replay_goes_on_however_long_the_broker_was_away_in_the_middle_of_it(
    broker_factory: Brokers, tables: str, tmp_path: Path
) -> None:
    broker, kafka = _own_log(broker_factory)
    write(kafka, *films(FILMS, size=8_000))
    server = gateway(kafka, tables, tmp_path, {"RING_BYTES": "65536"})
    server.start()
    try:
        with server.client(server.sign_in(), max_queue=1, ping_interval=None) as client:
            assert client.subscribe(CHANNEL, from_="earliest")["type"] == "subscribed"
            broker.kill()
            back_at = time.monotonic() + AWAY_SECONDS
            before = list(_received_until_silence(client))
            time.sleep(max(0.0, back_at - time.monotonic()))
            broker.start()
            broker.wait_ready()
            after = client.receive_until(lambda f: f.get("id") == f"film-0-{FILMS - 1}", 60)
    finally:
        server.kill()
    received = [f["id"] for f in (*before, *after) if f["type"] == "media_update"]
    assert received == [f"film-0-{n}" for n in range(FILMS)]
    assert len(before) < FILMS, "the replay was over before the broker died"


def _received_until_silence(client: Client) -> Iterator[Frame]:
    """Frames until none came for two seconds."""
    with contextlib.suppress(TimeoutError):
        while True:
            yield client.receive(2)


def _database_is_away(server: Gateway, token: str) -> None:
    with server.http(token) as http:
        for answer in (
            http.get("/api/v1/media/search"),
            http.post("/api/v1/auth/login", json={"username": "admin", "password": PASSWORD}),
        ):
            assert answer.status_code == 503
            assert answer.headers["Retry-After"]
            assert answer.json()["error"] == "unavailable"
            assert "connection" not in answer.text
        wait_until(lambda: http.get("/health/ready").status_code == 503, 15, what="reported as not ready")
        assert list(http.get("/health/ready").json()["problems"]) == ["database"]


async def _delete_before(kafka: Kafka, offset: int) -> None:
    assert MEDIA_UPDATES.topic is not None
    admin = kafka.admin()
    await admin.start()
    try:
        partition = TopicPartition(kafka.name(MEDIA_UPDATES.topic), 0)
        await admin.delete_records({partition: RecordsToDelete(before_offset=offset)})
    finally:
        await admin.close()


def test_retention_that_overtook_a_client_is_reported_with_its_range(
    log: Kafka, tables: str, tmp_path: Path
) -> None:
    write(log, *films(20))
    asyncio.run(_delete_before(log, 12))
    server = gateway(log, tables, tmp_path)
    server.start()
    try:
        with server.client(server.sign_in()) as client:
            answer = client.subscribe(CHANNEL, from_={"offsets": {"0": 5, "1": 0}})
            frames = client.receive_until(lambda f: f["type"] == "caught_up")
            live = client.subscribe(CHANNEL, from_={"offsets": {"0": 5, "1": 0}}, on_gap="live")
    finally:
        server.kill()
    assert (answer["recovered"], answer["reason"]) == (False, "retention")
    assert (answer["missed"], answer["start"]["0"]) == ({"0": {"from": 5, "to": 12}}, 12)
    assert [f["offset"] for f in frames if f["type"] == "media_update"] == list(range(12, 20))
    assert (live["missed"], live["start"]["0"]) == ({"0": {"from": 5, "to": 20}}, 20)


async def _recreate(kafka: Kafka) -> None:
    assert MEDIA_UPDATES.topic is not None
    admin = kafka.admin()
    await admin.start()
    try:
        await admin.delete_topics([kafka.name(MEDIA_UPDATES.topic)])
    finally:
        await admin.close()


def test_a_recreated_topic_is_reported_to_live_and_to_returning_clients(
    log: Kafka, tables: str, tmp_path: Path
) -> None:
    server = gateway(log, tables, tmp_path)
    server.start()
    try:
        token = server.sign_in()
        with server.client(token, ping_interval=None) as client:
            before = client.subscribe(CHANNEL, from_="live")
            asyncio.run(_recreate(log))
            wait_until(lambda: _provisioned(log), 20, what="the topic recreated")
            write(log, *films(3, first=500))
            frames = client.receive_until(lambda f: f.get("id") == "film-0-502", 100)
        with server.client(token) as client:
            answer = client.subscribe(CHANNEL, from_={"cursor": before["cursor"]})
    finally:
        server.kill()
    gaps = [f for f in frames if f["type"] == "gap"]
    assert sorted((g["partition"], g["reason"], g["to"]) for g in gaps) == [
        (0, "epoch_changed", None),
        (1, "epoch_changed", None),
    ]
    assert [f["id"] for f in frames if f["type"] == "media_update"] == [f"film-0-{n}" for n in (500, 501, 502)]
    assert (answer["recovered"], answer["reason"]) == (False, "epoch_changed")
    assert answer["epoch"] != before["epoch"]


def _provisioned(kafka: Kafka) -> bool:
    return any(step.action == "create" for step in asyncio.run(apply(kafka)))
