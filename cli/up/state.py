"""The state folder: its present owner, and the paths in it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.up import leftovers
from cli.up.errors import StateInUse

DEMO_ROOTS = ("movies", "music")
"""The storage roots of the demo library; all in one library."""


@dataclass(frozen=True, slots=True)
class State:
    """Paths below the state folder (absolute)."""

    folder: Path

    @property
    def kafka(self) -> Path:
        """Folder of the embedded broker."""
        return self.folder / "kafka"

    @property
    def postgres(self) -> Path:
        """Folder of the embedded database server."""
        return self.folder / "postgres"

    @property
    def library(self) -> Path:
        """Folder of the demo library's roots."""
        return self.folder / "library"

    @property
    def demo_marker(self) -> Path:
        """A file that exists once the demo library is complete; outside its roots."""
        return self.library / ".made"

    @property
    def admin_password(self) -> Path:
        """The file with the admin's password."""
        return self.folder / "secrets" / "admin-password"

    def log(self, component: str) -> Path:
        """A component's log file."""
        return self.folder / "logs" / f"{component}.log"

    def ready_file(self, component: str) -> Path:
        """The file that a component writes when it is ready."""
        return self.folder / "ready" / component

    def port(self, component: str) -> Path:
        """The file in which a chosen port is kept."""
        return self.folder / "ports" / component


@contextmanager
def owned(folder: Path) -> Iterator[State]:
    """Locks the folder for one supervisor; processes that a killed one left running are ended first.
    Raises StateInUse, OSError, TimeoutError."""
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StateInUse(folder) from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        leftovers.clear(folder)
        yield State(folder)
