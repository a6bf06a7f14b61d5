"""Who gets what next: events in memory, audiences of live subscribers, and subscribers that are behind.

Live subscribers that follow the same channels and see the same form an audience (`core.audiences`). One that cannot keep
up, or that replays, leaves its audience with its own progress per partition, and joins it again in the step in which every
partition is level. Every method is one step: it returns what to write, and nothing happens in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gateway.core import answers, conflating
from gateway.core.audiences import POSITION_EVENTS, POSITION_MS, Audiences
from gateway.core.columns import Taken
from gateway.core.due import NOTHING, Delivery, Ending, Pumped
from gateway.core.framing import Bundle
from gateway.core.inheritance import Marks
from gateway.core.memory import ChannelPartition, Rings, TailBatch
from gateway.core.replay import Level, Miss, Progress
from gateway.core.serving import served
from gateway.core.shelf import Stretch
from gateway.core.standing import Event, Standing
from gateway.core.subscriber import NOBODY, PLAIN, Options, Subscriber, Subscription, Viewer, Write
from schemas.resuming import Mark

MAX_CREDIT = 1_000_000
Starts = Mapping[str, Mapping[int, int]]
NOWHERE: Starts = {}

BEFORE_ALL = -1
"""The number of the `gap` of partition 0 of a recreated topic; that of partition 1 is one less, and so on: they are before
every record."""


class Hub:
    """The state of one gateway process. Times are milliseconds."""

    def __init__(self, everybody: Iterable[str], memory: Rings) -> None:
        """`everybody`: channels delivered to every subscriber that may see them."""
        self.behind: dict[Subscriber, None] = {}
        self._memory = memory
        self._rings = memory.rings
        self._everybody = frozenset(everybody)
        self._audiences = Audiences(self._everybody, memory)

    # The log's side.

    def open(self, channel: str, epoch: str, starts: Mapping[int, int]) -> None:
        """Begin to follow a channel's topic: per partition the offset at which its reader starts."""
        self._memory.open(channel, epoch, starts)

    def reopen(self, channel: str, epoch: str, starts: Mapping[int, int], now: int) -> list[Delivery]:
        """The topic was recreated: everybody who follows it gets a `gap` and continues at `starts`."""
        heads = self._memory.heads(channel)
        gaps = {p: answers.gap(channel, p, hi, None, "epoch_changed", now) for p, hi in heads.items()}
        self.open(channel, epoch, starts)
        for subscriber in self.behind:
            first = {number: gap for at in subscriber.of(channel) for number, gap in at.first.items()}
            first |= {BEFORE_ALL - partition: gap for partition, gap in gaps.items()}
            if self._begin_anew(subscriber, channel, starts):
                for partition in gaps.keys() - starts.keys():
                    del subscriber.progress[ChannelPartition(channel, partition)]
                subscriber.progress[ChannelPartition(channel, min(starts))].first = first
        return self._audiences.following(channel, Bundle(list(gaps.values())))

    def extend(self, channel: str, starts: Mapping[int, int]) -> None:
        """The topic has more partitions, which begin at `starts`: everybody who follows it gets them too."""
        self._memory.extend(channel, starts)
        for subscriber in self.behind:
            self._begin_anew(subscriber, channel, starts)

    def publish(self, batches: Sequence[TailBatch], now: int) -> list[Delivery]:
        """Take new records and return the live writes: one per audience member, with all that is due."""
        fresh = self._memory.take(batches)
        return self._audiences.publish(fresh, now) if fresh else []

    def evict(self, older_than: int) -> None:
        """Drop from memory what was appended before `older_than`."""
        self._memory.evict(older_than)

    # The clients' side.

    def join(self, write: Write, viewer: Viewer = NOBODY, starts: Starts = NOWHERE) -> Subscriber:
        """A new subscriber, held: it gets nothing until it is released. `starts`: where it begins in channels that everybody
        gets, if that is not the end."""
        subscriber = Subscriber(write, viewer)
        for channel in self._everybody:
            if viewer.rights.may_follow(channel):
                self._place(subscriber, channel, starts.get(channel) or self._memory.heads(channel))
        self.behind[subscriber] = None
        return subscriber

    def leave(self, subscriber: Subscriber) -> None:
        """The subscriber is gone."""
        self.behind.pop(subscriber, None)
        self._quit(subscriber)
        subscriber.progress.clear()
        subscriber.subscriptions.clear()
        subscriber.happened(Event.LEFT)

    def release(self, subscriber: Subscriber) -> None:
        """The subscriber has had its first answer, or its first second is over."""
        subscriber.happened(Event.RELEASED)

    def drained(self, subscriber: Subscriber) -> None:
        """The subscriber's buffer has room again."""
        subscriber.happened(Event.DRAINED)

    def filled(self, subscriber: Subscriber, now: int) -> list[bytes]:
        """The subscriber's buffer is full: it leaves its audience. Returns the messages to send to it."""
        if subscriber.standing is not Standing.LIVE:
            subscriber.happened(Event.FILLED)
            return []
        self._detach(subscriber)
        subscriber.happened(Event.FILLED)
        for subscription in subscriber.subscriptions.values():
            subscription.slow = True
            subscription.caught_up = not subscription.options.status_messages
        return [answers.message("lagging", answers.Lagging(name), now) for name in subscriber.status_channels()]

    def subscribe(
        self,
        subscriber: Subscriber,
        channel: str,
        starts: Mapping[int, int],
        options: Options = PLAIN,
        *,
        until: Mapping[int, int] | None = None,
        since: int | None = None,
        ends_at: int | None = None,
    ) -> None:
        """Follow a channel from `starts`, up to `until` or to what is appended at the time `ends_at` (ms, in the future)
        if given; if it is followed already, it begins anew there. `since`: what was appended before that time (ms) is
        skipped."""
        if subscriber.standing is Standing.ENDED:
            return
        self._detach(subscriber)
        bounded = until is not None or ends_at is not None
        subscription = Subscription(
            options, bounded, caught_up=not options.status_messages, credit=options.credit, ends_at=ends_at
        )
        if channel in self._everybody:
            before = self.live_start(subscriber, channel)
            # A subscription without an end is the client's new position; a replay only leaves the old one for a while.
            subscription.returns_to = (
                before if bounded else {p: max(before[p], start) for p, start in starts.items()}
            )
            subscription.starts = dict(starts)
        subscriber.subscriptions[channel] = subscription
        subscriber.forget(channel)
        for p, start in starts.items():
            progress = Progress(start, (until or {}).get(p), since=since, ends_at=ends_at)
            subscriber.progress[ChannelPartition(channel, p)] = progress

    def unsubscribe(self, subscriber: Subscriber, channel: str) -> bool:
        """Stop following a channel; False if it was not followed."""
        if channel not in subscriber.subscriptions:
            return False
        self._detach(subscriber)
        self._end(subscriber, channel)
        return True

    def give_credit(self, subscriber: Subscriber, channel: str, events: int) -> bool:
        """Allow so many more events to be sent; False if the channel is not followed with credit."""
        subscription = subscriber.subscriptions.get(channel)
        if subscription is None or subscription.credit is None:
            return False
        subscription.credit = min(MAX_CREDIT, subscription.credit + events)
        return True

    def see_as(self, subscriber: Subscriber, viewer: Viewer, now: int) -> list[bytes]:
        """Its rights have changed. Returns the messages to send to it: the channels that it may no longer follow."""
        if subscriber.standing is Standing.ENDED or viewer == subscriber.viewer:
            return []
        self._detach(subscriber)
        messages = []
        for channel in [name for name in subscriber.subscriptions if not viewer.rights.may_follow(name)]:
            body = answers.Unsubscribed(
                channel=channel, reason="forbidden", cursor=self.cursor(subscriber, channel)
            )
            messages.append(answers.message("unsubscribed", body, now))
            self._end(subscriber, channel)
        for channel in self._everybody:
            if not viewer.rights.may_follow(channel):
                subscriber.forget(channel)
            elif not subscriber.viewer.rights.may_follow(channel):
                self._place(subscriber, channel, self._memory.heads(channel))
        subscriber.viewer = viewer
        return messages

    def live_start(self, subscriber: Subscriber, channel: str) -> dict[int, int]:
        """Where "now" is for it: the end of what was read, or, in a channel that everybody gets, the position up to which
        it was served."""
        if channel not in self._everybody or subscriber.standing is Standing.LIVE:
            return self._memory.heads(channel)
        reached = self.next_offsets(subscriber, channel)
        subscription = subscriber.subscriptions.get(channel)
        if subscription is None:
            return reached
        return {p: subscription.resume_offset(p, n) for p, n in reached.items()}

    def ends_due(self, now: int) -> list[Ending]:
        """The subscriptions that end at a time that has been reached: the offset must be looked up in the log. Each is
        returned once, until it is settled by `end_at` or `end_lookup_failed`."""
        due = []
        for subscriber in self.behind:
            for channel, subscription in subscriber.subscriptions.items():
                if subscription.ends_at is not None and subscription.ends_at <= now and not subscription.ending:
                    subscription.ending = True
                    due.append(Ending(subscriber, channel, subscription, subscription.ends_at))
        return due

    def end_at(self, ending: Ending, ends: Mapping[int, int]) -> None:
        """The log's answer where the subscription ends; ignored if it has ended meanwhile."""
        subscriber, channel = ending.subscriber, ending.channel
        if subscriber.subscriptions.get(channel) is not ending.subscription:
            return
        ending.subscription.ends_at = None
        for place, progress in subscriber.progress.items():
            if place.channel == channel:
                progress.ends_at = None
                if progress.until is None:
                    progress.until = ends.get(place.partition, progress.next)

    def end_lookup_failed(self, ending: Ending) -> None:
        """The log did not answer: the end will be looked up again."""
        ending.subscription.ending = False

    def pump(self, subscriber: Subscriber, budget: int, now: int) -> Pumped:
        """The next `budget` bytes due to one that is behind (at most one payload more). It becomes live in the step in
        which nothing more is due."""
        if not subscriber.servable:
            return NOTHING
        parts: list[bytes] = []
        needs: list[tuple[ChannelPartition, int]] = []
        places, moved = subscriber.progress, False
        for place in sorted(places, key=lambda p: places[p].next < self._rings[p].lo):
            progress, subscription = places[place], subscriber.subscriptions.get(place.channel)
            if subscription is not None and subscription.credit == 0:
                continue
            start = progress.next
            limit = None if subscription is None else subscription.credit
            conflates = subscription is not None and subscription.conflates
            held = self._memory.held(place, start)
            match progress.step(held, conflating.TURN_BYTES if conflates else budget, limit):
                case Taken() as taken:
                    moved = True
                    shown = served(
                        subscriber, place, start, taken, now, addressed=place.channel in self._everybody
                    )
                    parts += shown
                    budget -= sum(map(len, shown if conflates else taken.payloads))
                case Miss():
                    if not progress.reading:
                        progress.reading = True
                        needs.append((place, progress.next))
                case Level():
                    pass
            if budget <= 0:
                break
        parts += self._milestones(subscriber, now)  # more may be due at the end of a replay
        self._settle(subscriber, now)
        return Pumped(parts, tuple(needs), (moved or bool(parts)) and subscriber.servable)

    def shelve(self, place: ChannelPartition, epoch: str, stretch: Stretch) -> None:
        """Keep what was read from the log if the channel's topic still has the epoch that it had then."""
        if self._memory.epoch(place.channel) == epoch:
            self._memory.shelve(place, stretch)

    def wants(self, subscriber: Subscriber, place: ChannelPartition, start: int) -> bool:
        """True while the records of the log from `start` are what the subscriber wants next."""
        progress = subscriber.progress.get(place)
        return progress is not None and progress.next == start

    def read_ended(self, subscriber: Subscriber, place: ChannelPartition) -> None:
        """A read of the log has ended: what is not in memory now will be requested again."""
        if progress := subscriber.progress.get(place):
            progress.reading = False

    def next_offsets(self, subscriber: Subscriber, channel: str) -> dict[int, int]:
        """Its next offset per partition of a channel that it follows."""
        if subscriber.standing is Standing.LIVE:
            return self._memory.heads(channel)
        return {at.partition: p.next for at, p in subscriber.progress.items() if at.channel == channel}

    def marks(self, subscriber: Subscriber) -> Marks:
        """Its position in each channel that it gets: everything written to it lies before that."""
        if subscriber.audience is not None:
            return {channel: self._memory.mark(channel) for channel in subscriber.audience.channels}
        channels = {place.channel for place in subscriber.progress}
        return {c: Mark(self._memory.epoch(c), self.next_offsets(subscriber, c)) for c in channels}

    def cursor(self, subscriber: Subscriber, channel: str) -> str:
        """Its next offsets as a cursor."""
        return self._memory.cursor(channel, self.next_offsets(subscriber, channel))

    def positions(self, subscriber: Subscriber, now: int) -> list[bytes]:
        """`position` of every channel with status messages (before a close by the server)."""
        names = subscriber.status_channels()
        return [answers.position(name, self.cursor(subscriber, name), now) for name in names]

    def positions_due(self, now: int) -> list[Delivery]:
        """`position` messages that are due by time."""
        due = self._audiences.positions_due(now)
        for subscriber in self.behind:
            if subscriber.servable and now - subscriber.position_at >= POSITION_MS:
                subscriber.position_at = now
                if positions := self.positions(subscriber, now):
                    due.append(Delivery((Bundle(positions),), (subscriber.write,)))
        return due

    # Steps of the above.

    def _milestones(self, subscriber: Subscriber, now: int) -> list[bytes]:
        messages = []
        for channel, subscription in list(subscriber.subscriptions.items()):
            if subscription.complete(subscriber.of(channel)):
                body = answers.Unsubscribed(
                    channel=channel, reason="complete", cursor=self.cursor(subscriber, channel)
                )
                messages.append(answers.message("unsubscribed", body, now))
                self._end(subscriber, channel)
            elif not subscription.caught_up and not subscription.bounded and self._level(subscriber, channel):
                subscription.caught_up = True
                messages.append(answers.caught_up(channel, self.cursor(subscriber, channel), now))
        if subscriber.events_since_position >= POSITION_EVENTS:
            subscriber.events_since_position, subscriber.position_at = 0, now
            messages += self.positions(subscriber, now)
        return messages

    def _begin_anew(self, subscriber: Subscriber, channel: str, starts: Mapping[int, int]) -> bool:
        """Follow these partitions from where they begin, each as it was followed before or as the others are; for a replay
        up to an offset nothing is due in them. False if the channel is not followed."""
        before = {place.partition: at for place, at in subscriber.progress.items() if place.channel == channel}
        subscription = subscriber.subscriptions.get(channel)
        if subscription is not None and subscription.returns_to:
            subscription.starts = {**subscription.starts, **starts}
            subscription.returns_to = {**subscription.returns_to, **starts}
        for p, start in starts.items() if before else ():
            like = before.get(p) or next(iter(before.values()))
            until = start if like.bounded and like.ends_at is None else None
            progress = Progress(start, until, since=like.since, ends_at=like.ends_at)
            subscriber.progress[ChannelPartition(channel, p)] = progress
        return bool(before)

    def _level(self, subscriber: Subscriber, channel: str) -> bool:
        return all(
            progress.level(self._rings[place])
            for place, progress in subscriber.progress.items()
            if place.channel == channel
        )

    def _settle(self, subscriber: Subscriber, now: int) -> None:
        """Become live if every partition is exactly at the end of its ring (a subscriber whose log reader was ahead of the
        tail waits for the tail)."""
        if any(own.bounded or own.credit is not None for own in subscriber.subscriptions.values()):
            return
        for place, progress in subscriber.progress.items():
            waits = progress.first or progress.since is not None
            if waits or progress.next != self._rings[place].hi:
                return
        for subscription in subscriber.subscriptions.values():
            subscription.starts = subscription.returns_to = {}  # it is past its earlier position
            subscription.slow = False
        subscriber.audience = self._audiences.enter(subscriber, now)
        subscriber.happened(Event.LEVELLED)
        subscriber.progress.clear()
        del self.behind[subscriber]

    def _detach(self, subscriber: Subscriber) -> None:
        """Give it progress of its own from here on."""
        if subscriber.audience is not None:
            for channel in subscriber.audience.channels:
                self._place(subscriber, channel, self._memory.heads(channel))
            self._quit(subscriber)
            self.behind[subscriber] = None
        subscriber.happened(Event.MOVED)

    def _quit(self, subscriber: Subscriber) -> None:
        key, subscriber.audience = subscriber.audience, None
        if key is not None:
            self._audiences.leave(key, subscriber)

    def _end(self, subscriber: Subscriber, channel: str) -> None:
        resumes_at = self.live_start(subscriber, channel) if channel in self._everybody else {}
        del subscriber.subscriptions[channel]
        subscriber.forget(channel)
        self._place(subscriber, channel, resumes_at)

    def _place(self, subscriber: Subscriber, channel: str, starts: Mapping[int, int]) -> None:
        for partition, start in starts.items():
            subscriber.progress[ChannelPartition(channel, partition)] = Progress(start)
