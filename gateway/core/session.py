"""One client: what it subscribed to and where it stands.

A client is *live* (one of an audience: it stands where the rings end and nothing is kept for it) or *behind*
(one position per partition is kept, nothing else). It is served only when it is neither held (before its
first answer) nor paused (its socket's buffer is full).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.core.replay import Position

Write = Callable[[bytes], None]


class Place(NamedTuple):
    """A partition of a channel's topic."""

    channel: str
    partition: int


@dataclass(slots=True)
class Subscription:
    """`told`: it used `from` or an option, so it is told `caught_up`, `position` and `lagging`. `bounded`: it
    ends at its `until`."""

    told: bool = False
    bounded: bool = False
    caught_up: bool = True


class AudienceKey(NamedTuple):
    """What makes clients get the same bytes: their channels, and those whose position they are told."""

    channels: frozenset[str]
    told: frozenset[str]


@dataclass(slots=True, eq=False)
class Session:
    """`write` takes framed bytes; the core hands it back and never calls it. `positions` is empty while live."""

    write: Write
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    positions: dict[Place, Position] = field(default_factory=dict)
    audience: AudienceKey | None = None
    held: bool = True
    paused: bool = False
    ended: bool = False
    untold: int = 0
    told_at: int = 0

    @property
    def servable(self) -> bool:
        """True when it is behind and may be written to."""
        return self.audience is None and not (self.held or self.paused or self.ended)

    def of(self, channel: str) -> Iterator[Position]:
        """Its positions in a channel."""
        return (position for place, position in self.positions.items() if place.channel == channel)

    def forget(self, channel: str) -> None:
        """Drop its positions in a channel."""
        for place in [place for place in self.positions if place.channel == channel]:
            del self.positions[place]

    def key(self, everybody: frozenset[str]) -> AudienceKey:
        """The audience it belongs to once level; `everybody`: channels that reach every socket."""
        told = frozenset(name for name, subscription in self.subscriptions.items() if subscription.told)
        return AudienceKey(everybody.union(self.subscriptions), told)
