"""A session resumes where its sockets had certainly received everything, here and at other gateways: laws over histories of
sockets, pings, kills and a topic in between."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.core.inheritance import LEFT_MS, Inheritance, OpenSocket
from schemas.resuming import Mark, ResumeRecord

CHANNEL = "media"


def mark(offset: int, epoch: str = "e") -> Mark:
    return Mark(epoch, {0: offset})


def start(gateway: Inheritance, socket: OpenSocket, head: int, now: int = 0) -> int:
    return gateway.start(socket, CHANNEL, mark(head), now).next[0]


def test_two_tabs_that_reconnect_in_turn_find_their_own_positions() -> None:
    gateway = Inheritance("a")
    one, _ = gateway.opened("s")
    start(gateway, one, 5)
    other, _ = gateway.opened("s")
    start(gateway, other, 5)
    gateway.ended(one, 0, clean=False)
    gateway.ended(other, 0, clean=False)
    back, _ = gateway.opened("s")
    assert start(gateway, back, 20) == 5
    gateway.proves(back, {CHANNEL: mark(20)})
    second, _ = gateway.opened("s")
    assert start(gateway, second, 20) == 5


def test_a_dropped_socket_leaves_what_it_had_not_proven_and_one_socket_takes_it() -> None:
    gateway = Inheritance("a")
    socket, _ = gateway.opened("s")
    assert start(gateway, socket, 5) == 5
    gateway.proves(socket, {CHANNEL: mark(8)})
    gateway.ended(socket, 0, clean=False)
    second, _ = gateway.opened("s")
    assert start(gateway, second, 20) == 8
    third, _ = gateway.opened("s")
    assert start(gateway, third, 20) == 8, "the second has not proven more"
    gateway.proves(second, {CHANNEL: mark(20)})
    gateway.proves(third, {CHANNEL: mark(20)})
    fourth, _ = gateway.opened("s")
    assert start(gateway, fourth, 21) == 20


def test_a_position_left_is_valid_for_ten_minutes_and_in_the_same_topic() -> None:
    gateway = Inheritance("a")
    for late, epoch, wanted in ((0, "e", 5), (LEFT_MS, "e", 30), (0, "another", 30)):
        socket, _ = gateway.opened("s")
        start(gateway, socket, 5)
        gateway.ended(socket, 0, clean=False)
        heir, _ = gateway.opened("s")
        assert gateway.start(heir, CHANNEL, mark(30, epoch), late).next[0] == wanted
        gateway.ended(heir, late, clean=False, revoked=True)


def test_a_burst_of_sockets_of_one_page_leaves_nothing_twice() -> None:
    gateway = Inheritance("a")
    first, _ = gateway.opened("s")
    start(gateway, first, 5)
    second, _ = gateway.opened("s")
    start(gateway, second, 5)
    gateway.ended(first, 100, clean=True)
    gateway.proves(second, {CHANNEL: mark(9)})
    later, _ = gateway.opened("s")
    assert start(gateway, later, 9, 200) == 9


def test_a_clean_close_with_nobody_there_leaves_what_was_not_proven() -> None:
    gateway = Inheritance("a")
    socket, _ = gateway.opened("s")
    start(gateway, socket, 5)
    gateway.ended(socket, 0, clean=True)
    back, _ = gateway.opened("s")
    assert start(gateway, back, 7, 1_000) == 5


def test_a_revoked_session_leaves_nothing_and_others_are_not_affected() -> None:
    gateway = Inheritance("a")
    mine, _ = gateway.opened("s")
    other, _ = gateway.opened("t")
    start(gateway, mine, 5)
    start(gateway, other, 5)
    gateway.ended(mine, 0, clean=False, revoked=True)
    gateway.ended(other, 0, clean=False)
    assert start(gateway, gateway.opened("s")[0], 9) == 9
    assert start(gateway, gateway.opened("t")[0], 9) == 5


@dataclass
class Browser:
    """A session: where its sockets are, and which events (offsets) of the log it has certainly received."""

    name: str
    since: int | None = None
    got: set[int] = field(default_factory=set)
    sockets: list[tuple[str, OpenSocket, int]] = field(default_factory=list)
    """Gateway, socket, and the offset up to which it was written to."""


class Gateways(RuleBasedStateMachine):
    """Two gateways and a topic between them, which keeps what was written before a kill; browsers that keep no position.
    What was written to a socket reaches its browser only if a pong comes back."""

    @initialize()
    def begin(self) -> None:
        self.head = self.now = 0
        self.topic: list[ResumeRecord] = []
        self.names = iter(range(1_000))
        self.gateways: dict[str, Inheritance] = {}
        self.read_to: dict[str, int] = {}
        for place in ("x", "y"):
            self.started(place)
        self.browsers = [Browser("s"), Browser("t")]

    def started(self, place: str) -> None:
        self.gateways[place] = Inheritance(f"{place}{next(self.names)}")
        self.read_to[place] = 0
        self.read_all(place)
        self.publish([self.gateways[place].floor({CHANNEL: mark(self.head)})])

    def publish(self, records: list[ResumeRecord]) -> None:
        self.topic += records

    def read_all(self, place: str) -> None:
        for offset in range(self.read_to[place], len(self.topic)):
            self.gateways[place].receive(self.topic[offset], offset, self.now)
        self.read_to[place] = len(self.topic)

    @rule(events=st.integers(1, 5))
    def published(self, events: int) -> None:
        self.head += events

    @rule(i=st.integers(0, 1), place=st.sampled_from(("x", "y")))
    def connected(self, i: int, place: str) -> None:
        """After the records have been read: a client reconnects a second later, the topic takes milliseconds."""
        self.read_all(place)
        browser, gateway = self.browsers[i], self.gateways[place]
        socket, records = gateway.opened(browser.name)
        self.publish(records)
        begin = start(gateway, socket, self.head, self.now)
        if browser.since is None:
            browser.since = begin
        missing = set(range(browser.since, self.head)) - browser.got
        assert not missing or begin <= min(missing) or browser.sockets, (
            "missing events begin here, or go to another socket"
        )
        browser.sockets.append((place, socket, begin))

    @rule(i=st.integers(0, 1), j=st.integers(0, 3))
    def answered_a_ping(self, i: int, j: int) -> None:
        browser = self.browsers[i]
        if j < len(browser.sockets):
            place, socket, begin = browser.sockets[j]
            browser.got |= set(range(begin, self.head))
            browser.sockets[j] = (place, socket, self.head)
            self.publish(self.gateways[place].proves(socket, {CHANNEL: mark(self.head)}))

    @rule(i=st.integers(0, 1), j=st.integers(0, 3))
    def dropped(self, i: int, j: int) -> None:
        browser = self.browsers[i]
        if j < len(browser.sockets):
            place, socket, _ = browser.sockets.pop(j)
            self.publish(self.gateways[place].ended(socket, self.now, clean=False))

    @rule(place=st.sampled_from(("x", "y")))
    def published_its_floor(self, place: str) -> None:
        self.publish([self.gateways[place].floor({CHANNEL: mark(self.head)})])

    @rule(place=st.sampled_from(("x", "y")))
    def killed(self, place: str) -> None:
        for browser in self.browsers:
            browser.sockets = [one for one in browser.sockets if one[0] != place]
        self.started(place)

    @invariant()
    def nothing_is_lost(self) -> None:
        """A browser without a socket gets everything that it is missing from the next one, at any gateway."""
        for browser in getattr(self, "browsers", []):
            if browser.since is None or browser.sockets:
                continue
            for place in self.gateways:
                probe = Inheritance("probe")
                for offset, record in enumerate(self.topic):
                    probe.receive(record, offset, self.now)
                begin = start(probe, probe.opened(browser.name)[0], self.head, self.now)
                missing = set(range(browser.since, self.head)) - browser.got
                assert not missing or begin <= min(missing), (place, begin, min(missing))


TestGateways = Gateways.TestCase
TestGateways.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
