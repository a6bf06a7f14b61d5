"""How many connections fit, in total and per client address, below the limit on open files. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.core.arriving import FULL, PER_ADDRESS, Refusal

REQUEST_CONNECTIONS = 1_000
"""Connections besides the sockets: requests, and handshakes under way."""

IN_WORK = 32
"""Requests of one address that are answered at the same time; further ones wait."""

OTHER_FILES = 256
"""Open files that are not a client's connection: Kafka, PostgreSQL, the page's files, the log."""


@dataclass(frozen=True, slots=True)
class Room:
    """Room for `connections` in total, `sockets` of them WebSockets, and `of_address` from one address."""

    connections: int
    sockets: int
    of_address: int


def files_wanted(max_sockets: int) -> int:
    """Open files that `max_sockets` sockets need."""
    return max_sockets + REQUEST_CONNECTIONS + OTHER_FILES


def room(max_sockets: int, max_of_address: int, open_files: int) -> Room:
    """What fits below a limit of `open_files`; one address never gets more than half."""
    connections = max(2, min(max_sockets + REQUEST_CONNECTIONS, open_files - OTHER_FILES))
    sockets = max(1, min(max_sockets, connections - min(REQUEST_CONNECTIONS, connections // 4)))
    return Room(connections, sockets, min(max_of_address, connections // 2))


@dataclass(slots=True)
class Admission:
    """Counts open connections. A client is an IPv4 address or the 64-bit network of an IPv6 address, because whoever has one
    address of such a network has all of them. `exempt`: clients that carry many others (trusted proxies)."""

    room: Room
    exempt: Callable[[str], bool]
    total: int = 0
    of_address: Counter[str] = field(default_factory=Counter)
    in_work: Counter[str] = field(default_factory=Counter)

    def may_begin(self, client: str) -> bool:
        """True if another request of the client may begin."""
        return self.in_work[client] < IN_WORK or self.exempt(client)

    def began(self, client: str) -> None:
        """A request of the client has begun."""
        self.in_work[client] += 1

    def done(self, client: str) -> None:
        """A request of the client has ended."""
        self.in_work[client] -= 1
        if not self.in_work[client]:
            del self.in_work[client]

    def enter(self, client: str) -> Refusal | None:
        """Count one more connection. Returns the refusal if it does not fit; it is counted until `leave` in either case."""
        self.total += 1
        self.of_address[client] += 1
        if self.of_address[client] > self.room.of_address and not self.exempt(client):
            return PER_ADDRESS
        return FULL if self.total > self.room.connections else None

    def leave(self, client: str) -> None:
        """Count one connection less."""
        self.total -= 1
        self.of_address[client] -= 1
        if not self.of_address[client]:
            del self.of_address[client]
