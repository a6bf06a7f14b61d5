"""A worker's slot: its static name in every group, leased and not configured.

A static member that is restarted within its session gets back its partitions without a rebalance. So its name has to
outlive the process, and no two processes may have it at once. The name is stored in a slot's folder below the state folder:
the lowest slot that no process holds is locked, and the kernel releases the lock when the process ends, however it ends. If
nothing is left of a former run (another machine, a container without a volume) the name is a new one, and the group
reassigns the lanes of the worker that has ended when its session expires.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runtime.errors import Locked
from runtime.lock_file import locked

FOLDER = "streams"
MEMBER = "member"
HOST_CHARACTERS = 40
"""Characters of the host's name in a member's name, where it is for people; Kafka allows 249 characters in all."""


_is_name = re.compile(r"[A-Za-z0-9._-]{1,60}").fullmatch


@dataclass(frozen=True, slots=True)
class Slot:
    """`member`: the static name; `folder`: the slot's own, kept from one process to the next."""

    member: str
    folder: Path

    def give_up_name(self) -> None:
        """Drop the name, because another process uses it, from a copy of this folder: the next process here gets a new
        one. Raises OSError."""
        (self.folder / MEMBER).unlink(missing_ok=True)


@contextlib.contextmanager
def slot_held(state_dir: Path, kind: str = FOLDER) -> Iterator[Slot]:
    """Hold the lowest free slot among workers of a kind that share the state folder. Raises OSError."""
    folder = state_dir / kind
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as held:
        for number in itertools.count():
            try:
                held.enter_context(locked(folder / f"{number}.lock"))
            except Locked:
                continue
            own = folder / str(number)
            own.mkdir(exist_ok=True)
            yield Slot(_member(own / MEMBER), own)
            return


def _member(path: Path) -> str:
    """The stored name, or a new random one."""
    with contextlib.suppress(FileNotFoundError, UnicodeDecodeError):
        if _is_name(there := path.read_text().strip()):
            return there
    host = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:HOST_CHARACTERS]
    drawn = f"{host}-{secrets.token_hex(4)}"
    path.write_text(drawn + "\n")  # if a kill truncates it, it is another name, which is just as good
    return drawn
