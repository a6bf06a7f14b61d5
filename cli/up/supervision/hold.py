"""Takes a component out of service while another process holds a lock.

The kernel releases the lock when that process ends, however it ends: nothing stays held by accident.
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
PROBE_SECONDS = 0.5
"""How long to retry: a check by `is_held` also takes the lock, for an instant."""
_POLL_SECONDS = 0.05


def is_held(path: Path) -> bool:
    """Whether a process holds the component of this lock file. Raises OSError."""
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
    """Keep the component from running: its process gets `stop_signal`, and its supervisor starts no other until the block
    is left. Raises NotHeld, OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        deadline = time.monotonic() + PROBE_SECONDS
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
    """Signal the process and wait for its end; a process id that was reused by another program is left alone."""
    deadline = time.monotonic() + END_SECONDS
    signalled = False
    while pid is not None and pid in leftovers.find(state_dir):
        if not signalled:
            os.kill(pid, stop_signal)
            signalled = True
        if time.monotonic() > deadline:
            raise NotHeld(component, f"process {pid} did not end within {END_SECONDS:g} s")
        time.sleep(_POLL_SECONDS)
