"""One component of the platform: a child that is started, watched, started again when it dies, and ended.

States: starting → ready → (dead → starting)… → ended. A component knows nothing of the others.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from cli.up import program as programs
from cli.up.backoff import Backoff
from cli.up.component_log import ComponentLog
from cli.up.errors import NotReady, UpError
from cli.up.guarded import Guarded
from cli.up.program import Program

LINE_BYTES = 1_048_576
USAGE = 2
"""Exit code of a process whose settings are wrong: starting it again will not help."""
_DRAIN_SECONDS = 1.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Plan:
    """How a component is run. `program` is asked at every start; `ready` returns when the child does its work,
    and raises NotReady; it is given what tells whether the child lives. `ours`: see `component_log`."""

    name: str
    program: Callable[[], Awaitable[Program]]
    ready: Callable[[Callable[[], bool]], Awaitable[None]]
    ours: bool = True


class Component:
    """A plan being carried out. `changed` is called at every start and death."""

    def __init__(self, plan: Plan, log: ComponentLog, guarded: Guarded, changed: Callable[[], None]) -> None:
        self.name = plan.name
        self.log = log
        self._plan = plan
        self._guarded = guarded
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None
        self._program: Program | None = None
        self._ending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._exit_code: int | None = None

    @property
    def pid(self) -> int | None:
        """Of the living child."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    def start(self) -> None:
        """Begin to keep it alive."""
        self._task = asyncio.create_task(self._keep_alive(), name=self.name)

    async def ready(self, seconds: float) -> None:
        """Return when it is ready. Raises NotReady when it is not in time, or cannot ever be."""
        waiting = asyncio.ensure_future(self._plan.ready(self._hopeful))
        assert self._task is not None
        try:
            await asyncio.wait({waiting, self._task}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                return waiting.result()
            if self._task.done():
                self._task.result()
        finally:
            waiting.cancel()
        raise NotReady(self.name, f"not ready after {seconds:g} s; {self.log.last_words()}", self.log.file.path)

    def ask_to_end(self) -> None:
        """Send its stop signal and start it no more."""
        self._ending.set()
        if self.pid is not None and self._program is not None:
            self._signal(self._program.stop_signal)

    async def ended(self, seconds: float) -> None:
        """Return when it has ended; after `seconds` it is killed."""
        if self._task is None:
            return
        _, left = await asyncio.wait({self._task}, timeout=seconds)
        if left:
            self.log.show(f"{self.name} did not end within {seconds:g} s: killed")
            self.kill()
            await asyncio.wait({self._task})

    def kill(self) -> None:
        """kill -9, now, and start it no more."""
        self._ending.set()
        if self.pid is not None:
            self._signal(signal.SIGKILL)

    def _hopeful(self) -> bool:
        return self._exit_code != USAGE and not self._ending.is_set()

    async def _keep_alive(self) -> None:
        backoff = Backoff()
        while not self._ending.is_set():
            began = time.monotonic()
            try:
                death = f"{_death(await self._live())} ({self.log.last_words()})"
            except (OSError, UpError) as error:  # no memory, no disk: as good as dead
                if isinstance(error, UpError) and not error.retryable and self._process is None:
                    raise
                death = f"cannot be started ({error})"
            if self._ending.is_set():
                return
            delay, backoff = backoff.after(time.monotonic() - began)
            self.log.show(f"{self.name} {death}: started again in {delay:g} s")
            await self._pause(delay)

    async def _live(self) -> int:
        self._program = program = await self._plan.program()
        process = self._process = await programs.start_async(program, LINE_BYTES)
        self._guarded.add(process.pid)
        if self._ending.is_set():  # asked while it was being started
            self._signal(program.stop_signal)
        self._changed()
        reading = asyncio.create_task(self._read(process))
        self._exit_code = code = await process.wait()
        programs.sweep(process.pid)
        self._guarded.remove(process.pid)
        await asyncio.wait({reading}, timeout=_DRAIN_SECONDS)
        reading.cancel()
        self._changed()
        return code

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:  # longer than LINE_BYTES; asyncio has thrown it away
                line = b"(a line too long to be kept)\n"
            if not line:
                return
            self.log.take(line)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._ending.wait(), seconds)
        except TimeoutError:
            return

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        try:
            self._process.send_signal(number)
        except ProcessLookupError:
            return


def service(name: str, program: Program, ready_file: Path) -> Plan:
    """A process of ours: it is ready when it has written its own pid into the ready file."""

    async def fresh() -> Program:
        _withdraw(ready_file)
        return program

    async def ready(hopeful: Callable[[], bool]) -> None:
        while not _announced(ready_file):
            if not hopeful():
                raise NotReady(name, "its settings are refused")
            await asyncio.sleep(_POLL_SECONDS)

    return Plan(name, fresh, ready)


def _withdraw(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)


def _announced(path: Path) -> bool:
    if not path.exists():
        return False
    text = path.read_text().strip()
    return text.isdecimal() and Path(f"/proc/{text}").exists()


def _death(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
