"""Fixtures: one gateway for all tests of a module, on topics and a database of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from cli.provisioning.tables import apply_migrations
from cli.provisioning.topics import apply
from cli.up.embedded.kafka import EmbeddedKafka
from cli.up.embedded.postgres import EmbeddedPostgres
from gateway.access.account_admin import ensure_admin
from runtime.kafka import Kafka
from tests.support.gateway import PASSWORD, Gateway, gateway
from tests.support.servers import clients, fresh_database


@pytest.fixture(scope="module")
def log(broker: EmbeddedKafka) -> Kafka:
    """Topics of this module's own."""
    kafka = clients(broker)
    asyncio.run(apply(kafka))
    return kafka


@pytest.fixture(scope="module")
def tables(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database with its tables and the administrator."""
    with fresh_database(postgres) as url:
        apply_migrations(url)
        asyncio.run(ensure_admin(url, PASSWORD))
        yield url


@pytest.fixture(scope="module")
def server(log: Kafka, tables: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that runs."""
    running = gateway(log, tables, tmp_path_factory.mktemp("gateway"))
    running.start()
    yield running
    running.kill()


@pytest.fixture(scope="module")
def second(log: Kafka, tables: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Another gateway of the same installation, as behind a load balancer."""
    running = gateway(log, tables, tmp_path_factory.mktemp("gateway"))
    running.start()
    yield running
    running.kill()


@pytest.fixture
def token(server: Gateway) -> str:
    """A token of the administrator with its own session, so that it resumes no other session's position."""
    return server.sign_in()
