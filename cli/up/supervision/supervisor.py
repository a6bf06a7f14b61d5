"""Starts the components in order, restarts those that die, and ends them in reverse order.

Servers (Kafka, PostgreSQL) are started together; when they are ready the set-up is done; then the services are started
together. On a request to end, it ends the components in order within SERVICES_END_SECONDS and
SERVERS_END_SECONDS; when it is killed, they are killed with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from cli.up.supervision.chore import run_chore
from cli.up.supervision.component import Component, Plan
from cli.up.supervision.component_log import ComponentLog, RotatedFile
from cli.up.supervision.guarded import Guarded
from cli.up.supervision.program import Program

READY_SECONDS = 90
"""Longest wait for the servers, and again for the services; Kafka may have to recover a log."""
SERVICES_END_SECONDS = 5.5
SERVERS_END_SECONDS = 3.5
"""The sum of both is below the ten seconds within which the platform must have ended."""


class Supervisor:
    """`servers` and `services` in the order of their start; `changed` is called with the ids of the running processes
    whenever they change."""

    def __init__(
        self,
        servers: Sequence[Plan],
        services: Callable[[], Sequence[Plan]],
        *,
        log: Callable[[str], Path],
        show: Callable[[str], None],
        changed: Callable[[dict[str, int]], None],
    ) -> None:
        self._log = log
        self._show = show
        self._on_change = changed
        self._guarded = Guarded()
        self._make_services = services
        self._servers = [self._component(plan) for plan in servers]
        self._services: list[Component] = []
        self._chores: list[asyncio.Task[None]] = []

    def pids(self) -> dict[str, int]:
        """Process ids of the running components, by name."""
        components = (*self._servers, *self._services)
        return {component.name: component.pid for component in components if component.pid is not None}

    async def start(self, set_up: Callable[[], Awaitable[None]]) -> None:
        """Return when everything is ready. `set_up` runs once the servers are ready. Raises NotReady, and whatever
        `set_up` and the making of services raise; what was started keeps running until `end`."""
        await self._bring_up(self._servers)
        await set_up()
        self._services = [self._component(plan) for plan in self._make_services()]
        await self._bring_up(self._services)

    def begin_chore(self, program: Program) -> None:
        """Run a program once in the background; it is killed when the platform ends."""
        self._chores.append(asyncio.create_task(run_chore(program, self._guarded)))

    async def end(self) -> None:
        """End everything, the last started first, services before the servers they use."""
        for chore in self._chores:
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)
        for components, seconds in ((self._services, SERVICES_END_SECONDS), (self._servers, SERVERS_END_SECONDS)):
            for component in reversed(components):
                component.request_stop()
            await asyncio.gather(*(component.ended(seconds) for component in components))
        self._guarded.end()

    def kill(self) -> None:
        """End everything at once, without order."""
        for component in (*self._services, *self._servers):
            component.kill()

    async def _bring_up(self, components: Sequence[Component]) -> None:
        for component in components:
            component.start()
        waiting = [asyncio.create_task(component.ready(READY_SECONDS)) for component in components]
        try:
            await asyncio.gather(*waiting)
        finally:
            for task in waiting:
                task.cancel()

    def _component(self, plan: Plan) -> Component:
        log = ComponentLog(plan.name, RotatedFile(self._log(plan.name)), plan.ours, self._show)
        self._log(plan.name).parent.mkdir(parents=True, exist_ok=True)
        return Component(plan, log, self._guarded, self._changed)

    def _changed(self) -> None:
        try:
            self._on_change(self.pids())
        except OSError as error:  # a full disk must not stop the platform
            self._show(f"run.json cannot be written: {error}")


async def run(
    supervisor: Supervisor,
    set_up: Callable[[], Awaitable[None]],
    stop: Awaitable[object],
    ready: Callable[[], None],
) -> None:
    """Start, call `ready`, run until `stop`, end. If `stop` comes during the start, what was started is ended. Raises
    UpError and what `set_up` raises, after everything has ended."""
    starting = asyncio.ensure_future(supervisor.start(set_up))
    stopping = asyncio.ensure_future(stop)
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            ready()
            await stopping
    finally:
        starting.cancel()
        stopping.cancel()
        await asyncio.wait({starting})
        await supervisor.end()
