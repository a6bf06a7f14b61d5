"""Positions of clients that keep none themselves, so that a session resumes where it was, also at another gateway.

Each gateway publishes for the others: which sessions have sockets with it, up to where the sockets that ended have certainly
received events, and from time to time one position that all its open sockets have passed. Records are read back as far as
positions are kept (`LEFT_SECONDS`), and retained only a little longer.
"""

from __future__ import annotations

from msgspec import Struct

LEFT_SECONDS = 600
"""How long the position of an ended socket is kept for its session."""


class Mark(Struct, frozen=True):
    """A position in a channel: the epoch of its topic, and by partition the next offset wanted."""

    epoch: str
    next: dict[int, int]


class SocketOpened(Struct, frozen=True, kw_only=True, tag_field="kind", tag="opened"):
    """The first socket of a session is open at a gateway."""

    gateway: str
    session: str


class SocketEnded(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="ended"):
    """A socket of a session ended. `left`: by channel, up to where it has certainly received; empty: nothing is
    undelivered. `others`: the session still has open sockets at that gateway."""

    gateway: str
    session: str
    left: dict[str, Mark] = {}
    others: bool = False


class PositionTaken(Struct, frozen=True, kw_only=True, tag_field="kind", tag="taken"):
    """A socket of the session that resumed in the channel from the position in the record at this `offset` has
    certainly received what followed: that position is no longer needed for the channel."""

    gateway: str
    session: str
    channel: str
    offset: int


class GatewayFloor(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="floor"):
    """By channel, the position up to which all open sockets of a gateway have certainly received. `sessions`: some of
    the sessions that have sockets there, repeated from time to time."""

    gateway: str
    floors: dict[str, Mark]
    sessions: tuple[str, ...] = ()


ResumeRecord = SocketOpened | SocketEnded | PositionTaken | GatewayFloor
"""Any record of the topic; `kind` identifies the type."""
