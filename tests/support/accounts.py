"""`catalogizer user` as an operator runs it, in a separate process; only the database is configured."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

from runtime.configuration import PREFIX
from tests.support.command import ROOT


class UserCommand:
    """`catalogizer user` for one database."""

    def __init__(self, database_url: str) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        self._environment = clean | {
            "CATALOGIZER_STATE_DIR": "/nonexistent",
            "CATALOGIZER_DATABASE__URL": database_url,
        }

    def __call__(self, *arguments: str, typed: str = "", **settings: str) -> tuple[int, str, str]:
        """Exit code, its standard output and its standard error. `typed` comes by standard input; `settings`:
        more variables, without the prefix."""
        process = self._start(arguments, settings, subprocess.PIPE)
        out, err = process.communicate(typed, timeout=60)
        return process.returncode, out, err

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """It, started, its streams pipes."""
        return self._start(arguments, {}, subprocess.PIPE)

    def on_terminal(self, terminal: int, *arguments: str) -> subprocess.Popen[str]:
        """It, started on a terminal, with no other that it could ask on."""
        return self._start(arguments, {}, terminal)

    def _start(
        self, arguments: tuple[str, ...], settings: Mapping[str, str], stream: int
    ) -> subprocess.Popen[str]:
        variables = {PREFIX + name: value for name, value in settings.items()}
        return subprocess.Popen(
            [sys.executable, "-m", "cli.main", "user", *arguments],
            env=self._environment | variables,
            cwd=ROOT,
            text=True,
            stdin=stream,
            stdout=stream,
            stderr=stream,
            start_new_session=stream != subprocess.PIPE,
        )
