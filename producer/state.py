"""The producer's state folder: one process at a time, one file per root; a damaged file is moved aside.

`<state>/producer/<producer's name>/` contains `lock`, `id` (identifies this producer to others, drawn once) and a
`<root's name>.sqlite` for each root.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from producer.database import Database, is_damaged
from producer.errors import StateLocked
from runtime import log
from runtime.errors import Locked
from runtime.lock_file import locked

_log = log.get(__name__)


@contextmanager
def locked_folder(state_dir: Path, name: str) -> Iterator[Path]:
    """The producer's folder, created if necessary and locked until the end. Raises StateLocked."""
    folder = state_dir / "producer" / name
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        try:
            held.enter_context(locked(folder / "lock"))
        except Locked as error:
            raise StateLocked(folder, error.owner) from error
        yield folder


def producer_id(folder: Path) -> str:
    """The id of the producer that works on this folder, the same after a restart."""
    path = folder / "id"
    if not path.exists():
        part = path.with_suffix(".part")
        with part.open("w") as file:
            file.write(secrets.token_hex(8))
            file.flush()
            os.fsync(file.fileno())  # an empty one, after a power cut, would be the same as another producer's
        part.replace(path)
    return path.read_text().strip()


def open_unsent(path: Path) -> Database:
    """The sender's connection. A damaged file is moved aside: its root then begins a new outbox with a baseline."""
    try:
        return Database(path, durable=False)
    except sqlite3.Error as error:
        if not is_damaged(error):
            raise
    aside = path.with_suffix(".damaged")
    path.replace(aside)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    _log.error("a root's state was damaged: it starts over with a baseline", kept=str(aside))
    return Database(path, durable=False)
