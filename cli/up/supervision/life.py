"""One life of a child: from its start until it and everything it started are gone and its last line is read."""

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


class Life:
    """A child that was started (`begin`) and lives until `end` returns."""

    def __init__(self, process: asyncio.subprocess.Process, program: Program) -> None:
        self._process = process
        self._program = program

    @classmethod
    async def begin(cls, program: Program, output: int) -> Life:
        """Start it. Raises OSError."""
        return cls(await programs.start_async(program, output), program)

    @property
    def pid(self) -> int | None:
        """None once it has ended."""
        return self._process.pid if self._process.returncode is None else None

    @property
    def group(self) -> int:
        """Of it and what it starts."""
        return self._process.pid

    def ask_to_end(self) -> None:
        """Send its stop signal."""
        self.signal(self._program.stop_signal)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it still lives."""
        if self.pid is not None:
            self._process.send_signal(number)

    async def end(self, guarded: Guarded) -> int:
        """Wait for its end, kill what it left; the exit code."""
        code = await self._process.wait()
        programs.sweep(self._process.pid)
        guarded.remove(self._process.pid)
        return code


class Output:
    """The pipe that a child writes to, read line by line into its log."""

    def __init__(self, log: ComponentLog) -> None:
        self._log = log
        self._receiving, self.sending = os.pipe()
        self._reading: asyncio.Task[None] | None = None
        self._pipe: asyncio.ReadTransport | None = None

    async def begin(self) -> None:
        """Read from now on."""
        lines, self._pipe = await programs.reader_of(self._receiving, LINE_BYTES)
        self._reading = asyncio.create_task(self._read(lines))

    async def drain(self) -> None:
        """Close our end for writing, read what is left; not long, for somebody else may hold the other end."""
        os.close(self.sending)
        if self._reading is None or self._pipe is None:
            os.close(self._receiving)
            return
        await asyncio.wait({self._reading}, timeout=_DRAIN_SECONDS)
        self._reading.cancel()
        self._pipe.close()

    async def _read(self, lines: asyncio.StreamReader) -> None:
        while True:
            try:
                line = await lines.readline()
            except ValueError:  # longer than LINE_BYTES; asyncio has thrown it away
                line = b"(a line too long to be kept)\n"
            if not line:
                return
            self._log.take(line)
