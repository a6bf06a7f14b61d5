"""The log of many processes: each line goes to its component's rotated file, important ones to the terminal as well.

Our own processes write JSON lines: warnings and worse are shown, except those of client libraries, which log many lines for
an outage that we report once. Kafka's and PostgreSQL's lines go to their files only. If the disk is full, log lines are
lost, but the platform keeps running; this is reported once.
"""

from __future__ import annotations

import re
import sys
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import msgspec

MAX_BYTES = 10_000_000
KEPT = 3
SHOWN = frozenset({"warning", "error", "critical"})
LIBRARIES = ("aiokafka", "faust", "mode")
_NOT_SHOWN = frozenset({"event", "level", "logger", "timestamp", "component"})
_LAST = 100
_FAULT = re.compile(r"\b(FATAL|PANIC|ERROR|Error|[A-Z]\w+(?:Error|Exception))\b")
"""How Kafka, Java and PostgreSQL mark a line that describes an error."""


class LineFile(Protocol):
    """Where lines are kept."""

    @property
    def path(self) -> Path | None:
        """The path of the file, if there is one."""

    def write(self, line: bytes) -> None:
        """Append a line. Raises OSError."""


@dataclass(frozen=True, slots=True)
class StandardError:
    """Our own standard error: children's lines are ours."""

    path: None = None

    def write(self, line: bytes) -> None:
        """Write a line. Raises OSError."""
        sys.stderr.buffer.write(line)
        sys.stderr.buffer.flush()


@dataclass(slots=True)
class RotatedFile:
    """A file of at most MAX_BYTES, and up to KEPT older ones."""

    path: Path
    max_bytes: int = MAX_BYTES

    def write(self, line: bytes) -> None:
        """Append a line. Raises OSError."""
        if self.path.exists() and self.path.stat().st_size + len(line) > self.max_bytes:
            self._rotate()
        with self.path.open("ab") as file:
            file.write(line)

    def _rotate(self) -> None:
        for number in range(KEPT - 1, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number}")
            if older.exists():
                older.replace(self.path.with_name(f"{self.path.name}.{number + 1}"))
        self.path.replace(self.path.with_name(f"{self.path.name}.1"))


@dataclass(slots=True)
class ComponentLog:
    """Writes a component's lines. `ours`: it is one of our own processes, whose warnings and errors are shown."""

    component: str
    file: LineFile
    ours: bool
    show: Callable[[str], None]
    last: deque[str] = field(default_factory=lambda: deque(maxlen=_LAST))
    _lost: bool = False

    def take(self, line: bytes) -> None:
        """Write one line, which includes its line break."""
        text = line.decode(errors="replace").rstrip()
        self.last.append(text)
        try:
            self.file.write(line)
            self._lost = False
        except OSError as error:
            if not self._lost:
                self.show(f"{self.component}: log lines are lost: {error}")
            self._lost = True
        if self.ours and (shown := readable(text)) is not None:
            self.show(f"{self.component:8} {shown}")

    def begin_run(self) -> None:
        """A new process writes from now on; `last_error` forgets the previous one."""
        self.last.clear()

    def last_error(self) -> str:
        """Why a process has ended, on one line: its last line that describes an error, or else its last line. Indented
        lines are stack frames and details, and are not used."""
        lines = [readable(line) or line for line in self.last if line.strip()]
        faults = [line for line in lines if not line[0].isspace() and _FAULT.search(line)]
        return (faults or lines or ["it printed nothing"])[-1].strip()


def readable(line: str) -> str | None:
    """A line for the terminal: warnings, errors, and what is not a log line (a traceback); None for the rest."""
    try:
        entry = msgspec.json.decode(line.encode(), type=dict[str, object])
    except msgspec.DecodeError:
        return line or None
    if entry.get("level") not in SHOWN or str(entry.get("logger")).startswith(LIBRARIES):
        return None
    return f"{entry['level']}: {entry.get('event')}{_facts(entry)}"


def _facts(entry: Mapping[str, object]) -> str:
    facts = [f"{name}={value}" for name, value in entry.items() if name not in _NOT_SHOWN]
    return (" " + " ".join(facts)) if facts else ""
