"""An administrator's requests by REST: analyses of known items, and past changes for the caller only."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.types.json import Jsonb

from runtime.kafka import Kafka
from schemas.codec import raw_codec
from schemas.headers import find
from schemas.ids import request_id
from schemas.lanes import lane_of
from schemas.raw import AnalysisRequested, AnalysisSteered, Corrected, Correction
from schemas.topics import CHANGES, RAW
from tests.support.gateway import Gateway
from tests.support.topic import NewRecord, pour, read

AT = "2026-01-01T10:00:00Z"
ITEMS: list[tuple[str, str, str, str | None, int]] = [
    ("movies", "S/a.mkv", "video", "done", 9),
    ("movies", "S/b.mkv", "video", "failed", 9),
    ("movies", "T/c.mp3", "audio", None, 9),
    ("movies", "T/empty.mp3", "audio", None, 0),
    ("movies", "T/d.zip", "archive", None, 9),
    ("nas", "e.mkv", "video", "unreadable", 9),
    ("paused", "f.mkv", "video", "done", 9),
    ("gone", "g.mkv", "video", "done", 9),
]
ROOTS = {
    "movies": ("home", "declared", "watching"),
    "nas": ("attic", "lost", "offline"),
    "paused": ("home", "declared", "paused"),
    "gone": ("home", "retired", "retired"),
}


@pytest.fixture(scope="module")
def filled(tables: str) -> str:
    """Rows as the projector writes them."""
    with psycopg.connect(tables) as connection:
        for number, (root, path, media_type, status, size) in enumerate(ITEMS, 1):
            item = {} if status is None else {"analysis": {"status": status}}
            connection.execute(
                "INSERT INTO media_items (id, library, storage_root, path, title, media_type, file_size, created_at,"
                " updated_at, item, src_partition, src_offset) VALUES (%s, 'home', %s, %s, '', %s, %s, %s, %s, %s, 0, 0)",
                (number, root, path, media_type, size, AT, AT, Jsonb(item)),
            )
        for root, (library, state, mode) in ROOTS.items():
            connection.execute(
                "INSERT INTO storage_roots (root, library, state, epoch, changed_at, details, src_partition, src_offset)"
                " VALUES (%s, %s, %s, 'e', %s, %s, 0, 0)",
                (root, library, state, AT, Jsonb({"mode": mode})),
            )
    return tables


@pytest.fixture
def http(server: Gateway, token: str, filled: str) -> Iterator[httpx.Client]:
    with server.http(token) as client:
        yield client


def requested(http: httpx.Client, **body: Any) -> dict[str, Any]:
    answer = http.post("/api/v1/analysis/requests", json=body)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


# -- analyses ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "matched", "waits"),
    [
        ({"root": "movies"}, 3, None),
        ({"root": "movies", "subtree": "/S/"}, 2, None),
        ({"root": "movies", "subtree": "S/a.mkv"}, 1, None),
        ({"root": "movies", "subtree": "%"}, 0, None),
        ({"root": "movies", "media_types": ["audio", "book"]}, 1, None),
        ({"root": "movies", "statuses": ["failed", "none"]}, 2, None),
        ({"root": "nas", "statuses": ["unreadable"]}, 1, "lost"),
        ({"root": "paused"}, 1, "paused"),
    ],
)
def test_a_dry_run_counts_what_matches_and_writes_nothing(
    http: httpx.Client, log: Kafka, body: dict[str, Any], matched: int, waits: str | None
) -> None:
    before = len(read(log, RAW))
    found = requested(http, **body, dry_run=True)
    assert (found["matched"], found["waits"], found["request"]) == (matched, waits, None)
    assert len(read(log, RAW)) == before


def test_a_request_is_in_the_lane_of_its_library_when_it_is_answered(http: httpx.Client, log: Kafka) -> None:
    found = requested(
        http, root="nas", subtree="", media_types=["video"], statuses=["unreadable"], reason="it is back"
    )
    lane = lane_of("attic", log.lanes)
    assert (found["partition"], found["request"]) == (lane, request_id(lane, found["offset"]))
    record = next(r for r in read(log, RAW) if (r.partition, r.offset) == (lane, found["offset"]))
    assert (record.key, find(record.headers, "type")) == (b"attic", b"analysis_requested")
    record_sent = raw_codec.decode(record.value)
    assert isinstance(record_sent, AnalysisRequested)
    assert (record_sent.root, record_sent.media_types, record_sent.statuses) == (
        "nas",
        ("video",),
        ("unreadable",),
    )
    assert (record_sent.by, record_sent.reason) == ("admin", "it is back")


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"root": "movie"}, ["body.root: no such storage root", "movies, nas, paused"]),
        ({"root": "gone"}, ["body.root: no such storage root"]),
        ({"root": "movies", "subtree": "a/../b"}, ["body.subtree"]),
        ({"root": "movies", "media_types": ["film"]}, ["body.media_types.0"]),
        ({"root": "movies", "media_types": ["archive"]}, ["files of type archive are not analysed"]),
        ({"root": "movies", "statuses": ["broken"]}, ["body.statuses.0"]),
        ({"root": "movies", "subtree": "nowhere"}, ["nothing_matches", "no item of the catalogue matches"]),
        ({"root": "movies", "status": ["done"]}, ["status"]),
        ({"root": "movies", "reason": ""}, ["body.reason"]),
        ({}, ["body.root"]),
    ],
)
def test_one_that_cannot_be_is_refused_in_one_line_and_nothing_is_written(
    http: httpx.Client, log: Kafka, body: dict[str, Any], named: list[str]
) -> None:
    before = len(read(log, RAW))
    answer = http.post("/api/v1/analysis/requests", json=body)
    assert answer.status_code == 422
    assert answer.json().keys() == {"error", "message", "request_id"}
    assert all(word in answer.text for word in named), answer.text
    assert len(read(log, RAW)) == before


@pytest.mark.parametrize(
    ("action", "body", "libraries"),
    [
        ("pause", {}, ["attic", "home"]),
        ("resume", {"library": "home"}, ["home"]),
        ("cancel", {"library": "attic", "request": 43_010, "reason": "enough"}, ["attic"]),
    ],
)
def test_what_becomes_of_them_is_written_for_each_library(
    http: httpx.Client, log: Kafka, action: str, body: dict[str, Any], libraries: list[str]
) -> None:
    before = {(r.partition, r.offset) for r in read(log, RAW)}
    answer = http.post(f"/api/v1/analysis/{action}", json=body)
    assert (answer.status_code, answer.json()) == (202, {"libraries": libraries})
    new = [r for r in read(log, RAW) if (r.partition, r.offset) not in before]
    assert sorted((r.key or b"").decode() for r in new) == libraries
    for record in new:
        steered = raw_codec.decode(record.value)
        assert isinstance(steered, AnalysisSteered)
        assert (steered.action, steered.request, steered.by) == (action, body.get("request"), "admin")


def test_what_becomes_of_what_is_not_there_is_refused(http: httpx.Client) -> None:
    answer = http.post("/api/v1/analysis/pause", json={"library": "cellar"})
    assert (answer.status_code, "known: attic, home" in answer.text) == (422, True)
    answer = http.post("/api/v1/analysis/resume", json={"request": 7})
    assert (answer.status_code, "body.request" in answer.text) == (422, True)


@pytest.mark.parametrize("path", ["analysis/requests", "analysis/pause", "changes/replay"])
def test_it_is_for_administrators(server: Gateway, filled: str, path: str) -> None:
    with server.http() as http:
        assert http.post(f"/api/v1/{path}", json={}).status_code == 401


# -- corrections -------------------------------------------------------------------------------------------------


def corrected(http: httpx.Client, media_id: int, body: dict[str, Any]) -> httpx.Response:
    return http.patch(f"/api/v1/media/{media_id}", json=body)


def test_a_correction_is_in_the_change_log_when_it_is_answered(http: httpx.Client, log: Kafka) -> None:
    answer = corrected(http, 1, {"title": " Solaris ", "year": 1972, "season": None, "category": "movie"})
    assert answer.status_code == 202, answer.text
    found = answer.json()
    record = next(r for r in read(log, RAW) if (r.partition, r.offset) == (found["partition"], found["offset"]))
    assert (record.key, find(record.headers, "type")) == (b"home", b"corrected")
    correction = raw_codec.decode(record.value)
    assert isinstance(correction, Corrected)
    assert (correction.media_id, correction.root, correction.path, correction.by) == (
        1,
        "movies",
        "S/a.mkv",
        "admin",
    )
    assert correction.correction == Correction(title="Solaris", year=1972, category="movie")
    assert correction.withdrawn == ("season",)


@pytest.mark.parametrize(
    ("media_id", "body", "status", "named"),
    [
        (1, {}, 422, "nothing to change"),
        (1, {"title": ""}, 422, "body.title"),
        (1, {"title": "   "}, 422, "body.title"),
        (1, {"title": "a\nb"}, 422, "body.title"),
        (1, {"title": "x" * 301}, 422, "body.title"),
        (1, {"year": -1}, 422, "body.year"),
        (1, {"year": "soon"}, 422, "body.year"),
        (1, {"category": "films"}, 422, "movie, tv_show"),
        (1, {"cover": "ab" * 16}, 422, "body.cover"),
        (1, {"cover": "../../etc/passwd"}, 422, "body.cover"),
        (1, {"rating": 5}, 422, "body.rating"),
        (99, {"title": "x"}, 404, "no such item"),
    ],
)
def test_a_correction_that_cannot_be_is_refused_by_name_and_writes_nothing(
    http: httpx.Client, log: Kafka, media_id: int, body: dict[str, Any], status: int, named: str
) -> None:
    before = len(read(log, RAW))
    answer = corrected(http, media_id, body)
    assert answer.status_code == status, answer.text
    assert named in answer.json()["message"]
    assert len(read(log, RAW)) == before


# -- past changes ------------------------------------------------------------------------------------------------

COUNT = 40


@pytest.fixture(scope="module")
def past(log: Kafka) -> list[dict[str, Any]]:
    """Changes in two lanes, in their order by lane."""
    changes = [
        {
            "kind": "created", "library": ("home", "attic")[n % 2], "root": ("movies", "nas")[n % 2], "at": AT,
            "path": f"{n}.mkv", "type": "file", "origin": "live",
        }
        for n in range(COUNT)
    ]  # fmt: skip
    changes[6] |= {"kind": "moved", "from_path": "x", "from_root": "nas"}
    pour(
        log,
        [
            NewRecord(
                CHANGES, json.dumps(change).encode(), str(change["library"]).encode(),
                lane_of(str(change["library"]), log.lanes),
                (("ce_id", str(uuid.UUID(int=n)).encode()), ("x-n", b"%d" % (n // 2 + 1))),
            )
            for n, change in enumerate(changes)
        ]
        + [NewRecord(CHANGES, b"no change", b"home", lane_of("home", log.lanes))],
    )  # fmt: skip
    return changes


def replayed(http: httpx.Client, **body: Any) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    """First line, changes, last line."""
    answer = http.post("/api/v1/changes/replay", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    begins, *lines, ends = map(json.loads, answer.text.splitlines())
    assert (begins["replay"], ends["replay"], ends["count"]) == ("begins", "ends", len(lines))
    return begins, lines, ends


def test_all_changes_come_with_their_places_in_the_order_of_each_lane(
    http: httpx.Client, log: Kafka, past: list[dict[str, Any]]
) -> None:
    begins, lines, ends = replayed(http)
    assert (ends["reason"], len(lines)) == ("complete", COUNT)
    assert ends["next"] == begins["until"]
    for library in ("home", "attic"):
        mine = [line for line in lines if line["library"] == library]
        expected = [n for n, change in enumerate(past) if change["library"] == library]
        assert [line["event_id"] for line in mine] == [str(uuid.UUID(int=n)) for n in expected]
        assert [line["n"] for line in mine] == list(range(1, COUNT // 2 + 1))
        assert {line["partition"] for line in mine} == {lane_of(library, log.lanes)}


def test_a_part_is_requested_by_place_library_root_and_number_and_continues_where_it_ended(
    http: httpx.Client, log: Kafka, past: list[dict[str, Any]]
) -> None:
    _, nas, _ = replayed(http, root="nas")
    assert [line["path"] for line in nas if line["root"] == "movies"] == ["6.mkv"]
    _, home, _ = replayed(http, library="home")
    assert len(home) == COUNT // 2
    read_: list[str] = []
    place: Any = "earliest"
    for _ in range(COUNT):
        _, lines, ends = replayed(http, limit=7, **{"from": place})
        read_ += [line["event_id"] for line in lines]
        place = {"offsets": ends["next"]}
        if ends["reason"] == "complete":
            break
        assert (ends["reason"], len(lines)) == ("limit", 7)
    assert sorted(read_) == [str(uuid.UUID(int=n)) for n in range(COUNT)]
    lane = str(lane_of("home", log.lanes))
    _, lines, _ = replayed(http, **{"from": {"offsets": {lane: 2}}, "until": {"offsets": {lane: 5}}})
    assert [line["offset"] for line in lines if str(line["partition"]) == lane] == [2, 3, 4]
    _, lines, _ = replayed(http, **{"from": {"time": "2100-01-01T00:00:00Z"}})
    assert lines == []


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"from": "live"}, "body.from"),
        ({"from": {"cursor": "x"}}, "body.from"),
        ({"from": {"offsets": {"99": 0}}}, "body.from.offsets: there is no partition 99"),
        ({"from": {"offsets": {"0": 10_000}}}, "body.from.offsets.0: 10000 is beyond the end"),
        ({"until": {"last": 3}}, "body.until"),
        ({"root": "movie"}, "body.root: no such storage root"),
        ({"library": "cellar"}, "body.library: no such library"),
        ({"limit": 0}, "body.limit"),
        ({"limit": 100_001}, "body.limit"),
        ({"to": "head"}, "to"),
    ],
)
def test_a_replay_of_what_is_not_there_is_refused(http: httpx.Client, body: dict[str, Any], named: str) -> None:
    answer = http.post("/api/v1/changes/replay", json=body)
    assert answer.status_code == 422
    assert named in answer.text


def test_no_socket_receives_it(
    server: Gateway, token: str, http: httpx.Client, past: list[dict[str, Any]]
) -> None:
    with server.client(token) as client:
        client.subscribe("media_updates", from_="live")
        replayed(http)
        client.send(type="ping")
        received = client.receive_until(lambda frame: frame["type"] == "pong", 5)
    assert {frame["type"] for frame in received} <= {"caught_up", "pong"}
