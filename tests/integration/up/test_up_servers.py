"""The embedded servers are real, keep what they acknowledged, and come back after kill -9."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import threading
from pathlib import Path

import psycopg

from cli.up import ports
from cli.up.embedded.postgres import EmbeddedPostgres
from runtime.kafka import Kafka
from schemas.topics import META
from tests.support.kafka_tools import kafka_tool
from tests.support.platform import ODD
from tests.support.servers import Brokers, clients


def test_topics_of_the_session_are_seen_by_kafkas_own_tool(kafka: Kafka) -> None:
    assert kafka.settings.bootstrap_servers is not None
    reported = kafka_tool("topics", "--bootstrap-server", kafka.settings.bootstrap_servers, "--list")
    assert kafka.name(META) in reported.stdout.split(), reported.stderr


def test_a_broker_killed_and_started_again_has_what_it_acknowledged(broker_factory: Brokers) -> None:
    broker = broker_factory()
    kafka = clients(broker)

    async def write(value: bytes) -> int:
        async with kafka.producer() as producer:
            return int((await producer.send_and_wait("kept", value, partition=0)).offset)

    async def make() -> None:
        from aiokafka.admin import NewTopic

        admin = kafka.admin()
        await admin.start()
        await admin.create_topics([NewTopic("kept", 1, 1)])
        await admin.close()

    asyncio.run(make())
    assert asyncio.run(write(b"before")) == 0
    broker.kill()
    broker.start()
    broker.wait_ready()
    assert asyncio.run(write(b"after")) == 1


def test_a_database_killed_while_its_workers_live_on_starts_again_with_what_it_committed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    server = EmbeddedPostgres(tmp_path / "server", ports.free_port(), fsync=False)
    server.prepare()
    server.start()
    try:
        server.wait_ready()
        with psycopg.connect(server.url()) as connection:
            connection.execute("CREATE TABLE kept (n int)")
            connection.execute("INSERT INTO kept VALUES (7)")
            (pid,) = connection.execute("SELECT pg_backend_pid()").fetchone() or (0,)
            connection.commit()
            os.kill(pid, signal.SIGSTOP)  # a worker that has no time to notice
            server.kill()
            timer = threading.Timer(2.0, os.kill, (pid, signal.SIGCONT))
            timer.start()
            server.start()
            server.wait_ready()
            timer.join()
        with psycopg.connect(server.url()) as connection:
            assert connection.execute("SELECT n FROM kept").fetchall() == [(7,)]
    finally:
        server.kill()


def test_a_database_is_at_home_in_a_folder_of_any_name_that_only_its_owner_may_pass(tmp_path: Path) -> None:
    folder = tmp_path / ODD
    folder.mkdir(mode=0o700)
    server = EmbeddedPostgres(folder, ports.free_port(), fsync=False)
    server.prepare()
    server.start()
    try:
        server.wait_ready()
        with psycopg.connect(server.url()) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        server.kill()
        server.start()
        server.wait_ready()
        with psycopg.connect(server.url()) as connection:
            assert connection.execute("SELECT n FROM kept").fetchall() == [(7,)]
    finally:
        server.kill()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
