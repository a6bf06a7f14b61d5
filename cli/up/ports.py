"""Chooses a server's local port: the configured one, the one it had before, or a free one.

Free ports are chosen below the range that the system uses for outgoing connections: a port inside that range may be in
use as a source port at the next start.
"""

from __future__ import annotations

import random
import socket
from collections import deque
from pathlib import Path

from cli.up.errors import PortTaken

LOOPBACK = "127.0.0.1"
RANGE = (20_000, 32_000)
_TRIES = 200
_given: deque[int] = deque(maxlen=64)
"""Ports chosen last in this process: who is to listen there may not do so yet."""


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """True if a server could listen on the port now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port of 127.0.0.1 that is not in use now, and was not chosen for another server just now. Raises OSError if none
    was found."""
    draw = random.SystemRandom()
    for _ in range(_TRIES):
        port = draw.randint(*RANGE)
        if port not in _given and is_free(port):
            _given.append(port)
            return port
    raise OSError(f"no free port found between {RANGE[0]} and {RANGE[1]}")


def kept_port(kept: Path, configured: int | None, setting: str) -> int:
    """The configured port, else the one kept in a file, else a free one, which is kept from now on.
    Raises PortTaken for a configured port only: a kept port that is in use is replaced by a free one."""
    if configured is not None:
        if not is_free(configured):
            raise PortTaken(configured, setting)
        _given.append(configured)
        return configured
    text = kept.read_text().strip() if kept.exists() else ""
    if text.isdecimal() and 0 < int(text) < 65_536 and is_free(int(text)):
        _given.append(int(text))
        return int(text)
    port = free_port()
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(f"{port}\n")
    return port
