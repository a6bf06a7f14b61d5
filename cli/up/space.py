"""Room on a disk, asked for before it is needed: a set-up that begins and cannot end tells nobody why."""

from __future__ import annotations

import shutil
from pathlib import Path

from cli.up.errors import DiskFull

SERVERS_BYTES = 100_000_000
"""For an embedded server's start: new states of both, with the demo library and topics, take half of it."""


def need(folder: Path, size: int, what: str) -> None:
    """Return when `size` bytes are free where the folder lies (it exists). Raises DiskFull, OSError."""
    free = shutil.disk_usage(folder).free
    if free < size:
        raise DiskFull(folder, free, size, what)
