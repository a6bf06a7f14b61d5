"""The real servers of a test session, started as the product starts them; brokers that a test may kill."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from psycopg import sql

from cli.up import ports
from cli.up.embedded import jars
from cli.up.embedded.class_cache import train
from cli.up.embedded.kafka import EmbeddedKafka
from cli.up.embedded.postgres import EmbeddedPostgres
from cli.up.output import SetupOutput
from runtime.kafka import Kafka
from runtime.settings import KafkaSettings
from tests.support.committed import connection

LANES = 2
SESSION_MS = 3_000
ADMIN_SECONDS = 60.0


def server_jars() -> tuple[Path, ...]:
    """Kafka's jars out of the user's cache, and Java's cache of their classes made: brokers start often here."""
    paths = jars.obtain(jars.locked(jars.SERVER), jars.cache_folder() / "kafka", SetupOutput())
    train(paths)
    return paths


class Brokers:
    """Starts brokers, each in a folder of its own, and ends them all."""

    def __init__(self, folder: Path, paths: tuple[Path, ...]) -> None:
        self._folder = folder
        self._paths = paths
        self._started: list[EmbeddedKafka] = []

    def __call__(self) -> EmbeddedKafka:
        """A new broker, answering. `kill()` it; `start()` and `wait_ready()` bring it back with its data."""
        folder = self._folder / f"broker-{len(self._started)}"
        broker = EmbeddedKafka(folder, ports.free_port(), self._paths)
        broker.prepare()
        broker.start()
        self._started.append(broker)
        broker.wait_ready()
        return broker

    def end(self) -> None:
        """Kill what still runs."""
        for broker in self._started:
            broker.kill()


def clients(broker: EmbeddedKafka, *, session_timeout_ms: int = SESSION_MS, lanes: int = LANES) -> Kafka:
    """Clients of a broker under a topic prefix nobody else has."""
    settings = KafkaSettings(
        bootstrap_servers=broker.bootstrap_servers,
        topic_prefix=f"t{secrets.token_hex(5)}.",
        lanes=lanes,
        replication_factor=1,
        session_timeout_ms=session_timeout_ms,
    )
    return Kafka(settings, "test")


def delete_topics(broker: EmbeddedKafka, prefix: str = "t") -> None:
    """Delete the topics below a prefix of `clients`, or those of all of them."""
    admin = AdminClient({**connection(broker.bootstrap_servers), "log_level": 0})
    names = [name for name in admin.list_topics(timeout=ADMIN_SECONDS).topics if name.startswith(prefix)]
    if names:
        for deleted in admin.delete_topics(names, request_timeout=ADMIN_SECONDS).values():
            try:
                deleted.result()
            except KafkaException as error:
                # one that the test deleted itself may still be listed
                if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise


@contextmanager
def both(folder: Path) -> Iterator[tuple[EmbeddedKafka, EmbeddedPostgres]]:
    """A broker and a database server for a command that is no test."""
    brokers = Brokers(folder, server_jars())
    postgres = EmbeddedPostgres(folder / "postgres", ports.free_port(), fsync=False)
    try:
        broker = brokers()
        postgres.prepare()
        postgres.start()
        postgres.wait_ready()
        yield broker, postgres
    finally:
        postgres.kill()
        brokers.end()


@contextmanager
def fresh_database(server: EmbeddedPostgres) -> Iterator[str]:
    """The URL of an empty database that is dropped afterwards, open connections or not."""
    name = f"t{secrets.token_hex(8)}"
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield server.url(name)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
