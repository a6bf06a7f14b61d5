"""The supervisor's side of the guardian: registers process groups; starts a new guardian if it was killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_SCRIPT = Path(__file__).with_name("guardian.py")


class Guarded:
    """The process groups that must not outlive the supervisor."""

    def __init__(self) -> None:
        self._groups: set[int] = set()
        self._guardian = self._start()

    def add(self, group: int) -> None:
        """From now on the group is killed if the supervisor dies."""
        self._groups.add(group)
        self._send(f"+{group}\n")

    def remove(self, group: int) -> None:
        """The group has ended, and its number may be reused by others."""
        self._groups.discard(group)
        self._send(f"-{group}\n")

    def end(self) -> None:
        """Kill what is still registered, end the guardian."""
        if self._guardian.stdin is not None:
            self._guardian.stdin.close()
        self._guardian.wait()

    def _send(self, line: str) -> None:
        try:
            self._write(line)
        except BrokenPipeError:
            self._guardian.wait()
            self._guardian = self._start()
            for group in self._groups:
                self._write(f"+{group}\n")

    def _write(self, line: str) -> None:
        assert self._guardian.stdin is not None
        self._guardian.stdin.write(line)
        self._guardian.stdin.flush()

    @staticmethod
    def _start() -> subprocess.Popen[str]:
        argv = (sys.executable, "-I", "-S", str(_SCRIPT))
        return subprocess.Popen(argv, stdin=subprocess.PIPE, start_new_session=True, text=True)
