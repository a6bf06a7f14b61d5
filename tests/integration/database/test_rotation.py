"""The database's password is in a file and changed while processes run: they say once what is wrong while the file is the
old one, and go on as soon as it is right, without a restart."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from runtime.errors import SecretFileError
from runtime.kafka import Kafka
from runtime.settings import DatabaseSettings
from streams.projector.errors import StoreUnavailable
from streams.projector.store import PostgresStore
from tests.support.gateway import gateway
from tests.support.projector_process import projector
from tests.support.projector_run import Writer, caught_up, expected, history
from tests.support.projector_tables import dump
from tests.support.waiting import wait_until

OLD, NEW = "the first @ll right/%", "the second one"
WRONG = "the password or the user is wrong"


@dataclass(frozen=True, slots=True)
class User:
    """One of the database whose password is changed. `url` is without it."""

    name: str
    url: str
    administrators: str

    def set_password(self, password: str) -> None:
        """It is this from now on."""
        self._do("ALTER ROLE {} PASSWORD {}", sql.Identifier(self.name), sql.Literal(password))

    def cut(self) -> None:
        """End its connections."""
        self._do(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = {}", sql.Literal(self.name)
        )

    def _do(self, statement: str, *parts: sql.Composable) -> None:
        with psycopg.connect(self.administrators, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*parts))


@pytest.fixture
def user(tables: str) -> Iterator[User]:
    """One that may do what processes do."""
    parts = urlsplit(tables)
    name = f"u{secrets.token_hex(4)}"
    made = User(name, f"postgresql://{name}@{parts.hostname}:{parts.port}{parts.path}", tables)
    with psycopg.connect(tables, autocommit=True) as connection:
        role = sql.Identifier(name)
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(OLD)))
        grant = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}"
        connection.execute(sql.SQL(grant).format(role))
        yield made
        made.cut()
        connection.execute(sql.SQL("DROP OWNED BY {}").format(role))
        connection.execute(sql.SQL("DROP ROLE {}").format(role))


def test_a_password_that_is_changed_is_read_again_from_its_file(kafka: Kafka, user: User, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(OLD + "\n")
    log = history(31, 120)
    half = len(log.records) // 2
    server = gateway(kafka, user.url, tmp_path)
    server.environment["CATALOGIZER_DATABASE__PASSWORD_FILE"] = str(file)
    server.launch()
    with projector(kafka, user.url, tmp_path, {"DATABASE__PASSWORD_FILE": str(file)}) as process:
        try:
            wait_until(lambda: server.ready() and process.ready(), 40, what="both to be ready")
            asyncio.run(Writer(kafka).write(log.records[:half]))
            asyncio.run(caught_up(kafka, user.administrators))

            user.set_password(NEW)
            user.cut()
            wait_until(
                lambda: WRONG in (server.unready() or {}).get("database", ""), 15, what="the gateway to say so"
            )
            wait_until(
                lambda: WRONG in (process.unready() or {}).get("database", ""), 15, what="the projector to say so"
            )
            asyncio.run(Writer(kafka).write(log.records[half:]))
            with server.http() as http:
                assert (
                    http.post("/api/v1/auth/login", json={"username": "admin", "password": "x"}).status_code == 503
                )

            file.write_text(NEW)
            wait_until(lambda: server.ready() and process.ready(), 15, what="both to be ready by themselves")
            server.sign_in()
            asyncio.run(caught_up(kafka, user.administrators))
            assert dump(user.administrators) == asyncio.run(expected(kafka))
        finally:
            server.kill()
        assert len(process.lines(WRONG)) == 1
    reported = server.log.read_text()
    assert (
        len([line for line in reported.splitlines() if WRONG in line and "the database cannot be used" in line])
        == 1
    )
    for secret in (OLD, NEW):
        assert secret not in reported + process.log.read_text()


def test_a_file_that_is_gone_is_named_and_not_what_was_in_it(user: User, tmp_path: Path) -> None:
    file = tmp_path / "url"
    good = user.url.replace("@", ":wrong@")
    file.write_text(good)
    address = DatabaseSettings(url_file=file).address()
    assert callable(address) and address() == good
    store = PostgresStore(address)
    for contents, printed in (
        ("postgresql://u:canary@h:x/y/z", "must be postgresql://"),
        ("", "is empty"),
        (None, "No such"),
    ):
        if contents is None:
            file.unlink()
        else:
            file.write_text(contents)
        with pytest.raises(StoreUnavailable, match=printed) as raised:
            asyncio.run(store.positions())
        assert "canary" not in str(raised.value)
        with pytest.raises(SecretFileError, match="CATALOGIZER_DATABASE__URL_FILE"):
            address()
