"""Doors as the gateway makes them, for a server of a test's own."""

from __future__ import annotations

from gateway.core.admission import Admission, Room
from gateway.live.doors import Doors
from gateway.live.requests import RequestProtocol

HEADER_BYTES = 49_152


PLENTY = Room(1_000, 1_000, 1_000)


def doors(room: Room = PLENTY, *, stuck_seconds: float = 60.0) -> Doors:
    """For any number of connections, unless `room` says otherwise."""
    return Doors(Admission(room, exempt=lambda _: False), HEADER_BYTES, stuck_seconds, RequestProtocol)
