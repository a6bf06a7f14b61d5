"""Programs started on a terminal that can be closed, as a terminal's window is."""

from __future__ import annotations

import fcntl
import os
import select
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SECONDS = 60
_LEADER = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """A terminal with a program on it, the leader of a session. `controlling`: the terminal controls the session, as
    a login's does; else it does not, as under `setsid` and `su -c`."""

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        controlling: bool,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, b"\x28\x00\xc8\x00" + bytes(4))  # 40 lines of 200
        whole = [sys.executable, "-c", _LEADER, *map(str, argv)] if controlling else list(map(str, argv))
        options: dict[str, Any] = {"stdin": slave, "stdout": slave, "stderr": slave, "start_new_session": True}
        self.process = subprocess.Popen(whole, cwd=cwd, env=env, **options)
        os.close(slave)
        self.output = ""

    def until(self, text: str, seconds: float = SECONDS) -> str:
        """Read until this text appears; everything read so far."""
        deadline = time.monotonic() + seconds
        while text not in self.output:
            ready, _, _ = select.select([self._master], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"{text!r} was not printed: {self.output}"
            try:
                self.output += os.read(self._master, 65_536).decode(errors="replace")
            except OSError as error:
                raise AssertionError(f"it ended before {text!r}: {self.output}") from error
        return self.output

    def type(self, keys: bytes) -> None:
        """Press them."""
        os.write(self._master, keys)

    def close(self) -> None:
        """Close the window."""
        os.close(self._master)
        self._master = -1

    def end(self) -> None:
        """Kill what is left of the session's leader, and close."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(SECONDS)
        if self._master >= 0:
            self.close()


def read_until(terminal: int, text: bytes) -> bytes:
    """The output, up to this text at least."""
    output, deadline = b"", time.monotonic() + SECONDS
    while text not in output:
        ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
        assert ready, output
        output += os.read(terminal, 1024)
    return output
