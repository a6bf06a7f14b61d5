"""One run of a child: from its start until it and everything it started have ended and its last line has been read."""

from __future__ import annotations

import asyncio
import os
import signal

from cli.up.supervision import program as programs
from cli.up.supervision.component_log import ComponentLog
from cli.up.supervision.guarded import Guarded
from cli.up.supervision.program import Program

LINE_BYTES = 1_048_576
_DRAIN_SECONDS = 1.0


class ChildRun:
    """A child that was started by `begin` and has ended when `end` returns."""

    def __init__(self, process: asyncio.subprocess.Process, program: Program) -> None:
        self._process = process
        self._program = program

    @classmethod
    async def begin(cls, program: Program, output: int) -> ChildRun:
        """Start it. Raises OSError."""
        return cls(await programs.start_async(program, output), program)

    @property
    def pid(self) -> int | None:
        """None once it has ended."""
        return self._process.pid if self._process.returncode is None else None

    @property
    def group(self) -> int:
        """The process group of the child and of what it starts."""
        return self._process.pid

    def request_stop(self) -> None:
        """Send its stop signal."""
        self.signal(self._program.stop_signal)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if the child still runs."""
        if self.pid is not None:
            self._process.send_signal(number)

    async def end(self, guarded: Guarded) -> int:
        """Wait for its end and kill what it leaves behind; the exit code."""
        code = await self._process.wait()
        programs.sweep(self._process.pid)
        guarded.remove(self._process.pid)
        return code


class OutputPipe:
    """The pipe that a child writes to, read line by line into its log."""

    def __init__(self, log: ComponentLog) -> None:
        self._log = log
        self._ends: tuple[int, int] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._pipe: asyncio.ReadTransport | None = None

    @property
    def sending(self) -> int:
        """The end that the child writes to."""
        assert self._ends is not None, "opened before"
        return self._ends[1]

    async def open(self) -> None:
        """Start to read. Raises OSError, for example if the process may open no more files."""
        receiving, _ = self._ends = os.pipe()
        lines, self._pipe = await programs.reader_of(receiving, LINE_BYTES)
        self._reading = asyncio.create_task(self._read(lines))

    async def drain(self) -> None:
        """Close our writing end and read what is left; only briefly, since another process may keep it open."""
        if self._ends is None:
            return
        receiving, sending = self._ends
        os.close(sending)
        if self._reading is None or self._pipe is None:
            os.close(receiving)
            return
        await asyncio.wait({self._reading}, timeout=_DRAIN_SECONDS)
        self._reading.cancel()
        self._pipe.close()

    async def _read(self, lines: asyncio.StreamReader) -> None:
        while True:
            try:
                line = await lines.readline()
            except ValueError:  # longer than LINE_BYTES: asyncio has discarded it
                line = b"(a line too long to be kept)\n"
            if not line:
                return
            self._log.take(line)
