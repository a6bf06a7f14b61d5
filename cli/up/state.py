"""The state folder: who owns it now, and where things lie in it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.up.errors import StateInUse
from cli.up.supervision import leftovers

DEMO_ROOTS = ("movies", "music")
"""The storage roots of the demo library; all in one library."""


@dataclass(frozen=True, slots=True)
class State:
    """Paths below the state folder (absolute)."""

    folder: Path

    @property
    def kafka(self) -> Path:
        """The embedded broker's."""
        return self.folder / "kafka"

    @property
    def postgres(self) -> Path:
        """The embedded database server's."""
        return self.folder / "postgres"

    @property
    def library(self) -> Path:
        """The demo library's roots."""
        return self.folder / "library"

    @property
    def demo_marker(self) -> Path:
        """Exists when the demo library is whole; outside its roots."""
        return self.library / ".made"

    @property
    def admin_password(self) -> Path:
        """The file with the admin's password."""
        return self.folder / "secrets" / "admin-password"

    def log(self, component: str) -> Path:
        """A component's log."""
        return self.folder / "logs" / f"{component}.log"

    def ready_file(self, component: str) -> Path:
        """Where a component says that it is ready."""
        return self.folder / "ready" / component

    def port(self, component: str) -> Path:
        """The file in which a chosen port is kept."""
        return self.folder / "ports" / component


@contextmanager
def owned(folder: Path) -> Iterator[State]:
    """The folder as its only supervisor; what a killed one left running is ended first.
    Raises StateInUse, OSError, TimeoutError."""
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise StateInUse(folder, lock.read().strip()) from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        leftovers.clear(folder)
        yield State(folder)
