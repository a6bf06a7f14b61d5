"""One socket as the hub sees it: what it subscribed to and where it stands.

A subscriber is *live* (one of an audience: it stands where the rings end and nothing is kept for it) or *behind*
(its progress per partition is kept, nothing else); `standing` says which, and whether it may be written to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.core.memory import ChannelPartition
from gateway.core.replay import Progress
from gateway.core.standing import Event, Standing, after

Write = Callable[[bytes], None]
"""Takes bytes framed for the subscriber's transport."""


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
class Subscriber:
    """The core hands `write` back and never calls it. `progress` is empty while live, `audience` unless live."""

    write: Write
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    progress: dict[ChannelPartition, Progress] = field(default_factory=dict)
    audience: AudienceKey | None = None
    standing: Standing = Standing.HELD
    untold: int = 0
    told_at: int = 0

    def happened(self, event: Event) -> None:
        """Take the step of `standing`."""
        self.standing = after(self.standing, event)

    @property
    def servable(self) -> bool:
        """True when it is behind and may be written to."""
        return self.standing is Standing.BEHIND

    def of(self, channel: str) -> Iterator[Progress]:
        """Its progress in a channel."""
        return (progress for place, progress in self.progress.items() if place.channel == channel)

    def forget(self, channel: str) -> None:
        """Drop its progress in a channel."""
        for place in [place for place in self.progress if place.channel == channel]:
            del self.progress[place]

    def told(self) -> list[str]:
        """The channels whose position it is told."""
        return [name for name, subscription in self.subscriptions.items() if subscription.told]

    def key(self, everybody: frozenset[str]) -> AudienceKey:
        """The audience it belongs to once level; `everybody`: channels that reach every socket."""
        return AudienceKey(everybody.union(self.subscriptions), frozenset(self.told()))
