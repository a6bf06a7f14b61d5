"""Replay: any start finds its position, history joins live without a seam, and one event's frame is the same bytes live,
from memory, from the log, and after the gateway was killed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from runtime.kafka import Kafka
from schemas.channels import MEDIA_UPDATES
from schemas.cursor import decode
from schemas.headers import CE_ID
from schemas.times import iso
from tests.support.events import films
from tests.support.gateway import Client, Frame, Gateway, gateway
from tests.support.topic import NewRecord, read, write, write_in_transactions

CHANNEL = "media_updates"
EARLY = 60


@pytest.fixture(scope="module")
def history(log: Kafka, tables: str) -> list[str]:
    """Events written before the gateway starts, in both partitions, some in transactions; ids in order."""
    write(log, *films(EARLY // 2), *films(EARLY // 2, partition=1))
    decided = [(n % 3 != 1, record) for n, record in enumerate(films(9, first=EARLY // 2))]
    write_in_transactions(log, *decided)
    return [f"film-{p}-{n}" for p in (0, 1) for n in range(EARLY // 2)]


@pytest.fixture(scope="module")
def server(
    history: list[str], log: Kafka, tables: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway whose memory has next to nothing, so that history is read from the log."""
    running = gateway(log, tables, tmp_path_factory.mktemp("gateway"), {"RING_BYTES": "65536"})
    running.start()
    yield running
    running.kill()


def events(frames: list[Frame]) -> list[Frame]:
    return [frame for frame in frames if frame["type"] == "media_update"]


def replay(client: Client, start: Any, **options: Any) -> tuple[Frame, list[Frame]]:
    """Subscribe and receive until caught up: the answer and the events."""
    answer = client.subscribe(CHANNEL, from_=start, **options)
    assert answer["type"] == "subscribed", answer
    return answer, events(client.receive_until(lambda frame: frame["type"] == "caught_up"))


def write_seen(server: Gateway, token: str, log: Kafka, records: list[NewRecord]) -> None:
    """Write events and wait until the gateway has them: `caught_up` is about what the gateway has read."""
    ids = dict(records[-1].headers)[CE_ID].decode()
    with server.client(token) as witness:
        witness.subscribe(CHANNEL)
        write(log, *records)
        witness.receive_until(lambda frame: frame.get("id") == ids)


def places(frames: list[Frame]) -> list[tuple[int, int]]:
    return sorted((frame["partition"], frame["offset"]) for frame in frames)


def test_earliest_is_everything_once_in_order(server: Gateway, token: str) -> None:
    with server.client(token) as client:
        answer, frames = replay(client, "earliest")
    of_0 = [f["offset"] for f in frames if f["partition"] == 0]
    assert of_0 == sorted(set(of_0))
    assert len([f for f in frames if f["partition"] == 1]) == EARLY // 2
    assert [f["data"]["media_id"] for f in frames if f["partition"] == 0][:30] == list(range(30))
    assert answer["start"] == {"0": 0, "1": 0}
    assert (answer["recovered"], answer["mode"] in ("ring", "log")) == (True, True)


def test_aborted_transactions_never_come(server: Gateway, token: str) -> None:
    with server.client(token) as client:
        _, frames = replay(client, "earliest")
    late = [f["data"]["media_id"] for f in frames if f["partition"] == 0 and f["data"]["media_id"] >= 30]
    assert late[:6] == [30, 32, 33, 35, 36, 38]


@pytest.mark.parametrize("count", [1, 7, 50, 5_000])
def test_last_n_is_at_least_the_n_newest(server: Gateway, token: str, count: int) -> None:
    with server.client(token) as client:
        _, everything = replay(client, "earliest")
        _, frames = replay(client, {"last": count})
    assert min(count, len(everything)) <= len(frames) <= 2 * count, "of two partitions the newest, and no more"
    for p in (0, 1):
        mine = [f["offset"] for f in frames if f["partition"] == p]
        whole = [f["offset"] for f in everything if f["partition"] == p]
        assert mine == whole[len(whole) - len(mine) :]


