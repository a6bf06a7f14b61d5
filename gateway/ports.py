"""The ports a gateway listens on: an error names the setting of a port that cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket

from gateway.live.tcp import listen, reserve
from gateway.public import authority
from gateway.settings import GatewaySettings
from runtime.errors import SettingsError
from runtime.health import HealthServer


def bound(settings: GatewaySettings, *, shared: bool) -> socket:
    """The clients' port, to listen on; together with other workers if `shared`. Raises SettingsError."""
    with _named("port", settings.host, settings.port):
        return listen(settings.host, settings.port, shared=shared)


def kept(settings: GatewaySettings) -> socket:
    """Reserve that port for workers, as long as this socket is open. Raises SettingsError if it is taken."""
    with _named("port", settings.host, settings.port):
        return reserve(settings.host, settings.port)


async def start_operators(server: HealthServer, settings: GatewaySettings) -> None:
    """Serve the operators' page. Raises SettingsError."""
    with _named("health.port", settings.health.host, settings.health.port or 0):
        await server.start()


@contextmanager
def _named(key: str, host: str, port: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        variable = "CATALOGIZER_GATEWAY__" + key.replace(".", "__").upper()
        fault = f"gateway.{key} ({variable}): cannot listen on {authority(host, port)}: "
        raise SettingsError((fault + (error.strerror or str(error)),)) from error
