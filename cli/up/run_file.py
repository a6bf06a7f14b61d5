"""`<state>/run.json`: where a running platform is and who its processes are, for people, tools and tests.

Replaced in one step at every change, so a reader finds a whole file or none; absent means: not ready or ended.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from msgspec import Struct


class RunFile(Struct, frozen=True):
    """Its contents. `kafka_secret_file`: the secret of the operator's account with the embedded broker; None where
    the broker is a configured one. `library`: path of each root by name. `pids`: by component."""

    url: str
    ws_url: str
    admin_user: str
    admin_password_file: str
    bootstrap_servers: str
    database_url: str
    kafka_secret_file: str | None
    library: dict[str, str]
    pids: dict[str, int]


def path_in(state_dir: Path) -> Path:
    """Where it is."""
    return state_dir / "run.json"


def write(state_dir: Path, contents: RunFile) -> None:
    """Put it there; only its owner may read it (the database's password is in it)."""
    path = path_in(state_dir)
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(contents)) + b"\n")
    part.replace(path)


def remove(state_dir: Path) -> None:
    """Take it away."""
    path_in(state_dir).unlink(missing_ok=True)
