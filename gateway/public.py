"""The gateway's address for browsers."""

from __future__ import annotations

from gateway.settings import GatewaySettings

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - read, not bound


def public_url(settings: GatewaySettings) -> str:
    """The page's address without a slash at its end: the setting, or the address that the gateway listens on, as seen from
    this machine."""
    if settings.public_url is not None:
        return settings.public_url
    return f"http://{authority(_EVERYWHERE.get(settings.host, settings.host), settings.port)}"


def authority(host: str, port: int) -> str:
    """`host:port` as in a URL: an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