def test_offsets_are_inclusive_and_a_partition_not_named_starts_at_its_earliest(
    server: Gateway, token: str
) -> None:
    with server.client(token) as client:
        _, everything = replay(client, "earliest")
        answer, frames = replay(client, {"offsets": {"0": 12}})
    assert places(frames) == places([f for f in everything if f["partition"] == 1 or f["offset"] >= 12])
    assert answer["start"] == {"0": 12, "1": 0}


def test_time_starts_at_the_first_event_appended_then(server: Gateway, token: str, log: Kafka) -> None:
    before = int(time.time() * 1000)
    while int(time.time() * 1000) <= before + 2:
        pass
    write_seen(server, token, log, films(2, first=100, partition=1))
    for at in (before + 1, iso(before + 1)):
        with server.client(token) as client:
            _, frames = replay(client, {"time": at})
            assert [f["data"]["media_id"] for f in frames] == [100, 101]
    with server.client(token) as client:
        answer, frames = replay(client, {"time": "2100-01-01T00:00:00Z"})
        assert (frames, answer["start"]) == ([], answer["head"])


def test_a_cursor_goes_on_right_behind_what_came(server: Gateway, token: str, log: Kafka) -> None:
    with server.client(token) as client:
        client.subscribe(CHANNEL, from_="earliest")
        caught_up = client.receive_type("caught_up")
    write_seen(server, token, log, films(5, first=200))
    with server.client(token) as client:
        answer, frames = replay(client, {"cursor": caught_up["cursor"]})
    assert [f["data"]["media_id"] for f in frames] == [200, 201, 202, 203, 204]
    assert answer["recovered"] is True
    assert caught_up["data"]["cursor"] == caught_up["cursor"]


def test_a_cursor_of_another_epoch_is_not_presented_as_recovery(server: Gateway, token: str) -> None:
    with server.client(token) as client:
        cursor = decode(client.subscribe(CHANNEL)["cursor"], CHANNEL)
    foreign = type(cursor)(cursor.channel, "0123456789abcdef", cursor.partitions, {0: 5, 1: 5}).encode()
    with server.client(token) as client:
        answer, frames = replay(client, {"cursor": foreign})
    assert (answer["recovered"], answer["reason"]) == (False, "epoch_changed")
    assert answer["missed"] == {"0": {"from": 5, "to": None}, "1": {"from": 5, "to": None}}
    assert len(frames) >= EARLY


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"from_": {"offsets": {"7": 0}}}, "from.offsets: there is no partition 7, there are 2"),
        ({"from_": {"offsets": {"0": 1_000_000_000}}}, "from.offsets.0: 1000000000 is beyond the end, "),
        (
            {"from_": "earliest", "until": {"offsets": {"7": 0}}},
            "until.offsets: there is no partition 7, there are 2",
        ),
        ({"from_": {"last": 5, "time": 0}}, "from: 'last' and 'time' name two places"),
    ],
)
def test_a_place_that_is_not_in_the_log_is_refused_by_name(
    server: Gateway, token: str, options: dict[str, Any], message: str
) -> None:
    with server.client(token) as client:
        answer = client.subscribe(CHANNEL, **options)
        assert (answer["type"], answer["data"]["code"]) == ("error", "bad_request")
        assert message in answer["data"]["message"]


def test_a_time_that_has_not_come_begins_at_the_first_event_appended_then(
    server: Gateway, token: str, log: Kafka
) -> None:
    with server.client(token) as client:
        at = int(time.time() * 1000) + 1_500
        answer = client.subscribe(CHANNEL, from_={"time": at})
        assert (answer["start"], answer["recovered"], answer["mode"]) == (answer["head"], True, "live")
        assert client.receive()["type"] == "caught_up"
        write_seen(server, token, log, films(2, first=700) + films(2, first=702, partition=1))
        while int(time.time() * 1000) <= at:
            pass
        write(log, *films(2, first=704), *films(2, first=706, partition=1))
        frames = events(client.receive_until(lambda f: f.get("id") == "film-1-707"))
        assert MEDIA_UPDATES.topic is not None
        come = [(r.partition, r.offset) for r in read(log, MEDIA_UPDATES.topic) if r.timestamp >= at]
        assert places(frames) == sorted(come)
        assert {704, 705, 706, 707} <= {f["data"]["media_id"] for f in frames}
        write(log, *films(1, first=708))
        assert client.receive_type("media_update")["data"]["media_id"] == 708


