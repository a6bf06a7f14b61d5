"""A database with TLS: who trusts its authority by the right name is let in; every other way is one line that names file or
host, and an end of the process with exit code 2, and no retry for ever."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from cli.provisioning.tables_lock import tables_locked
from cli.up.embedded.postgres import EmbeddedPostgres
from gateway.access.connecting import connected
from runtime.configuration import PREFIX
from runtime.database import check_admission
from runtime.errors import SettingsError
from runtime.kafka import Kafka
from tests.support.command import ROOT, environment
from tests.support.gateway import SECRET
from tests.support.tls import Authority
from tests.support.tls_front import sealed


@dataclass(frozen=True, slots=True)
class Sealed:
    """A server behind TLS, whose certificate is for localhost. `misnamed`: the port of one whose is for another host."""

    plain: str
    port: int
    misnamed: int
    ours: Path
    others: Path

    def url(self, *, port: int | None = None, file: Path | None = None, mode: str = "verify-full") -> str:
        """Its address with these demands."""
        server = self.plain.replace("127.0.0.1", "localhost")
        at = re.sub(r":\d+/", f":{port or self.port}/", server)
        return f"{at}?sslmode={mode}&sslrootcert={file or self.ours}"


@pytest.fixture(scope="module")
def server(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sealed]:
    """One for all tests."""
    folders = [tmp_path_factory.mktemp(name) for name in ("ours", "others")]
    ours, others = map(Authority, folders)
    with ExitStack() as stack:
        port, misnamed = (
            stack.enter_context(sealed(postgres.url(), ours.server(host)))
            for host in ("localhost", "db.other.example")
        )
        yield Sealed(postgres.url(), port, misnamed, ours.file, others.file)


def refused(url: str) -> str:
    """The one line of who is not let in."""
    with pytest.raises(SettingsError) as raised:
        asyncio.run(check_admission(url))
    (line,) = raised.value.faults
    return line


def test_who_trusts_its_authority_by_its_name_is_let_in(server: Sealed) -> None:
    asyncio.run(check_admission(server.url()))
    with psycopg.connect(server.url()) as connection:
        assert connection.pgconn.ssl_in_use


def test_an_authority_that_is_another_one_is_named_with_its_file(server: Sealed) -> None:
    assert refused(server.url(file=server.others)) == (
        f"database.url: the certificate of localhost is of no authority in {server.others}"
        " (sslrootcert in CATALOGIZER_DATABASE__URL)"
    )


def test_a_file_of_authorities_that_is_not_there_is_named(server: Sealed, tmp_path: Path) -> None:
    missing = tmp_path / "nowhere.pem"
    (tmp_path / "empty.pem").write_text("")
    for file in (missing, tmp_path / "empty.pem"):
        assert refused(server.url(file=file)) == (
            f"database.url: {file}, the file of the authorities that are trusted (sslrootcert in"
            " CATALOGIZER_DATABASE__URL), cannot be read"
        )


def test_a_certificate_for_another_host_is_named_with_both(server: Sealed) -> None:
    assert refused(server.url(port=server.misnamed)) == (
        "database.url: the certificate of localhost is for db.other.example"
        " (sslmode=verify-full in CATALOGIZER_DATABASE__URL)"
    )


def test_a_server_without_tls_is_named(server: Sealed, postgres: EmbeddedPostgres) -> None:
    assert refused(server.url(port=postgres.port)) == (
        "database.url: localhost does not speak TLS, and sslmode in CATALOGIZER_DATABASE__URL requires it"
    )


def test_commands_report_the_same(server: Sealed) -> None:
    async def user() -> None:
        async with connected(server.url(file=server.others)):
            pass

    with pytest.raises(SettingsError, match=f"of no authority in {server.others}"):
        asyncio.run(user())
    with (
        pytest.raises(SettingsError, match=r"is for db\.other\.example"),
        tables_locked(server.url(port=server.misnamed), "test"),
    ):
        pass


def test_processes_end_with_the_line_and_exit_code_2(kafka: Kafka, server: Sealed, tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    given = environment(kafka, server.url(file=server.others)) | {
        f"{PREFIX}STATE_DIR": str(tmp_path),
        f"{PREFIX}GATEWAY__TOKEN_SECRET": SECRET,
    }
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "cli.main", *words],
            env=clean | given,
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        for words in (("project",), ("serve",), ("serve", "--workers", "2"), ("migrate",))
    ]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        (line,) = (line for line in errors.splitlines() if line.startswith("error: "))
        assert line.startswith(
            f"error: database.url: the certificate of localhost is of no authority in {server.others}"
        )
        assert process.returncode == 2
