"""`<state>/run.json`: addresses and process ids of a running platform, for people, tools and tests.

Replaced atomically at every change: a reader finds a complete file or none. Absent means not ready, or ended.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from msgspec import Struct


class RunFile(Struct, frozen=True):
    """Its contents. `admin_password_file`: empty if a user chose the password. `kafka_secret_file`: the secret of the
    operator's principal at the embedded broker; None for a configured broker. `library`: path of each root by name. `pids`:
    by component."""

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
    """Write it, readable only by its owner, since it contains the database's password."""
    path = path_in(state_dir)
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(contents)) + b"\n")
    part.replace(path)


def remove(state_dir: Path) -> None:
    """Delete it."""
    path_in(state_dir).unlink(missing_ok=True)
