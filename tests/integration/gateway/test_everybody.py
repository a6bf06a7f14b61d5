"""Events that everybody gets are never lost by a replay of them: after a replay, a client continues where it was."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from runtime.kafka import Kafka
from schemas.channels import NOTIFICATIONS
from tests.support.events import event
from tests.support.gateway import Client, Frame, Gateway, gateway
from tests.support.topic import NewRecord
from tests.support.waiting import wait_until

HISTORY = 2_000
LIVE = 1_200


def notifications(count: int, first: int) -> list[NewRecord]:
    """Numbered from `first`, each a twentieth of the gateway's memory."""
    return [
        event(
            NOTIFICATIONS, {"type": "news", "title": str(n), "message": "x" * 3_000, "level": "info"}, id=f"news-{n}",
            time="2024-01-15T10:30:00Z",
        )
        for n in range(first, first + count)
    ]  # fmt: skip


def pour(log: Kafka, records: list[NewRecord], portion: int = 200) -> None:
    """Append, a portion at once."""

    async def main() -> None:
        producer = log.producer()
        await producer.start()
        try:
            for at in range(0, len(records), portion):
                sent = [
                    await producer.send(
                        log.name(r.topic), r.value, key=r.key, partition=r.partition, headers=list(r.headers)
                    )
                    for r in records[at : at + portion]
                ]
                await asyncio.gather(*sent)
        finally:
            await producer.stop()

    asyncio.run(main())


@pytest.fixture(scope="module")
def server(log: Kafka, tables: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway whose memory has next to nothing of a long log."""
    pour(log, notifications(HISTORY, 0), portion=HISTORY)
    running = gateway(log, tables, tmp_path_factory.mktemp("gateway"), {"RING_BYTES": "65536"})
    running.start()
    yield running
    running.kill()


def numbers(frames: list[Frame]) -> list[int]:
    return [int(frame["data"]["title"]) for frame in frames if frame["type"] == "notification"]


def receive_to(client: Client, number: int) -> list[Frame]:
    """Frames up to that notification, and what was behind it."""
    frames = client.receive_until(lambda f: f.get("id") == f"news-{number}", 60)
    client.send(type="ping")
    return frames + client.receive_until(lambda f: f["type"] == "pong")[:-1]


def live_while(log: Kafka, first: int, pool: ThreadPoolExecutor) -> None:
    """Let live ones come, and wait until the first of them are written."""
    pour(log, notifications(1, first))
    pool.submit(pour, log, notifications(LIVE - 1, first + 1))


def test_live_ones_that_come_while_it_is_replayed_come_after_it(server: Gateway, token: str, log: Kafka) -> None:
    first = 10_000
    with server.client(token, max_queue=4) as client, ThreadPoolExecutor(1) as pool:
        assert client.subscribe("notifications", from_="earliest", until="head")["start"] == {"0": 0}
        live_while(log, first, pool)
        replayed = client.receive_until(lambda f: f["type"] == "unsubscribed", 60)
        after = receive_to(client, first + LIVE - 1)
    received = numbers(replayed) + numbers(after)
    assert received == [*range(HISTORY), *range(first, first + LIVE)]
    assert not [f for f in (*replayed, *after) if f["type"] == "gap"]


def test_live_ones_come_after_an_unsubscribe_in_the_middle_of_a_replay(
    server: Gateway, token: str, log: Kafka
) -> None:
    first = 20_000
    with server.client(token, max_queue=4) as client, ThreadPoolExecutor(1) as pool:
        client.subscribe("notifications", from_="earliest")
        client.receive_until(lambda f: f.get("id") == "news-3")
        live_while(log, first, pool)
        client.send(type="unsubscribe", channel="notifications")
        replayed = client.receive_until(lambda f: f["type"] == "unsubscribed", 60)
        after = receive_to(client, first + LIVE - 1)
    everything = [4 + n for n in range(HISTORY - 4)]
    before = [n for n in numbers(replayed) if n < HISTORY]
    assert before == everything[: len(before)]
    late = [n for n in (*numbers(replayed), *numbers(after)) if n >= first]
    assert late == list(range(first, first + LIVE))
    assert not [f for f in (*replayed, *after) if f["type"] == "gap"]


def test_a_replay_until_a_time_to_come_waits_for_it_and_then_ends(server: Gateway, token: str, log: Kafka) -> None:
    first = 30_000
    with server.client(token) as client:
        client.send(type="ping")
        client.receive_type("pong")
        ends_at = int(time.time() * 1_000) + 3_000
        answer = client.subscribe("notifications", from_={"last": 1}, until={"time": ends_at})
        pour(log, notifications(3, first))
        frames = client.receive_until(lambda f: f["type"] == "unsubscribed", 15)
        ended_at = time.time() * 1_000
        pour(log, notifications(2, first + 3))
        after = receive_to(client, first + 4)
    assert answer["type"] == "subscribed"
    assert numbers(frames)[-3:] == [first, first + 1, first + 2]
    assert frames[-1]["reason"] == "complete"
    assert ends_at <= ended_at <= ends_at + 3_000
    assert numbers(after) == [first + 3, first + 4]


def test_a_replay_between_two_times_to_come_passes_over_what_is_before(
    server: Gateway, token: str, log: Kafka
) -> None:
    first = 40_000
    with server.client(token) as client:
        now = int(time.time() * 1_000)
        client.subscribe("notifications", from_={"time": now + 2_000}, until={"time": now + 4_000})
        pour(log, notifications(2, first))
        wait_until(lambda: time.time() * 1_000 > now + 2_100, 5, what="the time from which it is to come")
        pour(log, notifications(2, first + 2))
        frames = client.receive_until(lambda f: f["type"] == "unsubscribed", 15)
        pour(log, notifications(1, first + 4))
        after = receive_to(client, first + 4)
    assert numbers(frames) == [first + 2, first + 3]
    assert numbers(after) == [first + 4]


def test_a_wait_in_a_silent_channel_ends_as_well(server: Gateway, token: str) -> None:
    with server.client(token) as client:
        at = int(time.time() * 1_000) + 1_500
        client.subscribe("asset_updates", from_="live", until={"time": at})
        assert client.receive_type("unsubscribed", 10)["reason"] == "complete"
        assert time.time() * 1_000 >= at
