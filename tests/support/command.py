"""The command line against a test's own topics and database: in this process, or in one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from cli.main import app
from runtime.configuration import PREFIX
from runtime.kafka import Kafka

ROOT = Path(__file__).parents[2]


def environment(kafka: Kafka, database_url: str | None = None) -> dict[str, str]:
    """The environment variables with an installation's settings."""
    settings = kafka.settings
    variables = {
        "STATE_DIR": "/nonexistent",
        "KAFKA__BOOTSTRAP_SERVERS": settings.bootstrap_servers or "",
        "KAFKA__TOPIC_PREFIX": settings.topic_prefix,
        "KAFKA__LANES": str(kafka.lanes),
        "KAFKA__REPLICATION_FACTOR": "1",
    }
    if database_url is not None:
        variables["DATABASE__URL"] = database_url
    return {PREFIX + name: value for name, value in variables.items()}


class Command:
    """`catalogizer` for one installation. `settings`: further ones, by their names without the prefix."""

    def __init__(self, kafka: Kafka, database_url: str | None = None, **settings: str) -> None:
        variables = {PREFIX + name: value for name, value in settings.items()}
        self._environment = environment(kafka, database_url) | variables

    def output(self, *arguments: str) -> str:
        """Its standard output. An error of the command is raised here."""
        result = CliRunner().invoke(app, list(arguments), env=dict(self._environment))
        if result.exception is not None:
            raise result.exception
        return result.stdout

    def notes(self, *arguments: str) -> str:
        """Its standard error."""
        result = CliRunner().invoke(app, list(arguments), env=dict(self._environment))
        if result.exception is not None:
            raise result.exception
        return result.stderr

    def ended(self, *arguments: str) -> tuple[int, str]:
        """Its exit code, and what it prints."""
        result = CliRunner().invoke(app, list(arguments), env=dict(self._environment))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout

    def bytes(self, *arguments: str) -> bytes:
        """What it prints, byte for byte."""
        result = CliRunner().invoke(app, list(arguments), env=dict(self._environment))
        if result.exception is not None:
            raise result.exception
        return result.stdout_bytes

    def json(self, *arguments: str) -> Any:
        """The one JSON document that it prints."""
        return json.loads(self.output(*arguments, "--json"))

    def lines(self, *arguments: str) -> list[dict[str, Any]]:
        """The JSON lines that it prints."""
        return [json.loads(line) for line in self.output(*arguments).splitlines()]

    def process(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """It, started in a process of its own."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        return subprocess.Popen(
            [sys.executable, "-m", "cli.main", *arguments],
            env=clean | self._environment,
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )
