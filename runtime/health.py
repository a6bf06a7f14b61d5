"""Health and metrics over HTTP for processes that serve no other page: `/health/live` (the process answers),
`/health/ready` (it makes progress), `/metrics` (Prometheus), `/version`. On its own port, loopback by default.

Starting is not an error: a check may return `Starting`, and for two minutes the process is then only not ready. After that
the check counts as failed, because the process may never start."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import Field

from runtime import metrics
from runtime.configuration import Section
from runtime.exposition import exposition
from schemas import __version__


class HealthSettings(Section):
    """Where a process serves its health page."""

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int | None = Field(None, ge=0, le=65535, description="unset: no health page; 0: a free port")


GRACE_SECONDS = 120.0
"""How long a check may return `Starting` before that is an error (a library of 100,000 files is folded in 15 s)."""


@dataclass(frozen=True, slots=True)
class Starting:
    """A check that has not passed yet although nothing is wrong. `what`: what the process is doing."""

    what: str


Check = Callable[[], str | Starting | None]
"""Returns None if healthy, else what is wrong, or `Starting`."""


@dataclass(slots=True)
class Health:
    """Health checks by name. `measures`: functions that set gauges, called every few seconds and before metrics are read;
    they must be fast and raise nothing. `clock`: monotonic seconds."""

    checks: dict[str, Check] = field(default_factory=dict)
    measures: list[Callable[[], None]] = field(default_factory=list)
    clock: Callable[[], float] = time.monotonic
    _starting_since: dict[str, float] = field(default_factory=dict)
    _warnings: set[str] = field(default_factory=set)

    def add(self, name: str, check: Check, *, warning: bool = False) -> None:
        """Register a check. `warning`: if it fails, that is reported, but the process still counts as ready."""
        self.checks[name] = check
        if warning:
            self._warnings.add(name)

    def problems(self) -> dict[str, str]:
        """What is wrong now, by check; empty if healthy or starting."""
        return self._looked()[0]

    def starting(self) -> dict[str, str]:
        """The checks that return `Starting`, with what they wait for."""
        return self._looked()[1]

    def unready(self) -> dict[str, str]:
        """Why the process is not ready, by check: failed checks (warnings excepted) and those that are starting."""
        problems, starting = self._looked()
        return {name: what for name, what in problems.items() if name not in self._warnings} | starting

    def measure(self) -> None:
        """Set the gauges to the present state."""
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
    """The HTTP server; its owner calls `start` and `stop`. `metrics`: returns the body of `/metrics`."""

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
