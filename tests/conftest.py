"""Fixtures of the whole suite: one broker and one database server for the session, a topic prefix and a database
for each test."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cli.provisioning.tables import apply_migrations
from cli.provisioning.topics import apply
from cli.up import ports
from cli.up.embedded.kafka import EmbeddedKafka
from cli.up.embedded.postgres import EmbeddedPostgres
from runtime.kafka import Kafka
from tests.support.servers import Brokers, clients, delete_topics, fresh_database, server_jars

WORKERS, OF_A_WORKER = 8, 1_200
"""Ports below those that the product chooses from, so many for each process of pytest: one that was chosen here, and is
listened on some seconds later, is chosen by nobody else meanwhile."""


def pytest_configure() -> None:
    """Give this process its ports. And tests interrupt processes: where the suite itself was started in the background of a
    script, the shell has set SIGINT to be ignored, and every process started here would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    first = 10_000 + OF_A_WORKER * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % WORKERS)
    ports.RANGE = (first, first + OF_A_WORKER - 1)


@pytest.fixture(autouse=True)
def umask_stays() -> Iterator[None]:
    """Commands set it, and some run in this process."""
    os.umask(before := os.umask(0))
    yield
    os.umask(before)


@pytest.fixture(scope="session")
def kafka_jars() -> tuple[Path, ...]:
    """Kafka's own jars."""
    return server_jars()


@pytest.fixture(scope="session")
def broker(kafka_jars: tuple[Path, ...], tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """The session's broker. Nobody stops it: for that there is `broker_factory`."""
    brokers = Brokers(tmp_path_factory.mktemp("kafka"), kafka_jars)
    try:
        running.append(brokers())
        yield running[0]
    finally:
        running.clear()
        brokers.end()


running: list[EmbeddedKafka] = []
"""The session's broker, once a test has asked for it."""


@pytest.fixture(scope="module", autouse=True)
def no_topics_left() -> Iterator[None]:
    """A broker with the topics of all tests before would spend most of its time on them: some 40 partitions a test, and
    whatever it does to each of thousands (leaders after a session that timed out) takes it seconds."""
    yield
    for broker in running:
        delete_topics(broker)


@pytest.fixture(scope="module", autouse=True)
def no_garbage_left() -> Iterator[None]:
    """A future whose exception nobody retrieved is logged with a traceback when it is collected, and Python 3.11 parses
    source for that: in the middle of another module's import it would end that with `SystemError: AST constructor recursion
    depth mismatch`."""
    yield
    gc.collect()


@pytest.fixture
def broker_factory(kafka_jars: tuple[Path, ...], tmp_path: Path) -> Iterator[Brokers]:
    """Starts brokers that this test may stop, kill and start again on the same port and data."""
    brokers = Brokers(tmp_path, kafka_jars)
    try:
        yield brokers
    finally:
        brokers.end()


@pytest.fixture
def kafka(broker: EmbeddedKafka) -> Iterator[Kafka]:
    """Clients of the session's broker with topics of this test's own, made and ready; deleted afterwards."""
    kafka = clients(broker)
    asyncio.run(apply(kafka))
    yield kafka
    delete_topics(broker, kafka.settings.topic_prefix)


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """The session's database server. Not below pytest's own folder: every other session of pytest closes that to
    the system user the server runs as where the tests are run by root."""
    with TemporaryDirectory(prefix="catalogizer-postgres-", ignore_cleanup_errors=True) as folder:
        server = EmbeddedPostgres(Path(folder), ports.free_port(), fsync=False)
        server.prepare()
        server.start()
        try:
            server.wait_ready()
            yield server
        finally:
            server.kill()


@pytest.fixture
def database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The URL of an empty database of this test's own."""
    with fresh_database(postgres) as url:
        yield url


@pytest.fixture
def migrated(database: str) -> str:
    """The same with the tables in it."""
    apply_migrations(database)
    return database
