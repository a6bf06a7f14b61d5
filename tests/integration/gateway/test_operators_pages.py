"""An operator's pages: a channel's timeline, the audit log, dead letters, topics and their readers, and where a file went;
for those with the permission, and for nobody else."""

from __future__ import annotations

import time
import uuid
from typing import Any

import httpx
import msgspec
import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from gateway.log.dead_letters import REDRIVABLE
from runtime.kafka import Kafka
from schemas.admin import RescanRoot
from schemas.channels import MEDIA_UPDATES
from schemas.headers import MAX_DEAD_BYTES
from schemas.topics import (
    ALL_TOPICS,
    ANALYSIS_JOBS,
    AUDIT,
    CHANGES,
    CONTROL,
    GUARDED,
    RAW,
    REPORTS,
    REQUESTED_JOBS,
    dlq_of,
)
from tests.support.accounts import UserCommand
from tests.support.command import Command
from tests.support.events import event, film
from tests.support.gateway import PASSWORD, Gateway
from tests.support.letters import bury
from tests.support.topic import NewRecord, read, write
from tests.support.waiting import wait_until

DENSITY = "/api/v1/channels/media_updates/density"


@pytest.fixture(scope="module")
def user(tables: str) -> UserCommand:
    """The operator's command."""
    return UserCommand(tables)


