"""One socket as the hub sees it: what it subscribed to and where it stands.

A subscriber is *live* (one of an audience: it stands where the rings end and nothing is kept for it) or *behind*
(its progress per partition is kept, nothing else); `standing` says which, and whether it may be written to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
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
    ends at its `until`; `ends_at`: that is a time (ms) which has not come, `ending` while the log is asked where it is.
    Of a channel that everybody gets: `starts`, where the subscription began in each partition, and `owed`, where the
    subscriber stood then and goes on when it ends."""

    told: bool = False
    bounded: bool = False
    caught_up: bool = True
    ends_at: int | None = None
    ending: bool = False
    starts: Mapping[int, int] = field(default_factory=dict)
    owed: Mapping[int, int] = field(default_factory=dict)

    def complete(self, progress: Iterable[Progress]) -> bool:
        """True when it has an end and is there."""
        return self.bounded and self.ends_at is None and all(p.done for p in progress)

    def goes_on(self, partition: int, reached: int) -> int:
        """Where the subscriber goes on in a channel that everybody gets, when this subscription ends at `reached`: where
        it stood before, or at `reached` if it came past there, so that nothing is lost."""
        if partition not in self.owed:
            return reached
        before = self.owed[partition]
        return max(before, reached) if self.starts[partition] <= before else before


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
