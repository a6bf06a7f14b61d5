"""Where the topics were never made, every process names the command that makes them."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import psycopg
import psycopg.conninfo
import pytest
from psycopg import sql

from cli.up import ports
from runtime.errors import NotProvisioned
from runtime.kafka import Kafka
from tests.support.command import ROOT, Command, environment
from tests.support.gateway import SECRET
from tests.support.waiting import wait_until

SAYS = "catalogizer topics apply"
SECONDS = 60.0


@pytest.fixture
def nobody(kafka: Kafka) -> Kafka:
    """An installation on whose brokers nothing was made."""
    return Kafka(kafka.settings.model_copy(update={"topic_prefix": "nobody."}), "test")


@pytest.mark.parametrize("service", ["watch", "stream", "project", "serve"])
def test_a_service_names_the_command_that_makes_the_topics(
    service: str, nobody: Kafka, migrated: str, tmp_path: Path
) -> None:
    (tmp_path / "movies").mkdir()
    settings = {
        "CATALOGIZER_STATE_DIR": str(tmp_path / "state"),
        "CATALOGIZER_GATEWAY__PORT": str(ports.free_port()),
        "CATALOGIZER_GATEWAY__TOKEN_SECRET": SECRET,
        "CATALOGIZER_PRODUCER__ROOTS": json.dumps(
            [{"name": "movies", "library": "home", "path": str(tmp_path / "movies")}]
        ),
    }
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CATALOGIZER_")}
    log = tmp_path / "log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", service],
            env=clean | environment(nobody, migrated) | settings,
            cwd=ROOT,
            stdout=errors,
            stderr=errors,
        )
    try:
        wait_until(
            lambda: SAYS in log.read_text() or process.poll() is not None,
            SECONDS,
            what=f"{service} to say what is missing",
        )
    finally:
        process.kill()
        process.wait()
    assert SAYS in log.read_text()


@pytest.mark.parametrize(
    "command",
    ["tap media_updates", "replay fold", "replay fold --library home", "replay project --to-earliest"],
)
def test_a_tool_names_the_command_that_makes_the_topics(command: str, nobody: Kafka, migrated: str) -> None:
    with pytest.raises(NotProvisioned, match=SAYS):
        Command(nobody, migrated).output(*command.split())


def test_a_password_that_the_database_refuses_is_one_line_and_the_end(
    nobody: Kafka, migrated: str, tmp_path: Path
) -> None:
    user, wrong = sql.Identifier(name := f"u{secrets.token_hex(4)}"), "canary-not-the-password"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CATALOGIZER_")}
    url = psycopg.conninfo.conninfo_to_dict(migrated) | {"user": name, "password": wrong}
    settings = {
        "CATALOGIZER_STATE_DIR": str(tmp_path / "state"),
        "CATALOGIZER_DATABASE__URL": "postgresql://{user}:{password}@{host}:{port}/{dbname}".format_map(url),
    }
    with psycopg.connect(migrated, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'another'").format(user))
        try:
            ended = subprocess.run(
                [sys.executable, "-m", "cli.main", "project"],
                env=clean | environment(nobody, migrated) | settings,
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        finally:
            connection.execute(sql.SQL("DROP ROLE {}").format(user))
    assert ended.returncode == 2
    lines = [line for line in ended.stderr.splitlines() if "error" in line]
    assert lines == ["error: database.url: the password or the user is wrong (CATALOGIZER_DATABASE__URL)"]
    assert wrong not in ended.stdout + ended.stderr
