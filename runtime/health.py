"""Health and metrics over HTTP for processes that serve no other page: `/health/live` (the process answers),
`/health/ready` (it makes progress), `/metrics` (Prometheus), `/version`. On its own port, loopback by default."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import Field

from runtime.settings import Section
from schemas import __version__


class HealthSettings(Section):
    """Where a process serves its health page."""

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int | None = Field(None, ge=0, le=65535, description="unset: no health page; 0: a free port")


@dataclass(slots=True)
class Health:
    """Checks by name; each returns None if all is well, otherwise what is wrong."""

    checks: dict[str, Callable[[], str | None]] = field(default_factory=dict)

    def add(self, name: str, check: Callable[[], str | None]) -> None:
        """Register a check."""
        self.checks[name] = check

    def problems(self) -> dict[str, str]:
        """What is wrong now, by check; empty if nothing is."""
        found = {name: check() for name, check in self.checks.items()}
        return {name: problem for name, problem in found.items() if problem is not None}


def product_version() -> str:
    """The version of the product, the same from a checkout, a wheel and an image."""
    return __version__


class HealthServer:
    """The HTTP server; its owner calls `start` and `stop`."""

    def __init__(self, settings: HealthSettings, health: Health) -> None:
        self._settings = settings
        self._health = health
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
        problems = self._health.problems()
        return web.json_response(
            {"status": "unready" if problems else "ready", "problems": problems},
            status=503 if problems else 200,
        )

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _version(self, _request: web.Request) -> web.Response:
        return web.json_response({"version": product_version()})
