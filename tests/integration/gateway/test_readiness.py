"""A gateway is ready when it can do its work: what is missing is reported in plain words, once, and when it is there the
gateway becomes ready by itself. Starting and stopping causes errors for nobody."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from cli.provisioning.tables import apply_migrations
from cli.provisioning.topics import apply
from cli.up.embedded.kafka import EmbeddedKafka
from cli.up.embedded.postgres import EmbeddedPostgres
from runtime.kafka import Kafka
from runtime.log_reading import read_whole
from runtime.reports import HEARTBEAT_SECONDS
from schemas.codec import Codec
from schemas.system import Heartbeat, Report
from schemas.topics import REPORTS
from tests.support.gateway import PASSWORD, Gateway, gateway
from tests.support.servers import clients, fresh_database
from tests.support.waiting import wait_until

WRONG = "certainly not this one"
_reports: Codec[Report] = Codec(Report)


@contextmanager
def launched(kafka: Kafka, url: str, folder: Path) -> Iterator[Gateway]:
    """A gateway that was started, without waiting for it."""
    server = gateway(kafka, url, folder)
    server.launch()
    yield server
    server.kill()


def reason_with(server: Gateway, word: str) -> str:
    """Wait until the database's reason contains `word`; returns the reason."""
    wait_until(lambda: word in (server.unready() or {}).get("database", ""), 30, what=f"reported: {word}")
    return (server.unready() or {})["database"]


def warnings(server: Gateway, reason: str) -> int:
    """How often the log has it."""
    return sum(
        reason in line and "the database cannot be used" in line for line in server.log.read_text().splitlines()
    )


@pytest.fixture
def user(postgres: EmbeddedPostgres, tables: str) -> Iterator[str]:
    """A database user with a password that the gateway does not have."""
    name = f"u{secrets.token_hex(4)}"
    with psycopg.connect(tables, autocommit=True) as connection:
        user = sql.Identifier(name)
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'the right one'").format(user))
        connection.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(user))
        yield name
        connection.execute(sql.SQL("DROP OWNED BY {}").format(user))
        connection.execute(sql.SQL("DROP ROLE {}").format(user))


def test_a_wrong_password_is_reported_as_such_and_a_right_one_makes_it_ready(
    log: Kafka, tables: str, user: str, tmp_path: Path
) -> None:
    parts = urlsplit(tables)
    url = f"postgresql://{user}:{WRONG.replace(' ', '%20')}@{parts.hostname}:{parts.port}{parts.path}"
    with launched(log, url, tmp_path) as server:
        reason = reason_with(server, "password")
        with server.http() as http:
            health = http.get("/health").json()
        wait_until(lambda: warnings(server, reason) == 1, 10, what="the warning in the log")
        with server.http() as http:  # three of these last longer than two polls of accounts
            body = {"username": "admin", "password": PASSWORD}
            answers = [http.post("/api/v1/auth/login", json=body).status_code for _ in range(3)]
        assert answers == [503] * 3
        with psycopg.connect(tables, autocommit=True) as connection:
            connection.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(user), sql.Literal(WRONG))
            )
        wait_until(server.ready, 30, what="ready by itself")
        assert warnings(server, reason) == 1
        assert "changes of accounts cannot be read" not in server.log.read_text(), "logged once already"
        assert WRONG not in server.log.read_text()
    assert reason == "the password or the user is wrong (CATALOGIZER_DATABASE__URL)"
    assert (health["status"], health["problems"]["database"]) == ("degraded", reason)


def test_a_database_that_is_made_and_migrated_later_makes_it_ready(
    log: Kafka, postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    name = f"t{secrets.token_hex(8)}"
    with launched(log, postgres.url(name), tmp_path) as server:
        assert reason_with(server, "no database") == (
            "there is no database or no user of that name (CATALOGIZER_DATABASE__URL)"
        )
        with psycopg.connect(postgres.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        assert reason_with(server, "tables").endswith("run `catalogizer migrate`")
        apply_migrations(postgres.url(name))
        wait_until(server.ready, 30, what="ready by itself")
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_missing_topics_are_reported_with_the_command_that_makes_them(
    broker: EmbeddedKafka, postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    kafka = clients(broker)
    with fresh_database(postgres) as url, launched(kafka, url, tmp_path) as server:
        apply_migrations(url)
        wait_until(
            lambda: "run `catalogizer topics apply`" in (server.unready() or {}).get("log", ""),
            30,
            what="reported",
        )
        asyncio.run(apply(kafka))
        wait_until(server.ready, 60, what="ready by itself")


def heartbeats(kafka: Kafka) -> dict[str, list[Heartbeat]]:
    """The heartbeats of gateways, by instance."""
    found: dict[str, list[Heartbeat]] = {}
    for record in asyncio.run(read_whole(kafka, REPORTS)):
        report = _reports.decode(record.value)
        if isinstance(report, Heartbeat) and report.component == "serve":
            found.setdefault(report.instance, []).append(report)
    return found


def test_a_second_gateway_that_starts_and_stops_is_an_error_to_nobody(
    broker: EmbeddedKafka, tables: str, tmp_path: Path
) -> None:
    kafka = clients(broker)
    asyncio.run(apply(kafka))
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with launched(kafka, tables, tmp_path / "a") as first, launched(kafka, tables, tmp_path / "b") as second:
        wait_until(first.ready, 30, what="the first")
        wait_until(second.ready, 30, what="the second")
        wait_until(lambda: len(heartbeats(kafka)) == 2, 3 * HEARTBEAT_SECONDS, what="a heartbeat of each")
        assert second.stop() == 0
        before = sum(map(len, heartbeats(kafka).values()))
        wait_until(
            lambda: sum(map(len, heartbeats(kafka).values())) > before, 3 * HEARTBEAT_SECONDS, what="one more"
        )
        beats = heartbeats(kafka)
    assert {beat.status for of_one in beats.values() for beat in of_one} == {"healthy"}, json.dumps(
        [beat.message for of_one in beats.values() for beat in of_one]
    )
