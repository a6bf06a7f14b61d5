"""Checks for free disk space first, because a set-up that runs out of it fails with obscure errors."""

from __future__ import annotations

import shutil
from pathlib import Path

from cli.up.errors import DiskFull

SERVERS_BYTES = 100_000_000
"""For a start with embedded servers: a new Kafka, a new PostgreSQL, the demo library and the topics use half of it."""


def need(folder: Path, size: int, what: str) -> None:
    """Return if `size` bytes are free on the disk of `folder`, which exists. Raises DiskFull, OSError."""
    free = shutil.disk_usage(folder).free
    if free < size:
        raise DiskFull(folder, free, size, what)
