"""Plain watchers behind one small protocol: watch a root, detect when no more events come, return every event."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Protocol

import msgspec

from bench.watching.judging import Reported
from bench.watching.plain import Events

QUIET_SECONDS = 2.5
"""Without an event for so long no more are expected. watchfiles gathers for up to 1.6 s."""

LONGEST_SECONDS = 120.0
_MASK = "modify,attrib,close_write,moved_from,moved_to,create,delete"
"""inotifywait watches for the events that the product requests from the kernel."""


class Plain(Protocol):
    """One that has been started, in a process of its own."""

    @property
    def pid(self) -> int:
        """Its process."""

    def count(self) -> int:
        """A number that grows with its events."""

    def end(self) -> Events:
        """Its events, in order, by paths below the root; it is ended afterwards."""


class Program:
    """One of `bench.watching.plain`, watching."""

    def __init__(self, name: str, root: Path, folder: Path) -> None:
        self._file = folder / f"{name}.events"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.watching.plain", name, str(root), str(self._file)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        if self._output.readline() != "watching\n":
            raise RuntimeError(f"{name} does not watch")

    @property
    def pid(self) -> int:
        """See the protocol."""
        return self._process.pid

    def count(self) -> int:
        """See the protocol."""
        self._input.write("\n")
        self._input.flush()
        return int(self._output.readline())

    def end(self) -> Events:
        """See the protocol."""
        self._input.close()
        self._process.wait()
        self._output.close()
        return msgspec.msgpack.decode(self._file.read_bytes(), type=Events)


class Inotifywait:
    """Of inotify-tools, watching; its output goes to a file."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._start = len(os.fsencode(root)) + 1
        self._file = folder / "inotifywait.events"
        command = ["inotifywait", "-m", "-r", "-e", _MASK, "--no-newline", "--format", "%e%0%w%f%0", str(root)]
        with self._file.open("wb") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if "Watches established" in line:
                return
        raise RuntimeError("inotifywait does not watch")

    @property
    def pid(self) -> int:
        """See the protocol."""
        return self._process.pid

    def count(self) -> int:
        """See the protocol."""
        return self._file.stat().st_size

    def end(self) -> Events:
        """See the protocol."""
        self._process.terminate()
        self._process.wait()
        assert self._process.stderr is not None
        self._process.stderr.close()
        words = self._file.read_bytes().split(b"\0")
        return [
            (_reported(what), path[self._start :].rstrip(b"/"))
            for what, path in zip(words[::2], words[1::2], strict=False)
            if len(path) > self._start
        ]


PLAIN = ("watchdog", "watchfiles", "inotifywait")


def is_here(name: str) -> bool:
    """inotifywait is a package of the system, and may be missing."""
    return name != "inotifywait" or shutil.which(name) is not None


def start(name: str, root: Path, folder: Path) -> Plain:
    """Start one; it watches when this returns."""
    return Inotifywait(root, folder) if name == "inotifywait" else Program(name, root, folder)


def wait_quiet(plain: Plain) -> float:
    """Wait until nothing more comes; returns when the last event had come, as `time.monotonic`."""
    until = time.monotonic() + LONGEST_SECONDS
    before, at = plain.count(), time.monotonic()
    while time.monotonic() < min(until, at + QUIET_SECONDS):
        time.sleep(0.1)
        if (now := plain.count()) != before:
            before, at = now, time.monotonic()
    return at


def _reported(what: bytes) -> Reported:
    return "gone" if what.startswith((b"DELETE", b"MOVED_FROM")) else "there"
