"""A lock file that one process at a time can lock. It contains the owner's pid, so that others can report the owner.

The kernel releases the lock when the process ends, however it ends; the file stays.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime.errors import Locked


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Lock the file for the block. Raises Locked if another process has the lock, OSError."""
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise Locked(path, file.read().strip()) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
