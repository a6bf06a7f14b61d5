"""The gateway's one law: whatever is published, evicted, paused, resumed, replayed and read in whatever order,
each subscription is a contiguous run of what its client may see of the log from its start: nothing is lost, repeated, early,
or hidden from it by its rights. When a subscription to a channel that everybody gets ends, the client continues where it was
before, or where that subscription has passed that."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.core.about import About, columns
from gateway.core.due import Delivery
from gateway.core.framing import payloads
from gateway.core.hub import Hub
from gateway.core.memory import ChannelPartition as Place
from gateway.core.memory import Rings, TailBatch
from gateway.core.rights import EVERYTHING, Rights
from gateway.core.shelf import Stretch
from gateway.core.standing import Standing
from gateway.core.subscriber import Options, Subscriber, Viewer
from schemas.cursor import decode

TOPICS = ("films", "news")
CHANNELS = (*TOPICS, "quiet")
"""The last has no topic."""
PLACES = [Place("films", 0), Place("films", 1), Place("news", 0)]
ADDED = [Place("films", 2), Place("news", 1)]
"""Partitions that an operator adds."""
EVERYBODY = "news"
RING_BYTES = 400
SHELF_BYTES = 1_500
"""Two or three stretches: most are evicted before everybody has read them."""


RIGHTS = [
    EVERYTHING,
    Rights.of(["*"], [], ["a"]),
    Rights.of(["*"], [], ["b", "c"]),
    Rights.of(["*"], ["home"], []),
]


def about_of(offset: int) -> About | None:
    """Every seventh is for everybody; every fourth was moved between roots."""
    if offset % 7 == 6:
        return None
    was = "abc"[(offset + 1) % 3] if offset % 4 == 0 else None
    return About("home" if offset % 2 else "away", "abc"[offset % 3], was, "video", "updated")


def payload_of(place: Place, offset: int) -> bytes:
    data = {"action": "updated", "media_id": offset, "media": {"at": "here"}, "was": {"at": "there"}}
    frame = {
        "type": "event", "data": data, "timestamp": "", "channel": place.channel, "partition": place.partition,
        "offset": offset, "id": "",
    }  # fmt: skip
    return json.dumps(frame).encode()


def seen(rights: Rights, offset: int) -> str | None:
    """How an event is shown, None: not at all; computed independently of `core.view`."""
    about = about_of(offset)
    if about is None or rights is EVERYTHING:
        return "updated"

    def sees(root: str | None) -> bool:
        return root in rights.roots or about.library in rights.libraries

    if about.was_root is None:
        return "updated" if sees(about.root) else None
    both = (sees(about.was_root), sees(about.root))
    return {(True, True): "updated", (True, False): "deleted", (False, True): "created", (False, False): None}[
        both
    ]


def time_of(offset: int) -> int:
    """When an event is appended here: time 0 means no record."""
    return offset + 1


def deliver(deliveries: list[Delivery]) -> None:
    for delivery in deliveries:
        for write in delivery.writes:
            write(b"".join(bundle.text_frames() for bundle in delivery.bundles))


@dataclass
class Run:
    """What one subscription received of one partition since `start`. `begun`: its position when it began to wait for `start`
    (an event is appended at the time of its offset). `timed`: `until` is a time, and its offset was not looked up yet.
    `returns_to`: in a channel that everybody gets, the client's position before it subscribed."""

    start: int
    until: int | None = None
    begun: int | None = None
    timed: bool = False
    returns_to: int | None = None
    got: list[int] = field(default_factory=list)

    @property
    def resume_offset(self) -> int:
        """Where the client continues in a channel that everybody gets."""
        reached = max([self.start if self.begun is None else self.begun, *(o + 1 for o in self.got)])
        if self.returns_to is None:
            return reached
        first = self.start if self.begun is None else self.begun
        return max(self.returns_to, reached) if first <= self.returns_to else self.returns_to


