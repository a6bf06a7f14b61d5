"""How browsers write the origin of a page (HTML standard, "serialization of an origin"). Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")


def written(url: str) -> str | None:
    """The origin of a page at `url`: lower case, the host in ASCII, no default port, no path. None if it has none."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host = f"[{host}]" if ":" in host else host.encode("idna").decode()
    except ValueError:
        return None
    if not _SCHEME.fullmatch(parts.scheme) or not host or "@" in parts.netloc or any(c in host for c in " *%"):
        return None
    shown = "" if port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{port}"
    return f"{parts.scheme}://{host}{shown}"


def listening(host: str, port: int) -> str:
    """The origin of a page fetched from this address of the gateway, without TLS."""
    host = host.removeprefix("::ffff:") if "." in host else host
    shown = "" if port == _DEFAULT_PORTS["http"] else f":{port}"
    return f"http://[{host}]{shown}" if ":" in host else f"http://{host}{shown}"
