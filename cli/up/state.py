"""The state folder: its lock, and the paths in it."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.up.errors import BrokenState, StateInUse
from cli.up.supervision import leftovers
from runtime.errors import Locked
from runtime.lock_file import locked

_OURS = frozenset(
    {
        "kafka",
        "library",
        "lock",
        "logs",
        "ports",
        "postgres",
        "producer",
        "ready",
        "roots.d",
        "run.json",
        "secrets",
        "streams",
        "version",
    }
)
"""What is at the top of a state folder."""
_FOREIGN = frozenset({"lost+found"})
"""What may also be there if the folder is the root of a file system."""

DEMO_LIBRARY = "home"
DEMO_ROOTS = ("movies", "music")
"""The storage roots of the demo library; all in one library."""
DEMO_MARKER = ".made"
"""A file beside these roots that exists once they are complete."""


@dataclass(frozen=True, slots=True)
class StateFolder:
    """Paths below the state folder (absolute)."""

    folder: Path

    @property
    def kafka(self) -> Path:
        """Folder of the embedded broker."""
        return self.folder / "kafka"

    @property
    def moved_log(self) -> Path:
        """The file that exists once the log was moved to other brokers, and names them."""
        return self.kafka / "moved"

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
        return self.library / DEMO_MARKER

    @property
    def admin_password(self) -> Path:
        """The file with the admin's password."""
        return self.folder / "secrets" / "admin-password"

    @property
    def token_secret(self) -> Path:
        """The file with the gateway's token secret."""
        return self.folder / "secrets" / "token.key"

    @property
    def kafka_secrets(self) -> Path:
        """The folder with the secrets of the embedded broker's principals."""
        return self.folder / "secrets" / "kafka"

    @property
    def version_file(self) -> Path:
        """The file that has the version of the program that used the folder last."""
        return self.folder / "version"

    def log(self, component: str) -> Path:
        """A component's log file."""
        return self.folder / "logs" / f"{component}.log"

    def ready_file(self, component: str) -> Path:
        """The file that a component writes when it is ready."""
        return self.folder / "ready" / component

    def hold(self, component: str) -> Path:
        """The lock by which a command keeps a component from running."""
        return self.folder / "holds" / component

    def port(self, component: str) -> Path:
        """The file in which a chosen port is kept."""
        return self.folder / "ports" / component


@contextmanager
def owned(folder: Path) -> Iterator[StateFolder]:
    """Lock the folder for the block, as its only supervisor; processes that a killed supervisor left are ended first.
    Raises StateInUse, BrokenState, OSError, TimeoutError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = folder.resolve()
    _take(folder)
    with ExitStack() as held:
        try:
            held.enter_context(locked(folder / "lock"))
        except Locked as error:
            raise StateInUse(folder, error.owner) from error
        leftovers.clear(folder)
        yield StateFolder(folder)


def _take(folder: Path) -> None:
    """Make the folder accessible to its owner only: the log, the catalogue and every secret are in it. A folder with other
    contents and none of ours is rejected, because it has another use. Raises BrokenState, OSError."""
    names = {entry.name for entry in folder.iterdir()} - _FOREIGN
    if names and not names & _OURS:
        raise BrokenState(folder, "contains other things than our state: name an empty or a new folder")
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        folder.chmod(0o700)