@dataclass
class Client:
    subscriber: Subscriber
    rights: Rights
    runs: dict[Place, Run]
    needs: list[tuple[Place, int]] = field(default_factory=list)
    gaps: list[Place] = field(default_factory=list)
    """Partitions whose `gap` it must still receive."""


class Gateway(RuleBasedStateMachine):
    """A log with holes, a tail that follows it, and clients that do anything."""

    def __init__(self) -> None:
        super().__init__()
        self.log: dict[Place, list[int]] = {place: [] for place in PLACES}
        self.end: dict[Place, int] = dict.fromkeys(PLACES, 0)
        self.added = False
        self.memory = Rings(RING_BYTES, SHELF_BYTES)
        self.hub = Hub([EVERYBODY], self.memory)
        for channel in TOPICS:
            self.hub.open(channel, "e1", {p.partition: 0 for p in PLACES if p.channel == channel})
        self.clients: list[Client] = []
        self.now = 0
        self.latest_wait = 0

    # The log.

    @rule(place=st.sampled_from(PLACES), steps=st.lists(st.integers(1, 3), min_size=1, max_size=5))
    def written(self, place: Place, steps: list[int]) -> None:
        self.write(place, steps)

    @precondition(lambda self: self.added)
    @rule(place=st.sampled_from(ADDED), steps=st.lists(st.integers(1, 3), min_size=1, max_size=5))
    def written_into_an_added_one(self, place: Place, steps: list[int]) -> None:
        if place in self.end:
            self.write(place, steps)

    def write(self, place: Place, steps: list[int]) -> None:
        for step in steps:
            self.log[place].append(self.end[place] + step - 1)
            self.end[place] += step

    @rule(
        place=st.sampled_from(PLACES + ADDED),
        upto=st.integers(0, 12),
        again=st.integers(0, 2),
        served=st.booleans(),
    )
    def tailed(self, place: Place, upto: int, again: int, served: bool) -> None:
        """The tail reads on, perhaps some of what it had read before a restart once more."""
        if place not in self.end:
            return
        hi = self.memory.rings[place].hi
        goal = min(self.end[place], hi + upto)
        offsets = [o for o in self.log[place] if hi - again <= o < goal]
        batch = TailBatch(place, [(o, time_of(o), payload_of(place, o), about_of(o)) for o in offsets], goal)
        self.now += 1
        deliver(self.hub.publish([batch], self.now))
        if served:
            self.serve()

    @rule(place=st.sampled_from(PLACES + ADDED), age=st.integers(0, 10))
    def evicted(self, place: Place, age: int) -> None:
        if place not in self.end:
            return
        self.memory.rings[place].evict(time_of(self.end[place]) - age)

    @rule(place=st.sampled_from(ADDED), start=st.integers(0, 3))
    def added_a_partition(self, place: Place, start: int) -> None:
        """An operator has added a partition, which already has records when that is noticed."""
        if place in self.end:
            return
        self.added = True
        self.log[place], self.end[place] = [], start
        self.write(place, [1, 2])
        for client in self.clients:
            if Place(place.channel, 0) in client.runs:
                client.runs[place] = self.run_anew(client, place, start)
        self.hub.extend(place.channel, {place.partition: start})
        self.serve()

    @rule(start=st.integers(0, 3), channel=st.sampled_from(TOPICS), fewer=st.booleans())
    def recreated(self, start: int, channel: str, fewer: bool) -> None:
        """A channel's topic was recreated, with offsets of its own, perhaps without added partitions."""
        old = [place for place in self.end if place.channel == channel]
        new = [place for place in old if place not in ADDED or not fewer]
        for client in self.clients:
            client.needs = [need for need in client.needs if need[0].channel != channel]
            for place in old:
                if place in client.runs:
                    client.gaps += [] if place in client.gaps else [place]
                    run = self.run_anew(client, place, start)
                    del client.runs[place]
                    client.runs |= {place: run} if place in new else {}
        for place in old:
            del self.log[place], self.end[place]
        for place in new:
            self.log[place], self.end[place] = [], start
        deliver(self.hub.reopen(channel, "e2", {place.partition: start for place in new}, self.now))

    # Clients.

    @precondition(lambda self: len(self.clients) < 3)
    @rule(rights=st.sampled_from(RIGHTS))
    def joined(self, rights: Rights) -> None:
        runs = {
            place: Run(hi)
            for place in self.end
            if place.channel == EVERYBODY
            for hi in [self.memory.rings[place].hi]
        }
        subscriber = self.hub.join(lambda data: self.received(client, list(payloads(data))), Viewer(1, 2, rights))
        client = Client(subscriber, rights, runs)
        self.clients.append(client)

    @rule(i=st.integers(0, 2))
    def released(self, i: int) -> None:
        if client := self.at(i):
            self.hub.release(client.subscriber)
            self.serve()

    @rule(i=st.integers(0, 2), channel=st.sampled_from(CHANNELS), back=st.integers(0, 30), served=st.booleans())
    def subscribed(self, i: int, channel: str, back: int, served: bool) -> None:
        if client := self.at(i):
            heads = self.memory.heads(channel)
            starts = {p: max(0, hi - back) for p, hi in heads.items()}
            self.begin(client, channel, starts, status_messages=back % 2 == 0)
            if served:
                self.serve()

    @rule(i=st.integers(0, 2), channel=st.sampled_from(CHANNELS))
    def bounded(self, i: int, channel: str) -> None:
        if client := self.at(i):
            starts = dict.fromkeys(self.memory.heads(channel), 0)
            until = {p: self.end[Place(channel, p)] for p in starts}
            self.begin(client, channel, starts, status_messages=True, until=until)

    @rule(i=st.integers(0, 2), channel=st.sampled_from(CHANNELS), ahead=st.integers(1, 9))
    def waiting(self, i: int, channel: str, ahead: int) -> None:
        """It subscribes from a time in the future."""
        if client := self.at(i):
            starts = self.memory.heads(channel)
            since = max(starts.values(), default=0) + ahead
            self.latest_wait = max(self.latest_wait, since)
            self.begin(client, channel, starts, status_messages=True, since=since)
            self.serve()

    @rule(i=st.integers(0, 2), channel=st.sampled_from(CHANNELS), ahead=st.integers(0, 9), waits=st.integers(0, 4))
    def bounded_by_a_time_to_come(self, i: int, channel: str, ahead: int, waits: int) -> None:
        """From just before memory's end, or from a time in the future, until a later one."""
        if client := self.at(i):
            heads = self.memory.heads(channel)
            ends_at = max((self.end[Place(channel, p)] for p in heads), default=0) + ahead
            since = ends_at - waits if waits else None
            starts = heads if since else {p: max(0, hi - ahead) for p, hi in heads.items()}
            self.latest_wait = max(self.latest_wait, ends_at)
            self.begin(client, channel, starts, status_messages=True, since=since, ends_at=ends_at)
            self.serve()

    @rule(answered=st.booleans())
    def time_passed(self, answered: bool) -> None:
        """The offsets of times that have been reached are looked up: nothing can be appended before them any more."""
        for ending in self.hub.ends_due(time_of(min(self.end.values()))):
            if not answered:
                self.hub.end_lookup_failed(ending)
                continue
            client = next(c for c in self.clients if c.subscriber is ending.subscriber)
            ends = {}
            for place, run in client.runs.items():
                if place.channel == ending.channel:
                    later = (o for o in self.log[place] if time_of(o) >= ending.at)
                    ends[place.partition] = min(later, default=self.end[place])
                    run.timed = False
            self.hub.end_at(ending, ends)
        self.serve()

    @rule(i=st.integers(0, 2), channel=st.sampled_from(CHANNELS))
    def unsubscribed(self, i: int, channel: str) -> None:
        if (client := self.at(i)) and self.hub.unsubscribe(client.subscriber, channel):
            self.ended(client, channel)

    @rule(i=st.integers(0, 2), channel=st.sampled_from(CHANNELS))
    def reconnected(self, i: int, channel: str) -> None:
        """It disconnects and resumes by its cursor: the new run continues the old one."""
        client = self.at(i)
        if client is None or channel not in client.subscriber.subscriptions:
            return
        cursor = decode(self.hub.cursor(client.subscriber, channel), channel)
        for place, run in client.runs.items():
            if place.channel == channel and run.until is None:
                begun = run.start if run.begun is None else run.begun
                assert cursor.next_offsets[place.partition] >= max([begun, *(o + 1 for o in run.got)])
                due = self.due(client, place, run.start, cursor.next_offsets[place.partition])
                assert run.got == due, "a cursor is the position after what was delivered"
        self.hub.leave(client.subscriber)
        self.clients.remove(client)
        self.joined(client.rights)
        self.begin(self.clients[-1], channel, cursor.next_offsets, status_messages=True)

    @rule(i=st.integers(0, 2))
    def filled(self, i: int) -> None:
        if client := self.at(i):
            self.hub.filled(client.subscriber, self.now)

    @rule(i=st.integers(0, 2))
    def drained(self, i: int) -> None:
        if client := self.at(i):
            self.hub.drained(client.subscriber)
            self.serve()

    @rule(i=st.integers(0, 2), budget=st.integers(1, 300))
    def pumped(self, i: int, budget: int) -> None:
        if client := self.at(i):
            self.pump(client, budget)

    @rule(i=st.integers(0, 2), count=st.integers(1, 6))
    def log_read(self, i: int, count: int) -> None:
        """A read of the log returns, perhaps from beyond the tail's position."""
        if (client := self.at(i)) and client.needs:
            self.read(client, count)

    @rule(i=st.integers(0, 2))
    def log_failed(self, i: int) -> None:
        if (client := self.at(i)) and client.needs:
            place, _ = client.needs.pop(0)
            self.hub.read_ended(client.subscriber, place)

    # What must hold.

    @invariant()
    def every_run_is_contiguous(self) -> None:
        for client in self.clients:
            for place, run in client.runs.items():
                assert run.got == self.due(client, place, run.start, run.until)[: len(run.got)]

    def teardown(self) -> None:
        """Once all clients drain and read, all of them have everything and are live."""
        for place in self.end:
            self.log[place].append(max(self.end[place], self.latest_wait))
            self.end[place] = self.log[place][-1] + 1
            self.tailed(place, self.end[place], 0, False)
        for client in self.clients:
            self.hub.release(client.subscriber)
            self.hub.drained(client.subscriber)
        self.time_passed(True)
        for client in self.clients:
            self.hub.release(client.subscriber)
            self.hub.drained(client.subscriber)
            for _ in range(1_000):
                if client.subscriber.standing is Standing.LIVE:
                    break
                self.pump(client, 200)
                while client.needs:
                    self.read(client, 5)
            assert client.subscriber.standing is Standing.LIVE
            assert not client.gaps, "a gap is always reported"
            for place, run in client.runs.items():
                assert run.got == self.due(client, place, run.start, run.until)

    # Steps of the above.

    def due(self, client: Client, place: Place, start: int, until: int | None) -> list[int]:
        """What it must have received between."""
        between = (o for o in self.log[place] if o >= start and (until is None or o < until))
        return [o for o in between if seen(client.rights, o)]

    def serve(self) -> None:
        """Like `live.streaming`: turns while more is due; then clients that are not live depend on the log."""
        for client in self.clients:
            while self.pump(client, 400):
                pass
            if client.subscriber.servable:
                for place, progress in client.subscriber.progress.items():
                    assert progress.reading or progress.level(self.memory.rings[place])

    def at(self, i: int) -> Client | None:
        return self.clients[i] if i < len(self.clients) else None

    def begin(
        self,
        client: Client,
        channel: str,
        starts: dict[int, int],
        *,
        status_messages: bool,
        until: dict[int, int] | None = None,
        since: int | None = None,
        ends_at: int | None = None,
    ) -> None:
        self.hub.subscribe(
            client.subscriber,
            channel,
            starts,
            Options(status_messages=status_messages),
            until=until,
            since=None if since is None else time_of(since),
            ends_at=None if ends_at is None else time_of(ends_at),
        )
        client.gaps = [place for place in client.gaps if place.channel != channel]
        for p, start in starts.items():
            before = client.runs.get(Place(channel, p))
            run = Run(max(start, since or 0), ends_at if until is None else until[p], start, ends_at is not None)
            if channel == EVERYBODY:
                assert before is not None, "everybody gets it"
                # a subscription without an end is the client's new position
                run.returns_to = max(before.resume_offset, start) if run.until is None else before.resume_offset
            client.runs[Place(channel, p)] = run

    def run_anew(self, client: Client, place: Place, start: int) -> Run:
        """The next run in a recreated topic, or in an added partition."""
        like = place if place in client.runs else Place(place.channel, 0)
        before, progress = client.runs[like], client.subscriber.progress.get(like)
        since = 0 if progress is None or progress.since is None else progress.since - time_of(0)
        until = before.until if before.timed else None if before.until is None else start
        returns_to = None if before.returns_to is None else start
        return Run(max(start, since), until, start, before.timed, returns_to)

    def ended(self, client: Client, channel: str) -> None:
        client.gaps = [place for place in client.gaps if place.channel != channel]
        for place in [place for place in client.runs if place.channel == channel]:
            run = client.runs.pop(place)
            if channel == EVERYBODY:
                client.runs[place] = Run(self.standing_of(client, place, run))

    def standing_of(self, client: Client, place: Place, run: Run) -> int:
        """Where it continues: after what it was served, all of which it received except what it had to skip."""
        progress = client.subscriber.progress.get(place)
        reached = self.memory.rings[place].hi if progress is None else progress.next
        passed = range(run.start if run.begun is None else run.begun, run.start)
        left = [o for o in self.due(client, place, run.resume_offset, reached) if o not in passed]
        assert set(left) <= set(run.got), "nothing is lost"
        assert reached >= run.resume_offset, "nothing is repeated"
        return reached

    def pump(self, client: Client, budget: int) -> bool:
        pumped = self.hub.pump(client.subscriber, budget, self.now)
        self.received(client, pumped.payloads)
        client.needs += pumped.needs
        return pumped.more

    def read(self, client: Client, count: int) -> None:
        place, start = client.needs.pop(0)
        offsets = [o for o in self.log[place] if o >= start][:count]
        end = offsets[-1] + 1 if len(offsets) == count else self.end[place]
        records = [(o, time_of(o), payload_of(place, o), about_of(o)) for o in offsets]
        self.hub.shelve(place, self.memory.epoch(place.channel), Stretch(start, [columns(records)], end))
        self.hub.read_ended(client.subscriber, place)

    def received(self, client: Client, status_messages: Sequence[bytes]) -> None:
        for payload in status_messages:
            message = json.loads(payload)
            if message["type"] == "event":
                channel, partition, offset = message["channel"], message["partition"], message["offset"]
                data = message["data"]
                assert data["action"] == seen(client.rights, offset)
                assert data["media"] == {"at": "there" if data["action"] == "deleted" else "here"}
                assert ("was" in data) == (data["action"] == "updated"), "no member about what it may not see"
                assert not client.subscriber.standing.held, "nothing comes before the first answer"
                assert not client.subscriber.standing.full, "nothing is written into a full buffer"
                client.runs[Place(channel, partition)].got.append(offset)
            elif message["type"] == "gap":
                client.gaps.remove(Place(message["channel"], message["partition"]))
            elif message["type"] == "unsubscribed":
                for place, run in list(client.runs.items()):
                    if place.channel == message["channel"]:
                        due = self.due(client, place, run.start, run.until or 0)
                        assert run.got == due, "complete means all of it"
                self.ended(client, message["channel"])


TestGateway = Gateway.TestCase
TestGateway.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