def got(server: Gateway, token: str, path: str, **query: Any) -> dict[str, Any]:
    with server.http(token) as http:
        answer = http.get(path, params={name.rstrip("_"): value for name, value in query.items()})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def post(server: Gateway, token: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
    with server.http(token) as http:
        return http.post(path, json=body) if body is not None else http.post(path)


def item(n: int, root: str, partition: int = 0) -> NewRecord:
    media = {**film(n)["media"], "storage_root": root, "library": "home"}  # type: ignore[dict-item]
    return event(
        MEDIA_UPDATES,
        film(n) | {"media": media},
        id=f"{root}-{n}",
        time="2024-01-15T10:30:00Z",
        partition=partition,
    )


def letter_path(topic: str, offset: int, action: str = "") -> str:
    return f"/api/v1/dlq/{topic}/0/{offset}" + (f"/{action}" if action else "")


def test_a_timeline_counts_events_over_time_and_only_visible_ones_for_limited_viewers(
    server: Gateway, token: str, log: Kafka, user: UserCommand
) -> None:
    assert user("add", "kim", "--root", "music", "--password-stdin", typed=PASSWORD)[0] == 0
    kim = server.sign_in("kim")
    begin = int(time.time() * 1_000) - 1_000
    write(log, *(item(n, "films", n % 2) for n in range(7)), *(item(n, "music") for n in range(7, 10)))
    pause = int(time.time() * 1_000) + 300
    wait_until(lambda: time.time() * 1_000 > pause, 5, what="some time to pass")
    write(log, *(item(n, "music", n % 2) for n in range(10, 14)))
    end = int(time.time() * 1_000) + 1_000
    seen = got(server, token, DENSITY, from_=str(begin), until=str(end), buckets=1_000)
    assert (seen["source"], seen["total"], sum(seen["counts"])) == ("log", 14, 14)
    halves = [
        got(server, token, DENSITY, from_=str(a), until=str(b), buckets=3)
        for a, b in ((begin, pause), (pause, end))
    ]
    assert [half["total"] for half in halves] == [10, 4]
    assert all(len(half["counts"]) == 3 for half in halves)
    whole = got(server, token, DENSITY)
    assert (len(whole["counts"]), whole["total"]) == (200, 14)
    wait_until(
        lambda: len(got(server, kim, "/api/v1/channels/media_updates/events", limit=100)["events"]) == 7,
        10,
        what="all",
    )
    for window in ({"from_": str(begin), "until": str(end)}, {"buckets": 17}):
        hers = got(server, kim, DENSITY, **window)
        assert (hers["source"], hers["total"]) == ("memory", 7)
        assert None not in hers["counts"]


@pytest.mark.parametrize(
    ("path", "query", "status", "message"),
    [
        (DENSITY, {"from": "0:12"}, 422, "query.from: "),
        (DENSITY, {"from": "live"}, 422, "query.from: "),
        (DENSITY, {"until": "earliest"}, 422, "query.until: "),
        (DENSITY, {"from": "2024-01-02T00:00:00Z", "until": "2024-01-01T00:00:00Z"}, 422, "query.until: is not after"),
        (DENSITY, {"buckets": "1001"}, 422, "query.buckets"),
        (DENSITY, {"buckets": "0"}, 422, "query.buckets"),
        ("/api/v1/channels/nothing/density", {}, 404, "no such channel"),
        ("/api/v1/audit", {"from": "-1"}, 422, "query.from"),
        ("/api/v1/audit", {"limit": "201"}, 422, "query.limit"),
        ("/api/v1/dlq", {"topic": AUDIT.name}, 422, "query.topic: no topic with dead letters; known: "),
        (letter_path(RAW.name, 99), {}, 404, "no such letter"),
        (letter_path(AUDIT.name, 0), {}, 404, "no such dead letter queue"),
        (f"/api/v1/dlq/{RAW.name}/1/0", {}, 404, "no such dead letter queue"),
        (letter_path(RAW.name, -1), {}, 422, "path.offset"),
        ("/api/v1/topics", {"limit": "1"}, 422, "query.limit: no such parameter"),
        ("/api/v1/media/1/events", {"from": "x"}, 400, "from: not one of ours"),
        ("/api/v1/media/987654/events", {}, 404, "no such item"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_by_name(
    server: Gateway, token: str, path: str, query: dict[str, str], status: int, message: str
) -> None:
    with server.http(token) as http:
        answer = http.get(path, params=query)
    assert (answer.status_code, answer.json()["message"].startswith(message) or message in answer.text) == (
        status,
        True,
    )


def test_the_audit_log_is_paged_from_the_newest_on(server: Gateway, token: str, log: Kafka) -> None:
    write(log, NewRecord(AUDIT, b"no event of ours", b"x"))
    notification = {"type": "t", "title": "t", "message": "m", "level": "info"}
    assert post(server, token, "/api/v1/notifications", notification).status_code == 201
    whole = read(log, AUDIT)
    found = [got(server, token, "/api/v1/audit", limit=2)]
    while found[-1]["next"] is not None:
        found.append(got(server, token, "/api/v1/audit", limit=2, from_=found[-1]["next"]))
    events = [one for page in found for one in page["events"] if one["offset"] <= whole[-1].offset]
    assert [one["offset"] for one in events] == [record.offset for record in reversed(whole)]
    assert [one["action"] for one in events].count("unreadable") == 1
    used = next(one for one in events if one["action"] == "permission_used")
    assert (used["permission"], used["by"], used["path"]) == (
        "write:notifications",
        "admin",
        "/api/v1/notifications",
    )


def test_a_letter_is_shown_and_redriven_unchanged_and_once(server: Gateway, token: str, log: Kafka) -> None:
    write(log, NewRecord(ANALYSIS_JOBS, b"\x00\xff", None, 3, (("type", b"x"), ("type", b"\xfe"))))
    (record,) = read(log, ANALYSIS_JOBS)
    (offset,) = bury(log, record, error="poison")
    path = letter_path(ANALYSIS_JOBS.name, offset)
    shown = got(server, token, path)
    assert (shown["value"]["b64"], shown["key"], shown["headers"][1][1]["b64"]) == ("AP8=", None, "/g==")
    assert (shown["letter"]["state"], shown["letter"]["partition"], shown["letter"]["error"]) == (
        "open",
        3,
        "poison",
    )
    for _ in range(2):
        answer = post(server, token, path + "/redrive")
        assert answer.status_code == 200, answer.text
    assert answer.json() == {"offset": offset, "done": "nothing", "to": "", "why": "was redriven already"}
    first, again = read(log, ANALYSIS_JOBS)
    assert (again.partition, again.key, again.value, again.headers) == (3, first.key, first.value, first.headers)
    listed = got(server, token, "/api/v1/dlq", topic=dlq_of(ANALYSIS_JOBS).name, closed=True)
    assert [(one["offset"], one["state"], one["closed_by"]) for one in listed["letters"]] == [
        (offset, "redriven", "admin")
    ]
    assert Command(log).json("dlq", "list", ANALYSIS_JOBS.name) == []


def test_for_a_letter_of_the_change_log_a_scan_is_requested_in_the_callers_name(
    server: Gateway, token: str, log: Kafka
) -> None:
    write(log, NewRecord(RAW, b'{"kind":"observed","root":"movies","path":"x"}', b"home"))
    (offset,) = bury(log, *read(log, RAW))
    done = post(server, token, letter_path(RAW.name, offset, "redrive")).json()
    assert (done["done"], done["to"]) == ("rescan", "movies")
    assert (
        post(server, token, letter_path(RAW.name, offset, "redrive")).json()["why"]
        == "a scan was requested already"
    )
    (requested,) = [msgspec.json.decode(record.value or b"", type=RescanRoot) for record in read(log, CONTROL)]
    assert (requested.root, requested.by, requested.again) == ("movies", "admin", True)


def test_letters_that_cannot_be_redriven_here_are_refused_with_the_reason_and_can_be_discarded(
    server: Gateway, token: str, log: Kafka
) -> None:
    write(log, NewRecord(CHANGES, b"{", b"home"), NewRecord(REQUESTED_JOBS, b"x" * (MAX_DEAD_BYTES + 1), b"5"))
    (change,), (cut,) = bury(log, *read(log, CHANGES)), bury(log, *read(log, REQUESTED_JOBS))
    assert {topic.name for topic in REDRIVABLE} == {t.name for t in (RAW, ANALYSIS_JOBS, REQUESTED_JOBS, REPORTS)}
    for topic, offset, code in ((CHANGES, change, "not_from_here"), (REQUESTED_JOBS, cut, "cannot_be_redriven")):
        answer = post(server, token, letter_path(topic.name, offset, "redrive"))
        assert (answer.status_code, answer.json()["error"]) == (409, code)
    listed = {one["topic"]: one for one in got(server, token, "/api/v1/dlq")["queues"]}
    assert list(listed) == [topic.name for topic in GUARDED]
    assert (listed[CHANGES.name]["open"], listed[CHANGES.name]["redriven_here"]) == (1, False)
    assert listed[CHANGES.name]["errors"] == {"Undecodable": 1}
    for why in ("", "was discarded already"):
        answer = post(server, token, letter_path(CHANGES.name, change, "discard"), {"reason": "a test of ours"})
        assert (answer.status_code, answer.json()["why"]) == (200, why)
    (letter,) = got(server, token, "/api/v1/dlq", topic=CHANGES.name, closed=True)["letters"]
    assert (letter["state"], letter["reason"], letter["closed_by"]) == ("discarded", "a test of ours", "admin")
    assert got(server, token, "/api/v1/dlq", topic=CHANGES.name)["letters"] == []
    assert len(read(log, CHANGES)) == 1
    for action in ("redrive", "discard"):
        answer = post(server, token, letter_path(RAW.name, 99, action), None if action == "redrive" else {})
        assert (answer.status_code, answer.json()["message"]) == (404, "no such letter")
    assert post(server, token, letter_path(RAW.name, 0, "discard"), {"because": "x"}).status_code == 422


def test_what_is_done_about_letters_is_in_the_audit_log(server: Gateway, token: str) -> None:
    path = letter_path(RAW.name, 99, "redrive")
    assert post(server, token, path).status_code == 404
    newest = got(server, token, "/api/v1/audit", limit=20)["events"]  # sign-ins may come at any time
    used = next(one for one in newest if one["action"] == "permission_used")
    assert (used["permission"], used["path"]) == ("manage:dead_letters", path)


def test_topics_are_shown_with_their_ends_and_the_positions_of_their_readers(
    server: Gateway, token: str, log: Kafka
) -> None:
    write(log, *(NewRecord(REPORTS, b"{}", b"x") for _ in range(5)))
    group, place = log.group("gaps"), log.name(REPORTS)

    commit(log, group, place, 2)

    def topics() -> dict[str, Any]:
        return {topic["name"]: topic for topic in got(server, token, "/api/v1/topics")["topics"]}

    wait_until(lambda: topics()[REPORTS.name]["groups"] != [], 10, what="the group to be seen")
    found = topics()
    assert list(found) == [topic.name for topic in ALL_TOPICS]
    assert [len(found[t.name]["partitions"]) for t in ALL_TOPICS] == [
        t.partition_count(log.lanes) for t in ALL_TOPICS
    ]
    reports = found[REPORTS.name]
    (partition,) = reports["partitions"]
    assert (partition["earliest"], reports["retention_seconds"]) == (0, 7 * 86_400)
    assert partition["end"] >= 5
    (seen,) = reports["groups"]
    assert (seen["group"], seen["next_offsets"], seen["lag"]) == (group, {"0": 2}, partition["end"] - 2)
    assert found[RAW.name]["retention_seconds"] is None


def commit(kafka: Kafka, group: str, topic: str, offset: int) -> None:
    """Commit a group's next offset of partition 0, from outside the group."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": kafka.settings.bootstrap_servers or "", "group.id": group})
    try:
        consumer.commit(offsets=[TopicPartition(topic, 0, offset)], asynchronous=False)
    finally:
        consumer.close()


def test_an_item_s_history_is_what_its_reader_may_see_of_it(
    server: Gateway, token: str, tables: str, user: UserCommand
) -> None:
    changes: list[dict[str, Any]] = [
        {"kind": "created", "root": "music", "path": "a.flac"},
        {"kind": "moved", "root": "music", "path": "b/a.flac", "from_path": "a.flac", "from_root": "music"},
        {"kind": "moved", "root": "films", "path": "a.flac", "from_path": "b/a.flac", "from_root": "music"},
        {"kind": "deleted", "root": "films", "path": "a.flac"},
    ]
    with psycopg.connect(tables) as connection:
        for n, change in enumerate(changes, 1):
            record = {"library": "home", "at": f"2024-01-15T10:3{n}:00Z", "media_id": 77, **change}
            row = record | {
                "event_id": uuid.uuid5(uuid.NAMESPACE_OID, f"item {n}"),
                "n": n,
                "record": Jsonb(record),
            }
            row |= {"src_partition": 0, "src_offset": n}
            columns = sql.SQL(", ").join(map(sql.Identifier, row))
            values = sql.SQL(", ").join(map(sql.Placeholder, row))
            connection.execute(sql.SQL("INSERT INTO change_log ({}) VALUES ({})").format(columns, values), row)
    path = "/api/v1/media/77/events"
    first = got(server, token, path, limit=3)
    rest = got(server, token, path, limit=3, from_=first["next"])
    assert [one["kind"] for one in first["events"] + rest["events"]] == ["deleted", "moved", "moved", "created"]
    assert (first["events"][1]["from_root"], rest["next"]) == ("music", None)
    oldest = got(server, token, path, order="asc", limit=1)["events"]
    assert [(one["kind"], one["path"], one["offset"]) for one in oldest] == [("created", "a.flac", 1)]
    assert user("add", "mia", "--root", "music", "--password-stdin", typed=PASSWORD)[0] == 0
    hers = got(server, server.sign_in("mia"), path)["events"]
    assert [(one["kind"], one["root"], one["path"]) for one in hers] == [
        ("deleted", "music", "b/a.flac"),
        ("moved", "music", "b/a.flac"),
        ("created", "music", "a.flac"),
    ]
    assert user("add", "joe", "--root", "other", "--password-stdin", typed=PASSWORD)[0] == 0
    with server.http(server.sign_in("joe")) as http:
        assert http.get(path).status_code == 404


def test_who_is_no_administrator_sees_and_does_none_of_it(server: Gateway, user: UserCommand) -> None:
    assert user("add", "olga", "--role", "operator", "--password-stdin", typed=PASSWORD)[0] == 0
    olga = server.sign_in("olga")
    letter = letter_path(ANALYSIS_JOBS.name, 0)
    with server.http(olga) as http, server.http() as nobody:
        for path in ("/api/v1/audit", "/api/v1/topics", "/api/v1/dlq", letter):
            assert (http.get(path).status_code, nobody.get(path).status_code) == (403, 401)
        for action in ("/redrive", "/discard"):
            assert (http.post(letter + action, json={}).status_code, nobody.post(letter + action, json={}).status_code) == (
                403, 401,
            )  # fmt: skip
        assert nobody.get(DENSITY).status_code == nobody.get("/api/v1/media/1/events").status_code == 401
    assert user("add", "sue", "--channel", "system_updates", "--password-stdin", typed=PASSWORD)[0] == 0
    with server.http(server.sign_in("sue")) as http:
        assert http.get(DENSITY).status_code == 404
        assert http.get("/api/v1/channels/system_updates/density").status_code == 200
