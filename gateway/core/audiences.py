"""Live subscribers, grouped by what makes them receive the same bytes: what is due is joined once for each audience and
written once to each member.

An audience's position is the end of the rings, so no position is kept for a member. If two audiences see the same of a
channel, it is selected and framed once. A record for one account goes only to that account's members, in its place among
the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.core import answers
from gateway.core.due import Delivery
from gateway.core.framing import Bundle
from gateway.core.memory import Fresh, MemoryView
from gateway.core.subscriber import AudienceKey, Subscriber, Write
from gateway.core.view import View, view_of

POSITION_EVENTS = 1_000
POSITION_MS = 10_000
"""A subscriber with status messages gets its position after so many events or so much time, whichever is first."""


@dataclass(slots=True)
class _Audience:
    views: Mapping[str, View]
    members: dict[Subscriber, Write] = field(default_factory=dict)
    events_since_position: int = 0
    position_at: int = 0


class Audiences:
    """All live subscribers of the process. Times are milliseconds."""

    def __init__(self, everybody: frozenset[str], memory: MemoryView) -> None:
        """`everybody`: channels that every socket gets that may see them; their records may be for some accounts only."""
        self._everybody = everybody
        self._memory = memory
        self._audiences: dict[AudienceKey, _Audience] = {}

    def __len__(self) -> int:
        return len(self._audiences)

    def enter(self, subscriber: Subscriber, now: int) -> AudienceKey:
        """The subscriber is at the end of the rings. Returns the key of its audience."""
        key = subscriber.key(self._everybody)
        audience = self._audiences.get(key)
        if audience is None:
            filters = dict(key.filters)
            views = {name: view_of(key.rights, key.role_id, filters.get(name)) for name in key.channels}
            audience = self._audiences[key] = _Audience(views, position_at=now)
        audience.members[subscriber] = subscriber.write
        return key

    def leave(self, key: AudienceKey, subscriber: Subscriber) -> None:
        """The subscriber is no longer at the end of the rings."""
        audience = self._audiences[key]
        del audience.members[subscriber]
        if not audience.members:
            del self._audiences[key]

    def following(self, channel: str, bundle: Bundle) -> list[Delivery]:
        """Deliver the same to everybody who follows a channel."""
        found = (audience for key, audience in self._audiences.items() if channel in key.channels)
        return [Delivery((bundle,), tuple(audience.members.values())) for audience in found]

    def publish(self, fresh: Mapping[str, Fresh], now: int) -> list[Delivery]:
        """The live writes of new events, by channel: one write for each member, with all that is due."""
        selected = _Selected(fresh, self._everybody)
        deliveries: list[Delivery] = []
        for key, audience in self._audiences.items():
            due = selected.due(audience.views)
            position = self._position(key, audience, due, now)
            members = audience.members
            if selected.users:
                members = self._apart(audience, selected, position, deliveries)
            bundles = (*(bundle for _, bundle in due), *position)
            if bundles and members:
                deliveries.append(Delivery(bundles, tuple(members.values())))
        return deliveries

    def positions_due(self, now: int) -> list[Delivery]:
        """`position` messages that are due by time."""
        due = []
        for key, audience in self._audiences.items():
            if key.status_channels and now - audience.position_at >= POSITION_MS:
                audience.events_since_position, audience.position_at = 0, now
                due.append(Delivery((self._head_positions(key, now),), tuple(audience.members.values())))
        return due

    def _apart(
        self, audience: _Audience, selected: _Selected, position: tuple[Bundle, ...], deliveries: list[Delivery]
    ) -> dict[Subscriber, Write]:
        """Deliver separately to members with events for them alone; returns the other members."""
        others = {}
        for member, write in audience.members.items():
            if member.viewer.user_id not in selected.users:
                others[member] = write
            elif bundles := (*(b for _, b in selected.due(audience.views, member.viewer.user_id)), *position):
                deliveries.append(Delivery(bundles, (write,)))
        return others

    def _position(
        self, key: AudienceKey, audience: _Audience, due: Sequence[tuple[str, Bundle]], now: int
    ) -> tuple[Bundle, ...]:
        if not key.status_channels:
            return ()
        audience.events_since_position += sum(
            len(bundle.payloads) for channel, bundle in due if channel in key.status_channels
        )
        if audience.events_since_position < POSITION_EVENTS:
            return ()
        audience.events_since_position, audience.position_at = 0, now
        return (self._head_positions(key, now),)

    def _head_positions(self, key: AudienceKey, now: int) -> Bundle:
        names = sorted(key.status_channels)
        cursors = {name: self._memory.cursor(name, self._memory.heads(name)) for name in names}
        return Bundle([answers.position(name, cursor, now) for name, cursor in cursors.items()])


class _Selected:
    """The new events that a view shows, selected once per view. `users`: accounts to which some events are addressed."""

    def __init__(self, fresh: Mapping[str, Fresh], everybody: frozenset[str]) -> None:
        self._fresh = fresh
        self._everybody = everybody
        self._made: dict[tuple[str, View | None, int], Bundle] = {}
        self.users = frozenset(
            int(about.to.name)
            for channel in everybody & fresh.keys()
            for about in fresh[channel].abouts
            if about is not None and about.to is not None and about.to.kind == "user"
        )

    def due(self, views: Mapping[str, View], user_id: int = 0) -> list[tuple[str, Bundle]]:
        """Bundles by channel, none of them empty."""
        due = []
        for channel, taken in self._fresh.items():
            view = views.get(channel)
            if view is not None and (bundle := self._bundle(channel, taken, view, user_id)).payloads:
                due.append((channel, bundle))
        return due

    def _bundle(self, channel: str, taken: Fresh, view: View, user_id: int) -> Bundle:
        addressed = channel in self._everybody
        everything = view.everything and not addressed
        key = (channel, None if everything else view, user_id if addressed else 0)
        bundle = self._made.get(key)
        if bundle is None:
            payloads = taken.payloads if everything else view.shown(taken.payloads, taken.abouts, user_id)
            bundle = self._made[key] = Bundle(payloads)
        return bundle
