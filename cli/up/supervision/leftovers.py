"""Processes that a killed supervisor left running: found by a variable in their environment, killed before a new start.

Children are already tied to their supervisor's life in two ways (`program`, `guardian`). This covers the case that both
fail: the guardian was killed with the supervisor, or a child removed the tie.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from cli.up.supervision.program import STATE_MARK

_POLL_SECONDS = 0.05


def find(state_dir: Path) -> list[int]:
    """Processes started by a supervisor of this state folder, except ourselves."""
    mark = os.fsencode(f"{STATE_MARK}={state_dir}")
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid() and mark in _environment(entry):
            found.append(int(entry.name))
    return found


def clear(state_dir: Path, seconds: float = 5.0) -> list[int]:
    """Kill them and wait until they have ended; returns their ids. Raises TimeoutError."""
    found = find(state_dir)
    deadline = time.monotonic() + seconds
    left = found
    while left:
        for pid in left:
            _kill(pid)
        if time.monotonic() > deadline:
            raise TimeoutError(f"processes of an earlier run do not end: {left}")
        time.sleep(_POLL_SECONDS)
        left = find(state_dir)
    return found


def _environment(entry: Path) -> list[bytes]:
    try:
        return (entry / "environ").read_bytes().split(b"\0")
    except OSError:  # it has ended meanwhile, or belongs to another user
        return []


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
