"""A child process that is controlled directly, without a supervisor; for tests and tools."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from cli.up.supervision import program as programs
from cli.up.supervision.program import Program

_LAST_LINES = 3


class Process:
    """One program that can be started, stopped and killed again and again; its output goes to a file."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        """True while the child runs."""
        return self._popen is not None and self._popen.poll() is None

    def start(self, program: Program) -> None:
        """Start it; one that still runs is killed first."""
        self.kill()
        self.output.parent.mkdir(parents=True, exist_ok=True)
        with self.output.open("ab") as output:
            self._popen = programs.start(program, output)

    def stop(self, stop_signal: signal.Signals, seconds: float) -> int | None:
        """Send the signal, and kill it if it has not ended within `seconds`; the exit code."""
        if self._popen is None:
            return None
        if self.alive:
            self._popen.send_signal(stop_signal)
            try:
                self._popen.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        return self._popen.wait()

    def kill(self) -> None:
        """kill -9 it and what it started."""
        if self._popen is not None and self.alive:
            self._popen.send_signal(signal.SIGKILL)
            self._popen.wait()
            programs.sweep(self._popen.pid)

    def output_tail(self) -> str:
        """The end of its output on one line; empty when there is none."""
        if not self.output.exists():
            return ""
        lines = self.output.read_text(errors="replace").splitlines()
        return " | ".join(line.strip() for line in lines[-_LAST_LINES:] if line.strip())
