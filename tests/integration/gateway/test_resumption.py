"""Clients that do not know positions, like the contract's own: they send a token and three `subscribe` messages and
reconnect when a socket ends. Whatever ends it, their session resumes where it was: nothing is lost, some of it is
repeated."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from runtime.kafka import Kafka
from schemas.channels import NOTIFICATIONS
from tests.support.events import event, films
from tests.support.gateway import SECRET, Client, Gateway, gateway
from tests.support.topic import write

CHANNELS = ("media_updates", "system_updates", "analysis_updates")
PROVEN_SECONDS = 7.5
"""By then a client has been pinged to prove what it received."""


@pytest.fixture
def pair(log: Kafka, tables: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, Gateway]]:
    """Two gateways of one installation, as behind a load balancer."""
    both = [gateway(log, tables, tmp_path_factory.mktemp("gateway"), {"TOKEN_SECRET": SECRET}) for _ in range(2)]
    for one in both:
        one.start()
    yield both[0], both[1]
    for one in both:
        one.kill()


class Numbers:
    """Publishes films, each with a number."""

    def __init__(self, log: Kafka) -> None:
        self._log = log
        self.count = int(time.time() * 1_000) % 1_000_000_000

    def publish(self, count: int) -> list[int]:
        first, self.count = self.count, self.count + count
        write(self._log, *films(count, first=first))
        return list(range(first, first + count))


@pytest.fixture
def numbers(log: Kafka) -> Numbers:
    return Numbers(log)


def subscribed(client: Client) -> Client:
    """Subscribe like the contract's client."""
    for channel in CHANNELS:
        client.send(type="subscribe", channel=channel)
    for _ in CHANNELS:
        client.receive_type("subscribed")
    return client


def stay(*clients: Client) -> None:
    """Stay connected, and answer pings, until what arrived has been proven."""
    deadline = time.monotonic() + PROVEN_SECONDS
    while time.monotonic() < deadline:
        for client in clients:
            client.send(type="ping")
            client.receive_type("pong")
        time.sleep(0.2)


def films_of(client: Client) -> list[int]:
    """The films that it has received, in order."""
    frames = [json.loads(text) for text in client.texts]
    return [frame["data"]["media_id"] for frame in frames if frame["type"] == "media_update"]


def until(client: Client, number: int) -> list[int]:
    """All that it has received by the time it has this one."""
    while number not in films_of(client):
        client.receive()
    return films_of(client)


@pytest.mark.parametrize("end", ["killed", "stopped"])
def test_a_gateway_that_is_gone_costs_neither_of_two_tabs_anything_also_elsewhere(
    pair: tuple[Gateway, Gateway], numbers: Numbers, end: str
) -> None:
    first, second = pair
    token = first.sign_in()
    with ExitStack() as sockets:
        tabs = [subscribed(sockets.enter_context(first.client(token))) for _ in range(2)]
        proven = numbers.publish(3)
        assert [until(tab, proven[-1]) for tab in tabs] == [proven, proven]
        stay(*tabs)
        seen = numbers.publish(4)
        assert until(tabs[0], seen[-1]) == [*proven, *seen]
        if end == "killed":
            first.kill()
        else:
            assert first.stop() == 0
            assert tabs[1].close_code() == 1012
        missed = numbers.publish(5)
        back = [subscribed(sockets.enter_context(second.client(token))) for _ in range(2)]
        for tab in back:
            got = until(tab, missed[-1])
            assert got[-5:] == missed, "what was published while nobody was connected"
            assert got == [*proven, *seen, *missed][-len(got) :], "in order, from some position on"
        live = numbers.publish(1)
        assert [until(tab, live[-1])[-1:] for tab in back] == [live, live]


def test_the_same_gateway_started_again_knows_where_its_clients_were(
    pair: tuple[Gateway, Gateway], numbers: Numbers
) -> None:
    first, _ = pair
    token = first.sign_in()
    with first.client(token) as client:
        subscribed(client)
        seen = numbers.publish(2)
        until(client, seen[-1])
        first.kill()
    missed = numbers.publish(3)
    first.start()
    with first.client(token) as back:
        assert until(subscribed(back), missed[-1])[-3:] == missed


def test_a_client_that_loses_its_connection_gets_what_came_meanwhile_once_it_is_back_and_not_again(
    pair: tuple[Gateway, Gateway], numbers: Numbers, log: Kafka
) -> None:
    first, second = pair
    token = first.sign_in()
    with first.client(token) as client:
        subscribed(client)
        client.socket.socket.close()  # no close frame
    missed = numbers.publish(3)
    note = {"type": "news", "title": "meanwhile", "message": "", "level": "info"}
    write(log, event(NOTIFICATIONS, note, id=f"note-{missed[0]}", time="2024-01-15T10:30:00Z"))
    time.sleep(1)  # the contract's client waits so long before it reconnects
    with second.client(token) as back:
        subscribed(back)
        assert until(back, missed[-1]) == missed
        while not any('"meanwhile"' in text for text in back.texts):
            back.receive()
        stay(back)
    with first.client(token) as again:
        subscribed(again)
        live = numbers.publish(1)
        assert until(again, live[0]) == live


def test_a_client_can_request_to_begin_now(pair: tuple[Gateway, Gateway], numbers: Numbers) -> None:
    first, _ = pair
    token = first.sign_in()
    with first.client(token) as client:
        subscribed(client)
        client.socket.socket.close()
    numbers.publish(3)
    with first.client(token) as back:
        back.subscribe("media_updates", from_="live")
        live = numbers.publish(1)
        assert until(back, live[0]) == live
