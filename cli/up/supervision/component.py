"""One component of the platform: a child process that is started, restarted whenever it dies, and finally stopped.

States: starting → ready → (dead → starting)… → ended. A component knows nothing about the other components.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from cli.up.errors import NotReady, UpError
from cli.up.supervision.backoff import RestartDelay
from cli.up.supervision.child_run import ChildRun, OutputPipe
from cli.up.supervision.component_log import ComponentLog
from cli.up.supervision.guarded import Guarded
from cli.up.supervision.hold import is_held
from cli.up.supervision.program import Program
from runtime.lifecycle import USAGE

NEVER_STARTED = os.EX_OSERR
"""Used as exit code of a child that could not be started."""
START_DEATHS = 5
"""After so many deaths before it was ever ready, a component is given up."""
_POLL_SECONDS = 0.05
_HOLD_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Plan:
    """How a component is run. `program` is called at every start; `ready` returns when the child is ready.
    `ours`: see `component_log`; `hold`: see `hold`."""

    name: str
    program: Callable[[], Awaitable[Program]]
    ready: Callable[[], Awaitable[None]]
    ours: bool = True
    hold: Path | None = None


class Component:
    """Runs the child of a plan. `changed` is called after every start and every death of the child."""

    def __init__(self, plan: Plan, log: ComponentLog, guarded: Guarded, changed: Callable[[], None]) -> None:
        self.name = plan.name
        self.log = log
        self._plan = plan
        self._guarded = guarded
        self._changed = changed
        self._run: ChildRun | None = None
        self._was_ready = False
        self._ending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the running child; None while there is none."""
        return self._run.pid if self._run is not None else None

    def start(self) -> None:
        """Start the child, and restart it whenever it dies, until `request_stop` or `kill`."""
        self._task = asyncio.create_task(self._keep_alive(), name=self.name)

    async def ready(self, seconds: float | None) -> None:
        """Return when it is ready. Raises NotReady if it is not ready within `seconds`, if any, or was given up."""
        waiting = asyncio.ensure_future(self._plan.ready())
        assert self._task is not None
        try:
            await asyncio.wait({waiting, self._task}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if self._task.done():
                self._task.result()
            if waiting.done():
                waiting.result()
                self._was_ready = True
                return
        finally:
            waiting.cancel()
        raise NotReady(self.name, f"not ready after {seconds} s; {self.log.last_error()}", self.log.file.path)

    def request_stop(self) -> None:
        """Send the child its stop signal and do not restart it."""
        self._ending.set()
        if self._run is not None:
            self._run.request_stop()

    def kill(self) -> None:
        """Kill the child with SIGKILL and do not restart it."""
        self._ending.set()
        if self._run is not None:
            self._run.signal(signal.SIGKILL)

    async def ended(self, seconds: float) -> None:
        """Return when the child has ended, which `request_stop` has requested; after `seconds` it is killed."""
        if self._task is None:
            return
        _, left = await asyncio.wait({self._task}, timeout=seconds)
        if left:
            self.log.show(f"{self.name} did not end within {seconds:g} s: killed")
            self.kill()
            await asyncio.wait({self._task})

    async def _keep_alive(self) -> None:
        backoff, deaths = RestartDelay(), 0
        while not self._ending.is_set():
            await self._held()  # it may have been held while no process ran, or before this supervisor started
            if self._ending.is_set():
                return
            began = time.monotonic()
            code = await self._one_run()
            if self._ending.is_set():
                return
            deaths += 1
            if not self._was_ready and (code == USAGE or deaths >= START_DEATHS):
                raise NotReady(self.name, self.log.last_error(), self.log.file.path)
            if await self._held():
                backoff, deaths = RestartDelay(), 0
                continue
            delay, backoff = backoff.after(time.monotonic() - began)
            reason = "" if code < 0 else f" ({self.log.last_error()})"  # a killed process logs no reason
            self.log.show(f"{self.name} {_death(code)}{reason}: started again in {delay:g} s")
            await self._pause(delay)

    async def _one_run(self) -> int:
        """Run the child once; its exit code. A child that cannot be started, for lack of memory or disk, counts as dead."""
        output = OutputPipe(self.log)
        self.log.begin_run()
        try:
            program = await self._plan.program()
            await output.open()
            self._run = run = await ChildRun.begin(program, output.sending)
        except (OSError, UpError) as error:
            if not self._was_ready and isinstance(error, UpError) and not error.retryable:
                raise
            self.log.take(f"{error}\n".encode())
            return NEVER_STARTED
        else:
            self._guarded.add(run.group)
            if self._ending.is_set():  # the request came while it was being started
                run.request_stop()
            self._changed()
            return await run.end(self._guarded)
        finally:
            await output.drain()
            self._changed()

    async def _held(self) -> bool:
        """Wait while the component is held; whether it was."""
        hold = self._plan.hold
        if hold is None or not is_held(hold):
            return False
        self.log.show(f"{self.name} is held by a command")
        while is_held(hold) and not self._ending.is_set():
            await self._pause(_HOLD_POLL_SECONDS)
        self.log.show(f"{self.name} is started again")
        return True

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._ending.wait(), seconds)
        except TimeoutError:
            return


def service(name: str, program: Program, ready_file: Path, hold: Path | None = None) -> Plan:
    """The plan of one of our processes: it is ready when it has written its pid to the ready file."""

    async def fresh() -> Program:
        _withdraw(ready_file)
        return program

    async def ready() -> None:
        while not _announced(ready_file):  # noqa: ASYNC110  a file raises no event
            await asyncio.sleep(_POLL_SECONDS)

    return Plan(name, fresh, ready, hold=hold)


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
