"""Channels over HTTP at two gateways: pages of the past and event streams show what sockets show, byte for byte, by the same
rights; a reader that resumes elsewhere after a kill loses nothing and gets nothing twice."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from typing import Any

import httpx
import pytest

from runtime.kafka import Kafka
from schemas.channels import MEDIA_UPDATES
from schemas.close_codes import CLOSE_CODES, RESTART, REVOKED, CloseCode
from schemas.cursor import Cursor, decode
from tests.support.accounts import UserCommand
from tests.support.event_source import Event, EventSource, event_source
from tests.support.events import event, film, films
from tests.support.gateway import PASSWORD, SECRET, Gateway, gateway
from tests.support.topic import NewRecord, write
from tests.support.waiting import wait_until

CHANNEL = "media_updates"
PATH = f"/api/v1/channels/{CHANNEL}"
EARLY = 60
SMALL = {"RING_BYTES": "65536"}


@pytest.fixture(scope="module")
def server(log: Kafka, tables: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway whose memory has next to nothing, started after there was some history."""
    write(log, *films(EARLY // 2, size=3_000), *films(EARLY // 2, partition=1, size=3_000))
    running = gateway(log, tables, tmp_path_factory.mktemp("gateway"), SMALL)
    running.start()
    yield running
    running.kill()


@pytest.fixture(scope="module")
def second(log: Kafka, tables: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Another gateway of the same installation."""
    running = gateway(log, tables, tmp_path_factory.mktemp("gateway"), {"TOKEN_SECRET": SECRET} | SMALL)
    running.start()
    yield running
    running.kill()


@pytest.fixture(scope="module")
def user(tables: str) -> UserCommand:
    """The operator's command."""
    return UserCommand(tables)


def item(n: int, root: str, action: str = "updated", was: str | None = None) -> NewRecord:
    data = film(n)
    media = {**film(n)["media"], "storage_root": root, "library": "home"}  # type: ignore[dict-item]
    data |= {"action": action, "media": media}
    if was is not None:
        data["was"] = {
            "id": n,
            "title": f"was {n}",
            "media_type": "video",
            "storage_root": was,
            "path": f"{n}.mkv",
        }
    return event(MEDIA_UPDATES, data, id=f"item-{n}-{root}-{action}", time="2024-01-15T10:30:00Z")


def page(server: Gateway, token: str, **query: Any) -> dict[str, Any]:
    with server.http(token) as http:
        answer = http.get(f"{PATH}/events", params={name.rstrip("_"): value for name, value in query.items()})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def pages(server: Gateway, token: str, limit: int, **query: Any) -> list[dict[str, Any]]:
    """All pages from the beginning."""
    found = [page(server, token, limit=limit, **{"from_": "earliest"} | query)]
    while not found[-1]["complete"]:
        found.append(page(server, token, limit=limit, **query | {"from_": found[-1]["next"]}))
    return found


def events(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for each in found for one in each["events"]]


def socket_texts(server: Gateway, token: str, start: Any = "earliest", **options: Any) -> list[str]:
    """The past events that a socket gets."""
    with server.client(token) as client:
        client.subscribe(CHANNEL, from_=start, until="head", **options)
        client.receive_until(lambda frame: frame["type"] == "unsubscribed")
    return [text for text in client.texts if text.startswith('{"type":"media_update"')]


def updates(found: list[Event]) -> list[Event]:
    return [one for one in found if one.type == "media_update"]


def ids(found: list[Event]) -> list[int]:
    return [json.loads(one.data)["data"]["media_id"] for one in updates(found)]


def closed(source: EventSource) -> CloseCode:
    """Why it was ended: its last event, which is no position to resume from."""
    last = source.events[-1]
    assert (last.type, last.last_event_id) == ("closed", source.events[-2].last_event_id)
    last_data = json.loads(last.data)
    (code,) = [known for known in CLOSE_CODES if known.code == last_data["code"]]
    assert last_data == {"code": code.code, "reason": code.reason, "come_back": code.come_back}
    return code


def stream(server: Gateway, token: str | None, last_event_id: str | None = None, **query: Any) -> Any:
    named = {name.rstrip("_"): value for name, value in query.items()}
    return event_source(server.url + PATH + "/stream", token, last_event_id, **named)


@pytest.mark.parametrize("limit", [1, 7, 1_000])
def test_pages_give_each_event_once_over_all_partitions_and_gateways(
    server: Gateway, second: Gateway, token: str, limit: int
) -> None:
    found = [page(server, token, from_="earliest", limit=limit)]
    while not found[-1]["complete"]:
        assert len(found[-1]["events"]) == limit
        found.append(page((server, second)[len(found) % 2], token, from_=found[-1]["next"], limit=limit))
    places = [(one["partition"], one["offset"]) for one in events(found)]
    assert len(places) == len(set(places)) == EARLY
    for p in (0, 1):
        assert [o for q, o in places if q == p] == sorted(o for q, o in places if q == p)
    assert (found[0]["start"], found[0]["recovered"]) == ({"0": 0, "1": 0}, True)


def test_the_events_of_a_page_are_the_bytes_of_the_frames(server: Gateway, token: str) -> None:
    with server.http(token) as http:
        text = http.get(f"{PATH}/events", params={"from": "earliest", "limit": 1_000}).text
    frames = socket_texts(server, token)
    assert len(frames) == EARLY
    body = text[text.index('"events":[') + 10 : text.index('],"gaps":[')]
    assert sorted(frames) == sorted(frame for frame in frames if frame in body)
    assert len(body) == sum(map(len, frames)) + EARLY - 1


def test_a_place_is_written_in_the_words_of_subscriptions(server: Gateway, token: str, log: Kafka) -> None:
    whole = events([page(server, token, from_="earliest", limit=1_000)])
    at = int(time.time() * 1_000)
    assert page(server, token, from_="live")["events"] == []
    assert page(server, token, from_=str(at))["events"] == []
    assert len(page(server, token, from_="2020-01-01T00:00:00Z", limit=1_000)["events"]) == EARLY
    last = page(server, token, from_="last:5", limit=1_000)["events"]
    assert len(last) >= 5
    assert all(one in whole for one in last)
    for text in ("0:12,1:29", '{"offsets":{"0":12,"1":29}}'):
        found = page(server, token, from_=text, limit=1_000)
        assert {(one["partition"], one["offset"]) for one in found["events"]} == {
            *((0, n) for n in range(12, 30)), (1, 29),
        }  # fmt: skip
    until = page(server, token, until="0:3,1:2", limit=1_000)
    assert sorted((e["partition"], e["offset"]) for e in until["events"]) == [
        (0, 0),
        (0, 1),
        (0, 2),
        (1, 0),
        (1, 1),
    ]
    assert until["complete"]


@pytest.mark.parametrize(
    ("path", "query", "status", "message"),
    [
        (f"{PATH}/events", {"from": "nonsense!"}, 400, "cursor: "),
        (f"{PATH}/events", {"from": "0:1000000000"}, 422, "query.from.offsets.0: 1000000000 is beyond the end"),
        (f"{PATH}/events", {"from": "7:0"}, 422, "query.from.offsets: there is no partition 7, there are 2"),
        (f"{PATH}/events", {"from": "last:0"}, 422, "query.from.last: 1 to 10000"),
        (f"{PATH}/events", {"from": '{"last":1,"time":2}'}, 422, "query.from: 'last' and 'time' name two places"),
        (f"{PATH}/events", {"until": "earliest"}, 422, "query.until: "),
        (f"{PATH}/events", {"limit": "1001"}, 422, "query.limit"),
        (f"{PATH}/events", {"action": "vanished"}, 422, "query.action: some of created"),
        (f"{PATH}/events", {"token": "x"}, 422, "query.token: no such parameter"),
        (f"{PATH}/stream", {"from": "last:0"}, 422, "query.from.last"),
        (f"{PATH}/stream", {"token": "x"}, 422, "query.token: no such parameter"),
        ("/api/v1/channels/nothing/events", {}, 404, "no such channel"),
        ("/api/v1/channels/nothing/stream", {}, 404, "no such channel"),
    ],
)
def test_what_is_wrong_is_refused_by_name(
    server: Gateway, token: str, path: str, query: dict[str, str], status: int, message: str
) -> None:
    with server.http(token) as http:
        answer = http.get(path, params=query)
    assert answer.status_code == status
    assert message in answer.json()["message"]


def test_without_a_token_nothing_is_shown(server: Gateway) -> None:
    for path in ("events", "stream", "stream?ticket=x"):
        assert httpx.get(f"{server.url}{PATH}/{path}").status_code == 401


def test_a_stream_is_what_a_socket_gets_and_its_ids_resume_at_another_gateway_over_kills(
    server: Gateway, second: Gateway, token: str, log: Kafka
) -> None:
    """Whatever part of an event had arrived when the gateway was killed: nothing is lost and nothing is repeated."""
    got: list[Event] = []
    last = None
    with stream(server, token, from_="earliest") as source:
        assert source.next().type == "subscribed"
        got += updates(source.until("caught_up"))
        assert len(got) == EARLY
        assert source.retry == 2_000
        last = source.last_event_id
    for round_ in range(4):
        here = (server, second)[round_ % 2]
        first = 1_000 + round_ * 20
        with stream(here, token, last, from_="earliest") as source:  # the header is newer than the address
            write(log, *films(10, first=first), *films(10, first=first + 10, partition=1))
            got += updates(source.until("media_update", count=7 + round_))
            here.kill()
            with pytest.raises((httpx.TransportError, EOFError)):
                while True:
                    got += updates(source.until("media_update"))
            last = source.last_event_id
        here.start()
    with stream(server, token, last) as source:
        while len(got) < EARLY + 80:
            got += updates(source.until("media_update"))
        got += updates(source.until("caught_up"))
    assert sorted(one.data for one in got) == sorted(socket_texts(second, token))
    for one in got[EARLY:]:
        frame = json.loads(one.data)
        assert decode(one.last_event_id, CHANNEL).next_offsets[frame["partition"]] == frame["offset"] + 1


def test_every_id_is_right_in_every_partition(server: Gateway, token: str, log: Kafka) -> None:
    """Resuming at any event gives exactly those after it."""
    with stream(server, token, from_="0:20,1:20") as source:
        found = updates(source.until("caught_up"))
    for at in (0, len(found) // 2, len(found) - 2):
        with stream(server, token, found[at].last_event_id) as source:
            again = updates(source.until("caught_up"))
        assert sorted(one.data for one in again) == sorted(one.data for one in found[at + 1 :])


def test_rights_and_filters_are_those_of_sockets_alike_in_pages_and_streams(
    server: Gateway, second: Gateway, token: str, log: Kafka, user: UserCommand
) -> None:
    assert user("add", "kim", "--root", "music", "--password-stdin", typed=PASSWORD)[0] == 0
    kim = server.sign_in("kim")
    start = page(server, token, from_="live")["next"]
    with (
        stream(server, kim) as mine,
        stream(second, token, action=["deleted", "created"], storage_root="music") as wanted,
    ):
        assert mine.next().type == wanted.next().type == "subscribed"
        write(
            log, item(1, "films"), item(2, "music", "created"), item(3, "films", was="music"),
            item(4, "music", was="films"), item(5, "private", was="films"), item(6, "music", "deleted"),
        )  # fmt: skip
        live, filtered = (
            mine.until("media_update", has='"media_id": 6,'),
            wanted.until("media_update", has='"media_id": 6,'),
        )
    assert ids(live) == ids(filtered) == [2, 3, 4, 6]
    frames = socket_texts(second, kim, {"cursor": start})
    assert [one.data for one in updates(live)] == frames, "byte for byte"
    assert [one.data for one in updates(filtered)] == frames
    wait_until(
        lambda: page(second, kim, from_=start)["events"] == [json.loads(frame) for frame in frames], 10, what="it"
    )
    filtered_page = page(second, token, from_=start, storage_root="music", action="deleted")
    assert [(e["data"]["media_id"], e["data"]["action"]) for e in filtered_page["events"]] == [
        (3, "deleted"),
        (6, "deleted"),
    ]


def test_a_channel_that_may_not_be_followed_is_not_there(server: Gateway, user: UserCommand) -> None:
    assert user("add", "lea", "--channel", "system_updates", "--password-stdin", typed=PASSWORD)[0] == 0
    with server.http(server.sign_in("lea")) as http:
        for path in ("events", "stream"):
            assert (http.get(f"{PATH}/{path}").status_code, http.get(f"{PATH}/{path}").json()["error"]) == (
                404,
                "not_found",
            )
        assert http.get("/api/v1/channels/system_updates/events").status_code == 200


def test_revoked_rights_end_or_narrow_an_open_stream_in_seconds(
    server: Gateway, second: Gateway, token: str, log: Kafka, user: UserCommand
) -> None:
    assert user("add", "rob", "--password-stdin", typed=PASSWORD)[0] == 0
    rob = second.sign_in("rob")
    with stream(second, rob) as source:
        source.until("subscribed")
        assert user("rights", "rob", "--root", "music")[0] == 0

        def narrowed() -> bool:
            """A lost root shows only in that nothing below it arrives any more."""
            films, music = next(pairs), next(pairs)
            write(log, item(films, "films"), item(music, "music"))
            return ids(source.until("media_update", has=f'"media_id": {music},')) == [music]

        pairs = count(11)
        wait_until(narrowed, 5, what="films to be out of sight")
        with server.http(rob) as http:
            http.post("/api/v1/auth/logout")
        began = time.monotonic()
        source.rest()
        assert time.monotonic() - began < 5
        assert closed(source) == REVOKED
    assert user("rights", "rob", "--channel", "system_updates", "--root", "*")[0] == 0
    with stream(second, second.sign_in("kim")) as source:
        source.until("subscribed")
        assert user("rights", "kim", "--channel", "system_updates", "--root", "*")[0] == 0
        assert source.rest()[-2].type == "unsubscribed"
        assert closed(source) == REVOKED


def test_a_ticket_opens_one_stream(server: Gateway, second: Gateway, token: str) -> None:
    with server.http(token) as http:
        answer = http.post("/api/v1/auth/ws-ticket")
        assert answer.status_code == 201, answer.text
        ticket = answer.json()["ticket"]
    with stream(second, None, ticket=ticket) as source:
        assert source.until("subscribed")
    with pytest.raises(httpx.HTTPStatusError, match="401"), stream(server, None, ticket=ticket):
        pass
    assert ticket not in second.log.read_text()


def test_streams_count_as_sockets_and_hold_up_no_request(server: Gateway, token: str) -> None:
    sources: list[EventSource] = []
    with ExitStack() as open_:
        for _ in range(16):
            sources.append(open_.enter_context(stream(server, token)))
            sources[-1].until("subscribed")
        with pytest.raises(httpx.HTTPStatusError, match="429"), stream(server, token):
            pass
        others = server.sign_in()
        for _ in range(16):
            sources.append(open_.enter_context(stream(server, others)))
            sources[-1].until("subscribed")
        with server.http(token) as http:
            assert http.get("/api/v1/version").status_code == 200


def test_undecodable_records_and_another_epoch_are_reported_in_pages(
    server: Gateway, token: str, log: Kafka
) -> None:
    assert MEDIA_UPDATES.topic is not None
    found = page(server, token, from_="live")
    write(log, NewRecord(MEDIA_UPDATES.topic, b"not json", key=b"home"), *films(1, first=3_000))
    wait_until(lambda: len(page(server, token, from_=found["next"])["events"]) == 1, 10, what="the event")
    found_page = page(server, token, from_=found["next"])
    assert [(gap["partition"], gap["reason"]) for gap in found_page["gaps"]] == [(0, "undecodable")]
    with stream(server, token, found["next"]) as source:
        assert [one.type for one in source.until("media_update")] == ["subscribed", "gap", "media_update"]
    foreign = Cursor(CHANNEL, "0123456789abcdef", 2, {0: 5, 1: 5}).encode()
    found_page = page(server, token, from_=foreign, limit=1)
    assert (found_page["recovered"], found_page["reason"], found_page["missed"]["0"]) == (
        False,
        "epoch_changed",
        {"from": 5, "to": None},
    )


def test_a_stop_ends_a_stream_with_its_position_and_why(server: Gateway, token: str, log: Kafka) -> None:
    with stream(server, token) as source:
        source.until("subscribed")
        write(log, *films(1, first=4_000))
        source.until("media_update")
        assert server.stop() == 0
        assert [one.type for one in source.rest()] == ["position", "closed"]
        assert closed(source) == RESTART
    server.start()
    with stream(server, token, source.last_event_id) as source:
        assert ids(source.until("caught_up")) == []


def test_a_stream_that_takes_nothing_is_ended_and_resumes_where_it_was(
    second: Gateway, token: str, log: Kafka, tables: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    strict = gateway(log, tables, tmp_path_factory.mktemp("gateway"), {"SLOW_SECONDS": "3"} | SMALL)
    strict.start()
    try:
        with stream(strict, token) as source:
            source.until("subscribed")
            for n in range(12):
                write(log, *films(100, first=5_000 + 100 * n, size=10_000))
            # it reads nothing
            wait_until(lambda: '"why": "stuck"' in strict.log.read_text(), 20, what="it to be given up")
            with pytest.raises((httpx.TransportError, EOFError)):
                source.until("media_update", has='"media_id": 6199,')
        with stream(strict, token, source.last_event_id) as source:
            found = ids(source.until("media_update", has='"media_id": 6199,'))
            assert found[-1] == 6_199
            assert found == list(range(found[0], 6_200))
    finally:
        strict.kill()


def test_a_head_request_for_a_stream_is_answered_at_once(server: Gateway, token: str) -> None:
    with server.http(token) as http:
        answer = http.head(f"{PATH}/stream")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream")


def test_the_parser_of_these_tests_conforms_to_the_standard() -> None:
    source = EventSource(
        iter([": test", "data: a", "data:b", "id: 7", "", "event: x", "", "data", "", "retry: 9", ""])
    )
    assert (source.next(), source.next(), source.next()) == (
        Event("message", "a\nb", "7"),
        Event("message", "", "7"),
        None,
    )
    assert (source.comments, source.retry) == (["test"], 9)
