"""One socket as the hub sees it: who it is, what it subscribed to and where it stands.

A subscriber is *live* (one of an audience: it stands where the rings end and nothing is kept for it) or *behind*
(its progress per partition is kept, nothing else); `standing` says which, and whether it may be written to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from gateway.core.inheritance import OpenSocket
from gateway.core.memory import ChannelPartition
from gateway.core.replay import Progress
from gateway.core.rights import EVERYTHING, Rights
from gateway.core.standing import Event, Standing, after
from gateway.core.view import Filter, View, view_of

Write = Callable[[bytes], None]
"""Takes bytes framed for the subscriber's transport."""

OnSlow = Literal["catch_up", "conflate", "disconnect"]


class Viewer(NamedTuple):
    """Who is at a socket. `user_id` 0: no account's."""

    user_id: int = 0
    role_id: int = 0
    rights: Rights = EVERYTHING


NOBODY = Viewer()
"""No account's, who sees everything that is not for some alone."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a channel is followed. `told`: the client used `from` or an option, so it is told `caught_up`, `position` and
    `lagging` · `filter`: None: everything · `credit`: events that may be sent before it gives more; None: any number ·
    `on_slow`: what becomes of it when it does not keep up."""

    told: bool = False
    filter: Filter | None = None
    credit: int | None = None
    on_slow: OnSlow = "catch_up"


PLAIN = Options()


@dataclass(slots=True)
class Subscription:
    """`bounded`: it ends at its `until`; `ends_at`: that is a time (ms) which has not come, `ending` while the log is asked
    where it is. `credit`: what is left of it; `slow`: it did not keep up, and has not caught up since. Of a channel that
    everybody gets: `starts`, where the subscription began in each partition, and `owed`, where the subscriber stood then
    and goes on when it ends."""

    options: Options = PLAIN
    bounded: bool = False
    caught_up: bool = True
    credit: int | None = None
    slow: bool = False
    ends_at: int | None = None
    ending: bool = False
    starts: Mapping[int, int] = field(default_factory=dict)
    owed: Mapping[int, int] = field(default_factory=dict)

    @property
    def conflates(self) -> bool:
        """True while of what it missed only the newest of each item is due."""
        return self.slow and self.options.on_slow == "conflate"

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
    """What makes clients get the same bytes: their channels, those whose position they are told, and what they see."""

    channels: frozenset[str]
    told: frozenset[str]
    rights: Rights = EVERYTHING
    role_id: int = 0
    filters: frozenset[tuple[str, Filter]] = frozenset()


@dataclass(slots=True, eq=False)
class Subscriber:
    """The core hands `write` back and never calls it. `progress` is empty while live, `audience` unless live. `heir`: what
    its session is owed through it."""

    write: Write
    viewer: Viewer = NOBODY
    heir: OpenSocket | None = None
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

    @property
    def to_disconnect(self) -> bool:
        """True when it did not keep up with a channel for which it wanted to be disconnected then."""
        return any(own.slow and own.options.on_slow == "disconnect" for own in self.subscriptions.values())

    def view(self, channel: str) -> View:
        """What it sees of a channel."""
        subscription = self.subscriptions.get(channel)
        wanted = None if subscription is None else subscription.options.filter
        return view_of(self.viewer.rights, self.viewer.role_id, wanted)

    def of(self, channel: str) -> Iterator[Progress]:
        """Its progress in a channel."""
        return (progress for place, progress in self.progress.items() if place.channel == channel)

    def forget(self, channel: str) -> None:
        """Drop its progress in a channel."""
        for place in [place for place in self.progress if place.channel == channel]:
            del self.progress[place]

    def told(self) -> list[str]:
        """The channels whose position it is told."""
        return [name for name, subscription in self.subscriptions.items() if subscription.options.told]

    def key(self, everybody: frozenset[str]) -> AudienceKey:
        """The audience it belongs to once level; `everybody`: channels that reach every socket that may see them."""
        rights = self.viewer.rights
        given = (channel for channel in everybody if rights.may_follow(channel))
        wanted = ((name, subscription.options.filter) for name, subscription in self.subscriptions.items())
        filters = frozenset((name, filter_) for name, filter_ in wanted if filter_ is not None)
        return AudienceKey(
            frozenset((*given, *self.subscriptions)), frozenset(self.told()), rights, self.viewer.role_id, filters
        )
