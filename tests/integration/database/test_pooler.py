"""Behind a pooler in transaction mode processes do their work and leave nothing in any session of the server's; commands
that need a session of their own say so."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import psycopg
import pytest

from cli.provisioning.tables_lock import NeedsSession
from gateway.tables import connecting
from gateway.tables.connecting import connections
from runtime.kafka import Kafka
from schemas.channels import MEDIA_UPDATES
from streams.projector.bulk import MANY
from tests.support.command import Command
from tests.support.gateway import PASSWORD, Gateway, gateway
from tests.support.pooler import left_in_sessions, pooled
from tests.support.projector_run import Writer, caught_up, expected, feed, history, projecting
from tests.support.projector_tables import derived, dump
from tests.support.waiting import wait_until

TIMES = 8
"""More than psycopg executes a statement before it prepares it, and than there are sessions."""


def test_projector_and_gateway_need_no_session(kafka: Kafka, tables: str, tmp_path: Path) -> None:
    log = history(41, 700)
    many = len(log.records) - 60
    with pooled(tables) as url:
        server = gateway(kafka, url, tmp_path)
        server.launch()
        try:

            async def project() -> None:
                await Writer(kafka).write(log.records[:many], per_transaction=many)
                async with projecting(kafka, url):
                    await caught_up(kafka, tables)
                    await feed(kafka, tables, log.records[many:])
                    await caught_up(kafka, tables)

            asyncio.run(project())
            wait_until(server.ready, 30, what="the gateway to be ready")
            with server.client(server.sign_in()) as client:
                _used(server)
                assert client.subscribe(MEDIA_UPDATES.name, from_="earliest")["type"] == "subscribed"
        finally:
            server.kill()
        left = left_in_sessions(url)
    assert len(dump(tables)["change_log"]) > 2 * MANY, "nothing was copied"
    assert dump(tables) == asyncio.run(expected(kafka))
    derived(tables)
    assert len(left) > 1, "there was one session only"
    assert not any(left.values()), left


def _used(server: Gateway) -> None:
    """Whatever of the gateway reads or writes the database, often enough to be prepared."""
    token = server.sign_in()
    with server.http(token) as http:
        for number in range(TIMES):
            name = f"user{number}"
            body = {"username": name, "password": PASSWORD, "role": "viewer"}
            assert http.post("/api/v1/users", json=body).status_code == 201
            assert http.patch(f"/api/v1/users/{name}", json={"role": "operator"}).status_code == 200
            for path in (
                "media/search?query=film", "media/search?sort_by=title&limit=1", "media/stats", "media/recent", "users",
                "sessions", "storage/roots", "scans", "changes", "tokens", "auth/profile",
            ):  # fmt: skip
                answer = http.get(f"/api/v1/{path}")
                assert answer.status_code == 200, (path, answer.text)
            assert http.post("/api/v1/auth/ws-ticket").status_code == 201


def test_commands_that_need_a_session_report_that(kafka: Kafka, tables: str) -> None:
    with pooled(tables) as url:
        command = Command(kafka, url)
        for words in (("migrate",), ("replay", "project", "--to-earliest", "--execute")):
            with pytest.raises(NeedsSession, match="give it the server's own address"):
                command.output(*words)
        assert "admin" in command.output("user", "list")
        assert not any(left_in_sessions(url).values())


def test_a_statement_that_takes_too_long_is_ended_through_a_pooler_too(
    tables: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "STATEMENT_SECONDS", 0.3)

    async def wait(url: str) -> None:
        async with connections(url) as pool:
            began = time.monotonic()
            with pytest.raises(psycopg.OperationalError, match="no answer within"):
                async with pool.connection() as connection:
                    await connection.execute("SELECT pg_sleep(60)")
            assert time.monotonic() - began < 5
            async with pool.connection() as connection:
                cursor = await connection.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep%'"
                )
                assert await cursor.fetchone() == (0,)

    with pooled(tables) as url:
        for address in (tables, url):
            asyncio.run(wait(address))
