"""The gateway's one law: whatever is published, evicted, paused, resumed, replayed and read in whatever order,
each subscription is a contiguous run of the log from its start: nothing lost, nothing twice, nothing early."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.core.framing import payloads
from gateway.core.hub import Delivery, Hub
from gateway.core.memory import Batch, Memory
from gateway.core.memory import ChannelPartition as Place
from gateway.core.replay import Chunk
from gateway.core.standing import Standing
from gateway.core.subscriber import Subscriber
from schemas.cursor import decode

CHANNELS = ("films", "news")
PLACES = [Place("films", 0), Place("films", 1), Place("news", 0)]
EVERYBODY = "news"
RING_BYTES = 400


def payload_of(place: Place, offset: int) -> bytes:
    return json.dumps({"type": "event", "at": [place.channel, place.partition, offset]}).encode()


def deliver(deliveries: list[Delivery]) -> None:
    for delivery in deliveries:
        for write in delivery.writes:
            write(b"".join(bundle.text_frames() for bundle in delivery.bundles))


@dataclass
class Run:
    """What one subscription got of one partition since `start`. `begun`: where it stood when it began to wait for
    `start` (an event is appended at the time of its offset here)."""

    start: int
    until: int | None = None
    begun: int | None = None
    got: list[int] = field(default_factory=list)


@dataclass
class Client:
    subscriber: Subscriber
    runs: dict[Place, Run]
    needs: list[tuple[Place, int]] = field(default_factory=list)
    gaps: list[Place] = field(default_factory=list)
    """Places whose `gap` it is still owed."""


class Gateway(RuleBasedStateMachine):
    """A log with holes, a tail that follows it, clients that do anything."""

    def __init__(self) -> None:
        super().__init__()
        self.log: dict[Place, list[int]] = {place: [] for place in PLACES}
        self.end: dict[Place, int] = dict.fromkeys(PLACES, 0)
        self.memory = Memory(RING_BYTES)
        self.hub = Hub([EVERYBODY], self.memory)
        for channel in CHANNELS:
            self.hub.open(channel, "e1", {p.partition: 0 for p in PLACES if p.channel == channel})
        self.clients: list[Client] = []
        self.now = 0
        self.latest_wait = 0

    # The log.

    @rule(place=st.sampled_from(PLACES), steps=st.lists(st.integers(1, 3), min_size=1, max_size=5))
    def written(self, place: Place, steps: list[int]) -> None:
        for step in steps:
            self.log[place].append(self.end[place] + step - 1)
            self.end[place] += step

    @rule(place=st.sampled_from(PLACES), upto=st.integers(0, 12), again=st.integers(0, 2), served=st.booleans())
    def tailed(self, place: Place, upto: int, again: int, served: bool) -> None:
        """The tail reads on, perhaps some of what it had read before a restart once more."""
        hi = self.memory.rings[place].hi
        goal = min(self.end[place], hi + upto)
        offsets = [o for o in self.log[place] if hi - again <= o < goal]
        batch = Batch(place, [(o, o, payload_of(place, o)) for o in offsets], goal)
        self.now += 1
        deliver(self.hub.publish([batch], self.now))
        if served:
            self.serve()

    @rule(place=st.sampled_from(PLACES), age=st.integers(0, 10))
    def evicted(self, place: Place, age: int) -> None:
        self.memory.rings[place].evict(self.end[place] - age)

    @rule(start=st.integers(0, 3))
    def recreated(self, start: int) -> None:
        """The topic of films is another one now, with offsets of its own."""
        for client in self.clients:
            client.needs = [need for need in client.needs if need[0].channel != "films"]
        for place in PLACES[:2]:
            self.log[place], self.end[place] = [], start
        for client in self.clients:
            for place in PLACES[:2]:
                if place in client.runs:
                    bounded = client.runs[place].until is not None
                    since = self.hub.since(client.subscriber, place)
                    client.runs[place] = Run(max(start, since), start if bounded else None, start)
                    client.gaps += [] if place in client.gaps else [place]
        deliver(self.hub.reopen("films", "e2", {0: start, 1: start}, self.now))

    # Clients.

    @precondition(lambda self: len(self.clients) < 3)
    @rule()
    def joined(self) -> None:
        runs = {
            place: Run(hi)
            for place in PLACES
            if place.channel == EVERYBODY
            for hi in [self.memory.rings[place].hi]
        }
        subscriber = self.hub.join(lambda data: self.received(client, list(payloads(data))))
        client = Client(subscriber, runs)
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
            self.begin(client, channel, starts, told=back % 2 == 0)
            if served:
                self.serve()

    @rule(i=st.integers(0, 2), channel=st.sampled_from(CHANNELS))
    def bounded(self, i: int, channel: str) -> None:
        if client := self.at(i):
            starts = dict.fromkeys(self.memory.heads(channel), 0)
            until = {p: self.end[Place(channel, p)] for p in starts}
            self.begin(client, channel, starts, told=True, until=until)

    @rule(i=st.integers(0, 2), channel=st.sampled_from(CHANNELS), ahead=st.integers(1, 9))
    def waiting(self, i: int, channel: str, ahead: int) -> None:
        """It subscribes from a time that has not come."""
        if client := self.at(i):
            starts = self.memory.heads(channel)
            since = max(starts.values()) + ahead
            self.latest_wait = max(self.latest_wait, since)
            self.begin(client, channel, starts, told=True, since=since)
            self.serve()

    @rule(i=st.integers(0, 2), channel=st.sampled_from(CHANNELS))
    def unsubscribed(self, i: int, channel: str) -> None:
        if (client := self.at(i)) and self.hub.unsubscribe(client.subscriber, channel):
            self.ended(client, channel)

    @rule(i=st.integers(0, 2), channel=st.sampled_from(CHANNELS))
    def reconnected(self, i: int, channel: str) -> None:
        """It goes away and comes back by its cursor: the new run continues the old one."""
        client = self.at(i)
        if client is None or channel not in client.subscriber.subscriptions:
            return
        cursor = decode(self.hub.cursor(client.subscriber, channel), channel)
        for place, run in client.runs.items():
            if place.channel == channel and run.until is None:
                begun = run.start if run.begun is None else run.begun
                assert cursor.next_offsets[place.partition] >= max([begun, *(o + 1 for o in run.got)])
                due = [o for o in self.log[place] if run.start <= o < cursor.next_offsets[place.partition]]
                assert run.got == due, "a cursor stands right behind what was delivered"
        self.hub.leave(client.subscriber)
        self.clients.remove(client)
        self.joined()
        self.begin(self.clients[-1], channel, cursor.next_offsets, told=True)

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
        """A read of the log comes back, perhaps from beyond where the tail stands."""
        if (client := self.at(i)) and client.needs:
            self.read(client, count)

    @rule(i=st.integers(0, 2))
    def log_failed(self, i: int) -> None:
        if (client := self.at(i)) and client.needs:
            place, _ = client.needs.pop(0)
            self.hub.unask(client.subscriber, place)

    # What must hold.

    @invariant()
    def every_run_is_contiguous(self) -> None:
        for client in self.clients:
            for place, run in client.runs.items():
                due = [o for o in self.log[place] if o >= run.start and (run.until is None or o < run.until)]
                assert run.got == due[: len(run.got)]

    def teardown(self) -> None:
        """Once everybody drains and reads, everybody has everything and is live."""
        for place in PLACES:
            self.log[place].append(max(self.end[place], self.latest_wait))
            self.end[place] = self.log[place][-1] + 1
            self.tailed(place, self.end[place], 0, False)
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
            assert not client.gaps, "a gap is always told"
            for place, run in client.runs.items():
                assert run.got == [
                    o for o in self.log[place] if o >= run.start and (run.until is None or o < run.until)
                ]

    # Steps of the above.

    def serve(self) -> None:
        """As the shell does: turns while more is due; then only the log can help who is not live."""
        for client in self.clients:
            while self.pump(client, 400):
                pass
            if client.subscriber.servable:
                for place, progress in client.subscriber.progress.items():
                    assert progress.asked or progress.level(self.memory.rings[place])

    def at(self, i: int) -> Client | None:
        return self.clients[i] if i < len(self.clients) else None

    def begin(
        self,
        client: Client,
        channel: str,
        starts: dict[int, int],
        *,
        told: bool,
        until: dict[int, int] | None = None,
        since: int | None = None,
    ) -> None:
        self.hub.subscribe(client.subscriber, channel, starts, told=told, until=until, since=since)
        client.gaps = [place for place in client.gaps if place.channel != channel]
        for p, start in starts.items():
            client.runs[Place(channel, p)] = Run(
                max(start, since or 0), None if until is None else until[p], start
            )

    def ended(self, client: Client, channel: str) -> None:
        client.gaps = [place for place in client.gaps if place.channel != channel]
        for place in [place for place in client.runs if place.channel == channel]:
            del client.runs[place]
        if channel == EVERYBODY:
            for p, hi in self.memory.heads(channel).items():
                client.runs[Place(channel, p)] = Run(hi)

    def pump(self, client: Client, budget: int) -> bool:
        pumped = self.hub.pump(client.subscriber, budget, self.now)
        self.received(client, pumped.payloads)
        client.needs += pumped.needs
        return pumped.more

    def read(self, client: Client, count: int) -> None:
        place, start = client.needs.pop(0)
        offsets = [o for o in self.log[place] if o >= start][:count]
        end = offsets[-1] + 1 if len(offsets) == count else self.end[place]
        since = self.hub.since(client.subscriber, place)
        chunk = deque((o, payload_of(place, o)) for o in offsets if o >= since)
        self.hub.supply(client.subscriber, place, start, Chunk(chunk, end, max(offsets, default=0)))

    def received(self, client: Client, told: Sequence[bytes]) -> None:
        for payload in told:
            message = json.loads(payload)
            if message["type"] == "event":
                channel, partition, offset = message["at"]
                assert not client.subscriber.standing.held, "nothing comes before the first answer"
                assert not client.subscriber.standing.full, "nothing is written into a full buffer"
                client.runs[Place(channel, partition)].got.append(offset)
            elif message["type"] == "gap":
                client.gaps.remove(Place(message["channel"], message["partition"]))
            elif message["type"] == "unsubscribed":
                for place, run in list(client.runs.items()):
                    if place.channel == message["channel"]:
                        assert run.got == [o for o in self.log[place] if run.start <= o < (run.until or 0)], (
                            "complete means all of it"
                        )
                self.ended(client, message["channel"])


TestGateway = Gateway.TestCase
TestGateway.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
