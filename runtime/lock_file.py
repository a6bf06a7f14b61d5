"""A file that one process at a time holds, with its pid in it, so that the next one can say whose it is.

The kernel lets go of it when the process ends, however it ends; the file stays.
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
    """Hold the file for the block. Raises Locked where another process does, OSError."""
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
