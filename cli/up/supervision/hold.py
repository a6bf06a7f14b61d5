"""A component taken out of service for a while by another process, which holds a lock for as long.

The kernel lets go of the lock when that process ends, however it ends: nothing stays held by accident.
"""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.up.errors import NotHeld
from cli.up.supervision import leftovers

END_SECONDS = 15.0
ASKED_SECONDS = 0.5
"""Whoever asks whether it is held (`is_held`) has the lock for an instant too."""
_POLL_SECONDS = 0.05


def is_held(path: Path) -> bool:
    """Whether somebody holds the component of this lock file. Raises OSError."""
    if not path.exists():
        return False
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextmanager
def held(
    path: Path, state_dir: Path, pid: int | None, stop_signal: signal.Signals = signal.SIGTERM
) -> Iterator[None]:
    """Keep the component from running: its process is asked to end by `stop_signal`, and its supervisor starts no other
    until the block is left. Raises NotHeld, OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        deadline = time.monotonic() + ASKED_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise NotHeld(path.name, "another command has taken it already") from error
            time.sleep(_POLL_SECONDS)
        _end(path.name, state_dir, pid, stop_signal)
        yield


def _end(component: str, state_dir: Path, pid: int | None, stop_signal: signal.Signals) -> None:
    """Ask the process to end and wait for it; a number that is somebody else's by now is left alone."""
    deadline = time.monotonic() + END_SECONDS
    asked = False
    while pid is not None and pid in leftovers.find(state_dir):
        if not asked:
            os.kill(pid, stop_signal)
            asked = True
        if time.monotonic() > deadline:
            raise NotHeld(component, f"process {pid} did not end within {END_SECONDS:g} s")
        time.sleep(_POLL_SECONDS)