def test_a_cursor_beyond_the_end_is_another_topic_and_on_gap_decides(server: Gateway, token: str) -> None:
    with server.client(token) as client:
        known = decode(client.subscribe(CHANNEL)["cursor"], CHANNEL)
    wanted = {"cursor": type(known)(CHANNEL, known.epoch, known.partitions, {0: 1_000_000, 1: 0}).encode()}
    with server.client(token) as client:
        answer, frames = replay(client, wanted, on_gap="live")
        assert (answer["recovered"], answer["reason"], frames) == (False, "epoch_changed", [])
        answer = client.subscribe(CHANNEL, from_=wanted, on_gap="fail")
        assert answer["recovered"] is False
        assert client.close_code() == 4011


def test_until_head_ends_with_complete(server: Gateway, token: str, log: Kafka) -> None:
    with server.client(token) as client:
        _, everything = replay(client, "earliest")
        client.send(type="subscribe", channel=CHANNEL, from_="earliest", until="head")
        client.receive_type("subscribed")
        frames = client.receive_until(lambda frame: frame["type"] == "unsubscribed")
        write(log, *films(1, first=300))
        client.send(type="ping")
        after = client.receive_until(lambda frame: frame["type"] == "pong")
    assert places(events(frames)) == places(everything)
    assert frames[-1]["reason"] == "complete"
    assert events(after) == []


def test_until_offsets_is_exclusive(server: Gateway, token: str) -> None:
    with server.client(token) as client:
        bounds = {"offsets": {"0": 10, "1": 3}}
        client.send(type="subscribe", channel=CHANNEL, from_="earliest", until=bounds)
        frames = client.receive_until(lambda frame: frame["type"] == "unsubscribed")
    assert places(events(frames)) == [(0, o) for o in range(10)] + [(1, o) for o in range(3)]


def test_history_joins_live_without_a_seam(server: Gateway, token: str, log: Kafka) -> None:
    with server.client(token) as client:
        client.send(type="subscribe", channel=CHANNEL, from_="earliest")
        write(log, *films(40, first=400, size=2_000))
        frames = events(client.receive_until(lambda f: f.get("id") == "film-0-439"))
    of_0 = [f["offset"] for f in frames if f["partition"] == 0]
    assert of_0 == sorted(set(of_0))
    assert [f["data"]["media_id"] for f in frames][-40:] == list(range(400, 440))


def test_a_frame_is_the_same_bytes_live_from_memory_from_the_log_and_after_a_kill(
    server: Gateway, token: str, log: Kafka
) -> None:
    def texts(client: Client) -> list[str]:
        return [text for text in client.texts if '"id":"film-1-50' in text]

    with server.client(token) as client:
        client.subscribe(CHANNEL)
        write(log, *films(3, first=500, partition=1))
        client.receive_until(lambda f: f.get("id") == "film-1-502")
        live = texts(client)
    with server.client(token) as client:
        answer, _ = replay(client, {"last": 3})
        from_memory, mode = texts(client), answer["mode"]
    write_seen(server, token, log, films(60, first=600, partition=1, size=4_000))  # pushes the rest out of memory
    with server.client(token) as client:
        answer, _ = replay(client, "earliest")
        from_log = texts(client)
    server.kill()
    server.start()
    with server.client(token) as client:
        replay(client, "earliest")
        after_kill = texts(client)
    assert (len(live), mode, answer["mode"]) == (3, "ring", "log")
    assert live == from_memory == from_log == after_kill


