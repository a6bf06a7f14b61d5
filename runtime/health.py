"""Health and metrics over HTTP for processes that serve no other page: `/health/live` (the process answers),
`/health/ready` (it makes progress), `/metrics` (Prometheus), `/version`. On its own port, loopback by default.

Starting is not an error: a check may say `Starting`, and for two minutes that makes the process not ready and nothing
worse. One that takes longer is told as what is wrong, for it may never come up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import Field

from runtime import metrics
from runtime.exposition import exposition
from runtime.settings import Section
from schemas import __version__


class HealthSettings(Section):
    """Where a process serves its health page."""

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int | None = Field(None, ge=0, le=65535, description="unset: no health page; 0: a free port")


GRACE_SECONDS = 120.0
"""So long a check may say `Starting` before that is an error (a library of 100,000 files is folded in 15 s)."""


@dataclass(frozen=True, slots=True)
class Starting:
    """Not there yet, and nothing is wrong: `what` is being done."""

    what: str


Check = Callable[[], str | Starting | None]
"""None when well, else what is wrong or what is still to come."""


@dataclass(slots=True)
class Health:
    """Checks by name, and `measures`: what sets gauges, called every few seconds and before metrics are read; fast, and
    raises nothing. `clock`: monotonic seconds."""

    checks: dict[str, Check] = field(default_factory=dict)
    measures: list[Callable[[], None]] = field(default_factory=list)
    clock: Callable[[], float] = time.monotonic
    _starting_since: dict[str, float] = field(default_factory=dict)
    _warnings: set[str] = field(default_factory=set)

    def add(self, name: str, check: Check, *, warning: bool = False) -> None:
        """Register a check. `warning`: what it finds is wrong, but the process does its work in spite of it."""
        self.checks[name] = check
        if warning:
            self._warnings.add(name)

    def problems(self) -> dict[str, str]:
        """What is wrong now, by check; empty when well or starting."""
        return self._looked()[0]

    def starting(self) -> dict[str, str]:
        """What is still to come, by check; nothing is wrong with it."""
        return self._looked()[1]

    def unready(self) -> dict[str, str]:
        """Why it does not do its work now, by check: what is wrong and what is still to come."""
        problems, starting = self._looked()
        return {name: what for name, what in problems.items() if name not in self._warnings} | starting

    def measure(self) -> None:
        """Set the gauges that show how the process is now."""
        metrics.READY.set(not self.unready())
        for measure in self.measures:
            measure()

    def _looked(self) -> tuple[dict[str, str], dict[str, str]]:
        problems: dict[str, str] = {}
        starting: dict[str, str] = {}
        now = self.clock()
        for name, check in self.checks.items():
            found = check()
            if not isinstance(found, Starting):
                self._starting_since.pop(name, None)
                if found is not None:
                    problems[name] = found
            elif now - self._starting_since.setdefault(name, now) <= GRACE_SECONDS:
                starting[name] = f"starting: {found.what}"
            else:
                problems[name] = f"not started within {GRACE_SECONDS:.0f} s: {found.what}"
        return problems, starting


def product_version() -> str:
    """The version of the product, the same from a checkout, a wheel and an image."""
    return __version__


class HealthServer:
    """The HTTP server; its owner calls `start` and `stop`. `metrics`: what is served as such."""

    def __init__(
        self, settings: HealthSettings, health: Health, metrics: Callable[[], bytes] = exposition
    ) -> None:
        self._settings = settings
        self._health = health
        self._metrics_now = metrics
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        if self._settings.port is None:
            return
        app = web.Application()
        app.add_routes(
            [
                web.get("/health/live", self._live),
                web.get("/health/ready", self._ready),
                web.get("/metrics", self._metrics),
                web.get("/version", self._version),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._settings.host, self._settings.port).start()

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _live(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "live"})

    async def _ready(self, _request: web.Request) -> web.Response:
        problems = self._health.unready()
        return web.json_response(
            {"status": "unready" if problems else "ready", "problems": problems},
            status=503 if problems else 200,
        )

    async def _metrics(self, _request: web.Request) -> web.Response:
        self._health.measure()
        return web.Response(body=self._metrics_now(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _version(self, _request: web.Request) -> web.Response:
        return web.json_response({"version": product_version()})
