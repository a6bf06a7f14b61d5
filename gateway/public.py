"""Where browsers find the gateway, and which origin its own page has there."""

from __future__ import annotations

from urllib.parse import urlsplit

from gateway.settings import GatewaySettings

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}
_DEFAULT_PORTS = {"http": 80, "https": 443}


def public_url(settings: GatewaySettings) -> str:
    """The page's address without a slash at its end: the setting, or where the gateway listens as this machine
    reaches it."""
    if settings.public_url is not None:
        return settings.public_url
    return f"http://{authority(_EVERYWHERE.get(settings.host, settings.host), settings.port)}"


def authority(host: str, port: int) -> str:
    """`host:port` as it stands in a URL: an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def origin_of(url: str) -> str:
    """The origin of a page at `url` as a browser writes it: lower case, no default port, no path."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = "" if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"
