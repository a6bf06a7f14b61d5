"""`catalogizer serve --workers N`: the parent of N gateway processes that listen on one port.

It reserves the port and itself listens only on the operators' port, restarts workers that have died, forwards a request to
stop, and waits until all workers have ended. It reads no log and accepts no clients; a worker is an ordinary gateway.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from cli.settings import Settings
from cli.up.supervision.component import Component, Plan, service
from cli.up.supervision.component_log import ComponentLog, StandardError
from cli.up.supervision.guarded import Guarded
from cli.up.supervision.program import SETTINGS, python
from gateway.access.tokens import configured_secret
from gateway.ports import kept, start_operators
from gateway.workers import Worker
from runtime import log
from runtime.exposition import FOLDER, exposition, forget
from runtime.health import Check, Health, HealthServer
from runtime.lifecycle import READY_FILE, Stop, announce_ready

END_SECONDS = 8.5
"""How long workers may take to end: less than the ten seconds that this process has."""

_log = log.get(__name__)


async def serve_with_workers(settings: Settings, count: int, stop: Stop) -> None:
    """Run until requested to stop. Raises SettingsError if it cannot start (port taken, weak secret), NotReady if a worker
    dies repeatedly before it was ever ready."""
    configured_secret(settings.gateway)
    settings.database.dsn()
    with (
        kept(settings.gateway),
        tempfile.TemporaryDirectory(prefix="catalogizer-serve-", ignore_cleanup_errors=True) as folder,
    ):
        workers = [Worker(number, count, Path(folder)) for number in range(1, count + 1)]
        metrics = Path(folder) / "metrics"
        metrics.mkdir()
        group = WorkerGroup([_plan(worker, settings, metrics) for worker in workers], metrics)
        health = Health()
        for worker, component in zip(workers, group.components, strict=True):
            health.add(component.name, _check(worker, component))
        operators = HealthServer(settings.gateway.health, health, partial(exposition, metrics))
        await start_operators(operators, settings.gateway)
        try:
            await group.run(stop)
        finally:
            await operators.stop()


class WorkerGroup:
    """The workers' processes. `metrics`: the folder that they share for metrics."""

    def __init__(self, plans: list[Plan], metrics: Path) -> None:
        self._guarded = Guarded()
        self._metrics = metrics
        self._pids: dict[str, int] = {}
        self.components = [
            Component(
                plan,
                ComponentLog(plan.name, StandardError(), plan.ours, _log.warning),
                self._guarded,
                self._changed,
            )
            for plan in plans
        ]

    async def run(self, stop: Stop) -> None:
        """Run until requested to stop; when it returns or raises, all workers have ended. Raises NotReady."""
        for component in self.components:
            component.start()
        ready = asyncio.create_task(self._ready())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([ready, stopping], return_when=asyncio.FIRST_COMPLETED)
            if ready.done():
                ready.result()
                announce_ready()
                await stopping
        finally:
            ready.cancel()
            stopping.cancel()
            await asyncio.gather(ready, stopping, return_exceptions=True)
            await self._end()

    async def _ready(self) -> None:
        await asyncio.gather(*(component.ready(None) for component in self.components))

    async def _end(self) -> None:
        for component in self.components:
            component.request_stop()
        await asyncio.gather(*(component.ended(END_SECONDS) for component in self.components))
        self._guarded.end()

    def _changed(self) -> None:
        """A worker was started or has died: remove the live gauges of dead ones."""
        now = {c.name: c.pid for c in self.components if c.pid is not None}
        for name, pid in self._pids.items():
            if now.get(name) != pid:
                forget(self._metrics, pid)
        self._pids = now


def _plan(worker: Worker, settings: Settings, metrics: Path) -> Plan:
    name = f"worker {worker.number}"
    ready = worker.folder / f"{worker.number}.ready"
    ours = {key: value for key, value in os.environ.items() if key.startswith(SETTINGS)}
    environment = ours | {
        READY_FILE: str(ready),
        FOLDER: str(metrics),
        f"{SETTINGS}LOG__FORMAT": _format(settings),
    }
    arguments = ("-m", "cli.main", "serve-worker", str(worker.number), str(worker.of), str(worker.folder))
    plan = service(name, python(name, arguments, environment), ready)
    return Plan(plan.name, plan.program, plan.ready, ours=False)  # its log lines are passed through


def _check(worker: Worker, component: Component) -> Check:
    return lambda: worker.reported(component.pid, time.monotonic())


def _format(settings: Settings) -> str:
    """The workers' log format: they write to a pipe, but our own standard error may be a terminal."""
    if settings.log.format != "auto":
        return settings.log.format
    return "text" if sys.stderr.isatty() else "json"
