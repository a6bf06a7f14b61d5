"""Where clients stand that keep no position themselves, so that a session goes on where it stood, at another gateway too.

Each gateway tells the others: which sessions have sockets with it, what the sockets that ended had received for certain, and
now and then one position that all its open sockets have passed. Records are read for as long as positions are left
(`LEFT_SECONDS`), and kept little longer.
"""

from __future__ import annotations

from msgspec import Struct

LEFT_SECONDS = 600
"""So long a position is left to its session."""


class Mark(Struct, frozen=True):
    """A position in a channel: the epoch of its topic, and the next offset wanted by partition."""

    epoch: str
    next: dict[int, int]


class SocketOpened(Struct, frozen=True, kw_only=True, tag_field="kind", tag="opened"):
    """The first socket of a session is open at a gateway."""

    gateway: str
    session: str


class SocketEnded(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="ended"):
    """A socket of a session ended; by channel what was received for certain (`left`; empty: nothing is owed). `others`: the
    session has open sockets at that gateway still."""

    gateway: str
    session: str
    left: dict[str, Mark] = {}
    others: bool = False


class PositionTaken(Struct, frozen=True, kw_only=True, tag_field="kind", tag="taken"):
    """A socket of the session that began in the channel where the record at this `offset` left off has received that for
    certain: by it nothing is owed in the channel any more."""

    gateway: str
    session: str
    channel: str
    offset: int


class GatewayFloor(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="floor"):
    """What all open sockets of a gateway have received for certain, by channel. `sessions`: some that have sockets there,
    told again now and then."""

    gateway: str
    floors: dict[str, Mark]
    sessions: tuple[str, ...] = ()


ResumeRecord = SocketOpened | SocketEnded | PositionTaken | GatewayFloor
"""Any record of the topic; `kind` tells them apart."""
