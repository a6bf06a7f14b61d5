"""Who receives what, how much of it, and what changes with their rights: the hub with one channel for everybody and one for
subscribers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from gateway.core.about import About, Addressee, addressee
from gateway.core.framing import payloads
from gateway.core.hub import Hub
from gateway.core.memory import ChannelPartition as Place
from gateway.core.memory import Rings, TailBatch
from gateway.core.rights import EVERYTHING, Rights
from gateway.core.standing import Standing
from gateway.core.subscriber import Options, Subscriber, Viewer
from gateway.core.view import Filter, view_of

FILMS, NEWS = Place("films", 0), Place("news", 0)
ONLY_A = Rights.of(["*"], [], ["a"])


def frame(place: Place, offset: int, media_id: int) -> bytes:
    return json.dumps(
        {
            "type": "media_update", "data": {"media_id": media_id}, "timestamp": "", "channel": place.channel,
            "partition": 0, "offset": offset, "id": "",
        }
    ).encode()  # fmt: skip


@dataclass
class Client:
    hub: Hub
    subscriber: Subscriber = field(init=False)
    received: list[str] = field(default_factory=list)

    def receive(self, texts: list[bytes]) -> None:
        for text in texts:
            message = json.loads(text)
            kind = message["type"]
            self.received.append(f"{message['channel']} {message['offset']}" if kind == "media_update" else kind)


class World:
    def __init__(self) -> None:
        self.hub = Hub(["news"], Rings(1_000_000))
        self.hub.open("films", "e", {0: 0})
        self.hub.open("news", "e", {0: 0})
        self.clients: list[Client] = []
        self.now = 0

    def join(self, viewer: Viewer, options: Options | None = Options()) -> Client:  # noqa: B008 (frozen)
        client = Client(self.hub)
        client.subscriber = self.hub.join(lambda data: client.receive(list(payloads(data))), viewer)
        if options is not None:
            self.hub.subscribe(client.subscriber, "films", {0: self.hub._memory.heads("films")[0]}, options)
        self.hub.release(client.subscriber)
        self.clients.append(client)
        self.serve()
        return client

    def publish(self, place: Place, *events: tuple[About | None, int]) -> None:
        start = self.hub._memory.heads(place.channel)[0]
        records = [
            (start + i, 1, frame(place, start + i, media), about) for i, (about, media) in enumerate(events)
        ]
        for delivery in self.hub.publish([TailBatch(place, records, start + len(records))], self.now):
            for write in delivery.writes:
                write(b"".join(bundle.text_frames() for bundle in delivery.bundles))
        self.serve()

    def serve(self) -> None:
        for client in self.clients:
            more = True
            while more:
                pumped = self.hub.pump(client.subscriber, 10_000, self.now)
                client.receive(list(pumped.payloads))
                more = pumped.more


@pytest.fixture
def world() -> World:
    return World()


def test_a_notification_for_one_account_goes_to_its_sockets_alone_and_in_its_place(world: World) -> None:
    anna, too, bob = world.join(Viewer(1)), world.join(Viewer(1)), world.join(Viewer(2))
    assert anna.subscriber.standing is Standing.LIVE
    world.publish(NEWS, (None, 0), (About(to=Addressee("user", "1")), 0), (None, 0))
    assert anna.received == too.received == ["news 0", "news 1", "news 2"]
    assert bob.received == ["news 0", "news 2"]


def test_a_notification_for_a_role_or_a_library_goes_to_those_who_have_it(world: World) -> None:
    operator = world.join(Viewer(1, 3, ONLY_A))
    of_library = world.join(Viewer(2, 2, Rights.of(["*"], ["home"], [])))
    everything = world.join(Viewer(3, 1))
    world.publish(NEWS, (About(to=Addressee("role", "3")), 0), (About(to=Addressee("library", "home")), 0))
    assert (operator.received, of_library.received, everything.received) == (["news 0"], ["news 1"], ["news 1"])


def test_a_channel_that_may_not_be_followed_sends_nothing_even_if_it_is_for_everybody(world: World) -> None:
    client = world.join(Viewer(1, 2, Rights.of(["films"], [], ["*"])))
    world.publish(NEWS, (None, 0))
    world.publish(FILMS, (None, 0))
    assert client.received == ["films 0"]


def test_a_revoked_root_is_hidden_and_a_granted_one_is_shown_from_now_on(world: World) -> None:
    client, other = world.join(Viewer(1, 2, ONLY_A)), world.join(Viewer(2))
    a, b = About("home", "a"), About("home", "b")
    world.publish(FILMS, (a, 0), (b, 1))
    assert world.hub.see_as(client.subscriber, Viewer(1, 2, Rights.of(["*"], [], ["b"])), 0) == []
    world.serve()
    world.publish(FILMS, (a, 0), (b, 1))
    assert client.received == ["films 0", "films 3"]
    assert other.received == ["films 0", "films 1", "films 2", "films 3"]
    assert client.subscriber.standing is Standing.LIVE


def test_a_channel_that_is_taken_away_is_unsubscribed_as_forbidden_and_can_be_given_back(world: World) -> None:
    client = world.join(Viewer(1))
    messages = world.hub.see_as(client.subscriber, Viewer(1, 0, Rights.of(["quiet"], [], ["*"])), 0)
    assert [json.loads(text)["data"]["reason"] for text in messages] == ["forbidden"]
    world.serve()
    world.publish(FILMS, (None, 0))
    world.publish(NEWS, (None, 0))
    assert client.received == []
    world.hub.see_as(client.subscriber, Viewer(1), 0)
    world.serve()
    world.publish(NEWS, (None, 0))
    assert client.received == ["news 1"]


def test_those_who_see_the_same_share_what_is_made_for_them(world: World) -> None:
    for user in range(1, 9):
        world.join(Viewer(user, 2, ONLY_A if user % 2 else Rights.of(["*"], [], ["a"])))
    start = world.hub._memory.heads("films")[0]
    batch = TailBatch(FILMS, [(start, 1, frame(FILMS, start, 1), About("home", "a"))], start + 1)
    [delivery] = world.hub.publish([batch], 0)
    assert len(delivery.writes) == 8


def test_a_filter_hides_what_it_leaves_out_and_shows_what_moves_out_of_it_as_deleted() -> None:
    view = view_of(EVERYTHING, 0, Filter(roots=frozenset({"a"}), actions=frozenset({"deleted"})))
    assert view.shows(About("home", "a", None, "video", "deleted"), 0)
    assert not view.shows(About("home", "a", None, "video", "updated"), 0)
    assert view.shows(About("home", "b", "a", "video", "updated"), 0)
    assert not view.shows(About("home", "a", "b", "video", "updated"), 0)


def test_credit_is_spent_by_events_and_given_again(world: World) -> None:
    client = world.join(Viewer(1), Options(status_messages=True, credit=2))
    world.publish(FILMS, *[(None, i) for i in range(5)])
    assert client.received == ["caught_up", "films 0", "films 1"]
    world.hub.give_credit(client.subscriber, "films", 1)
    world.serve()
    assert client.received[3:] == ["films 2"]
    world.hub.give_credit(client.subscriber, "films", 9)
    world.serve()
    world.publish(FILMS, (None, 0))
    assert client.received[4:] == ["films 3", "films 4", "films 5"]


def test_a_slow_client_gets_the_newest_of_each_item_and_the_number_skipped(world: World) -> None:
    client = world.join(Viewer(1), Options(status_messages=True, on_slow="conflate"))
    world.hub.filled(client.subscriber, 0)
    world.publish(FILMS, *[(None, i % 3) for i in range(30)])
    world.hub.drained(client.subscriber)
    world.serve()
    assert client.received == ["caught_up", "films 27", "films 28", "films 29", "conflated", "caught_up"]
    world.publish(FILMS, (None, 0), (None, 0))
    assert client.received[6:] == ["films 30", "films 31"]


def test_a_slow_client_is_disconnected_if_it_wants_that(world: World) -> None:
    client = world.join(Viewer(1), Options(status_messages=True, on_slow="disconnect"))
    assert not client.subscriber.to_disconnect
    world.hub.filled(client.subscriber, 0)
    assert client.subscriber.to_disconnect


@pytest.mark.parametrize("text", ["", "user", "user:", "group:1", ":1"])
def test_an_invalid_addressee_is_none(text: str) -> None:
    assert addressee(text) is None


def test_an_addressee_is_read_as_it_was_written() -> None:
    assert addressee(Addressee("library", "a:b").text()) == Addressee("library", "a:b")