def test_a_client_that_resumes_by_offsets_over_kills_loses_nothing_and_gets_nothing_twice(
    server: Gateway, token: str, log: Kafka
) -> None:
    with server.client(token) as client:
        next_offsets = dict(client.subscribe(CHANNEL)["head"])
    got: list[int] = []
    for round_ in range(3):
        write(log, *films(20, first=1_000 + round_ * 20))
        with server.client(token) as client:
            client.subscribe(CHANNEL, from_={"offsets": next_offsets})
            for _ in range(10 if round_ < 2 else 40):
                frame = client.receive_type("media_update")
                got.append(frame["data"]["media_id"])
                next_offsets[str(frame["partition"])] = frame["offset"] + 1
            server.kill()
            assert client.close_code() == 1006
        server.start()
    assert got == list(range(1_000, 1_060))


def test_a_stop_closes_1012_after_a_last_position(server: Gateway, token: str, log: Kafka) -> None:
    with server.client(token) as client:
        replay(client, {"last": 1})
        write(log, *films(1, first=2_000))
        client.receive_type("media_update")
        assert server.stop() == 0
        position = client.receive_type("position")
        assert client.close_code() == 1012
    server.start()
    with server.client(token) as client:
        _, frames = replay(client, {"cursor": position["cursor"]})
        assert frames == []


def test_an_undecodable_record_is_a_gap_at_its_place_and_the_flow_goes_on(
    server: Gateway, token: str, log: Kafka
) -> None:
    assert MEDIA_UPDATES.topic is not None
    values = [
        b"not json",
        b'{"action":"created"}',
        None,
        b'{"action":"created","media_id":1,"media":{},"x":"\xff"}',
    ]
    bad = [NewRecord(MEDIA_UPDATES.topic, value, key=b"home") for value in values]
    with server.client(token) as client:
        start = client.subscribe(CHANNEL)["head"]["0"]
        write(log, *bad, *films(1, first=3_000))
        live = client.receive_until(lambda f: f.get("id") == "film-0-3000")
        texts = client.texts[1:]
    with server.client(token) as client:
        client.subscribe(CHANNEL, from_={"offsets": {"0": start, "1": 0}}, until={"offsets": {"0": start + 5}})
        client.receive_type("unsubscribed")
        replayed = [text for text in client.texts if '"partition":0' in text]
    gaps = [frame for frame in live if frame["type"] == "gap"]
    assert [(g["partition"], g["from"], g["to"], g["reason"]) for g in gaps] == [
        (0, start + n, start + n + 1, "undecodable") for n in range(4)
    ]
    assert replayed == texts


def test_position_comes_every_thousand_events(server: Gateway, token: str, log: Kafka) -> None:
    with server.client(token) as client:
        replay(client, {"last": 1})
        write(log, *films(1_200, first=10_000))
        frames = client.receive_until(lambda f: f.get("id") == "film-0-11199")
    positions = [frame for frame in frames if frame["type"] == "position"]
    assert positions
    place = frames.index(positions[0])
    position = decode(positions[0]["cursor"], CHANNEL).next_offsets[0]
    assert position == max(f["offset"] for f in events(frames[:place]) if f["partition"] == 0) + 1


def test_a_slow_reader_gets_everything_at_its_pace_while_others_stay_live(
    server: Gateway, token: str, log: Kafka
) -> None:
    portions = [films(200, first=20_000 + n * 200, size=3_000) for n in range(6)]
    with server.client(token) as quick, server.client(token, max_queue=1) as slow:
        quick.subscribe(CHANNEL)
        slow.send(type="subscribe", channel=CHANNEL, from_="earliest")
        frames = [slow.receive()]
        for n, portion in enumerate(portions):
            write(log, *portion)
            quick.receive_until(lambda f, last=20_199 + n * 200: f.get("id") == f"film-0-{last}")  # type: ignore[misc]
            frames += [slow.receive() for _ in range(50)]
        frames += slow.receive_until(lambda f: f.get("id") == "film-0-21199", 60)
    of_0 = [f["offset"] for f in events(frames) if f["partition"] == 0]
    assert of_0 == sorted(set(of_0))
    assert [f["data"]["media_id"] for f in events(frames) if f["partition"] == 0][-1_200:] == list(
        range(20_000, 21_200)
    )
