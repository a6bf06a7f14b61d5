"""One socket as the hub sees it: its viewer, its subscriptions and its position.

A subscriber is *live* (a member of an audience: its position is the end of the rings and nothing is kept for it) or
*behind* (its progress per partition is kept, nothing else); `standing` shows which, and whether it may be written to.
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
    """The account at a socket. `user_id` 0: no account."""

    user_id: int = 0
    role_id: int = 0
    rights: Rights = EVERYTHING


NOBODY = Viewer()
"""No account; sees everything that is not addressed to some accounts only."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a channel is followed. `status_messages`: the client used `from` or an option, so it gets `caught_up`, `position`
    and `lagging` · `filter`: None: everything · `credit`: events that may be sent before it gives more; None: any number ·
    `on_slow`: what happens if it does not keep up."""

    status_messages: bool = False
    filter: Filter | None = None
    credit: int | None = None
    on_slow: OnSlow = "catch_up"


PLAIN = Options()


@dataclass(slots=True)
class Subscription:
    """`bounded`: it ends at its `until`; `ends_at`: a time (ms) in the future; `ending`: while its offset is looked up
    in the log. `credit`: what is left of it; `slow`: it did not keep up, and has not caught up since. In a channel that
    everybody gets: `starts`, where the subscription began in each partition, and `returns_to`, where the subscriber was then
    and continues when the subscription ends."""

    options: Options = PLAIN
    bounded: bool = False
    caught_up: bool = True
    credit: int | None = None
    slow: bool = False
    ends_at: int | None = None
    ending: bool = False
    starts: Mapping[int, int] = field(default_factory=dict)
    returns_to: Mapping[int, int] = field(default_factory=dict)

    @property
    def conflates(self) -> bool:
        """True while only the newest event of each item is due of what it missed."""
        return self.slow and self.options.on_slow == "conflate"

    def complete(self, progress: Iterable[Progress]) -> bool:
        """True if it has an end and has reached it."""
        return self.bounded and self.ends_at is None and all(p.done for p in progress)

    def resume_offset(self, partition: int, reached: int) -> int:
        """Where the subscriber continues in a channel that everybody gets if this subscription ends at `reached`: where it
        was before, or at `reached` if it has passed that, so that nothing is lost."""
        if partition not in self.returns_to:
            return reached
        before = self.returns_to[partition]
        return max(before, reached) if self.starts[partition] <= before else before


class AudienceKey(NamedTuple):
    """What makes clients get the same bytes: their channels, those with status messages, and what they may see."""

    channels: frozenset[str]
    status_channels: frozenset[str]
    rights: Rights = EVERYTHING
    role_id: int = 0
    filters: frozenset[tuple[str, Filter]] = frozenset()


@dataclass(slots=True, eq=False)
class Subscriber:
    """The core returns `write` and never calls it. `progress` is empty while live, `audience` unless live. `heir`: the
    socket in the positions of its session."""

    write: Write
    viewer: Viewer = NOBODY
    heir: OpenSocket | None = None
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    progress: dict[ChannelPartition, Progress] = field(default_factory=dict)
    audience: AudienceKey | None = None
    standing: Standing = Standing.HELD
    events_since_position: int = 0
    position_at: int = 0

    def happened(self, event: Event) -> None:
        """Apply an event to `standing`."""
        self.standing = after(self.standing, event)

    @property
    def servable(self) -> bool:
        """True if it is behind and may be written to."""
        return self.standing is Standing.BEHIND

    @property
    def to_disconnect(self) -> bool:
        """True if it did not keep up with a channel for which its client requested disconnection in that case."""
        return any(own.slow and own.options.on_slow == "disconnect" for own in self.subscriptions.values())

    def view(self, channel: str) -> View:
        """What it may see of a channel."""
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

    def status_channels(self) -> list[str]:
        """The channels for which it gets status messages."""
        return [name for name, subscription in self.subscriptions.items() if subscription.options.status_messages]

    def key(self, everybody: frozenset[str]) -> AudienceKey:
        """The audience it belongs to when level; `everybody`: channels that every socket gets that may see them."""
        rights = self.viewer.rights
        given = (channel for channel in everybody if rights.may_follow(channel))
        wanted = ((name, subscription.options.filter) for name, subscription in self.subscriptions.items())
        filters = frozenset((name, filter_) for name, filter_ in wanted if filter_ is not None)
        return AudienceKey(
            frozenset((*given, *self.subscriptions)),
            frozenset(self.status_channels()),
            rights,
            self.viewer.role_id,
            filters,
        )
