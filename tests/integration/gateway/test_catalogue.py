"""REST over the projector's tables, in the form that existing clients read; a deleted item is never shown."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from runtime.kafka import Kafka
from schemas.admin import Command, RescanRoot
from schemas.raw import RootRetired
from schemas.topics import CONTROL, RAW, REPORTS
from tests.support.gateway import Gateway
from tests.support.topic import read

AT = "2026-01-{:02d}T10:00:00Z"
COVER = "0123456789abcdef0123456789abcdef"

ITEMS: list[dict[str, Any]] = [
    {"id": 1, "title": "Stalker", "media_type": "video", "category": "movie", "year": 1979, "quality": "1080p",
     "file_size": 4_000, "storage_root": "movies", "path": "s/Stalker.mkv", "duration": 9_720.5, "rating": 8.1},
    {"id": 2, "title": "The Matrix", "media_type": "video", "category": "movie", "year": 1999, "quality": "2160p",
     "file_size": 9_000, "storage_root": "movies", "path": "The Matrix (1999)/m.mkv",
     "cover_image": f"/api/v1/covers/{COVER}"},
    {"id": 3, "title": "Dark S01E02", "media_type": "video", "category": "tv_show", "year": 2017,
     "quality": "1080p", "file_size": 700, "storage_root": "nas", "path": "Dark/S01E02.mkv"},
    {"id": 4, "title": "Xtal", "media_type": "audio", "category": "music", "file_size": 50, "storage_root": "nas",
     "path": "Aphex Twin/100%_Xtal.flac", "artist": "Aphex Twin", "album": "Ambient Works", "date": "1992-11-09"},
    {"id": 5, "title": "Gone", "media_type": "video", "file_size": 1, "storage_root": "movies", "path": "g.mkv"},
]  # fmt: skip

CHANGES: list[dict[str, Any]] = [
    {"kind": "created", "path": "a.mkv", "media_id": 1},
    {"kind": "moved", "path": "b/a.mkv", "from_path": "a.mkv", "from_root": "movies", "media_id": 1},
    {"kind": "modified", "path": "b/a.mkv", "media_id": 1},
    {"kind": "deleted", "path": "gone.mkv", "media_id": 5},
    {"kind": "created", "path": "z.mkv", "media_id": 2},
]


def insert(connection: psycopg.Connection, table: str, **row: Any) -> None:
    columns = sql.SQL(", ").join(map(sql.Identifier, row))
    places = sql.SQL(", ").join(map(sql.Placeholder, row))
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(sql.Identifier(table), columns, places)
    connection.execute(statement, row)


@pytest.fixture(scope="module")
def filled(tables: str) -> str:
    """Rows as the projector writes them."""
    source = {"src_partition": 0, "src_offset": 0}
    with psycopg.connect(tables) as connection:
        for n, item in enumerate(ITEMS):
            times = {"created_at": AT.format(n + 1), "updated_at": AT.format(n + 1)}
            row = {name: value for name, value in item.items() if name != "duration"} | times | source
            whole = Jsonb({**item, **times, "library": "home", "directory_path": "/x"})
            gone = times["updated_at"] if item["title"] == "Gone" else None
            insert(connection, "media_items", **row, library="home", item=whole, deleted_at=gone)
        for root, protocol, state in (("movies", "local", "declared"), ("nas", "smb", "lost")):
            row = {"root": root, "protocol": protocol, "state": state, "changed_at": AT.format(1)}
            insert(connection, "storage_roots", **row, library="home", location="/x", epoch="e", **source)
        for n, change in enumerate(CHANGES, 1):
            record = {"library": "home", "root": "movies", "at": AT.format(n), **change}
            row = {**record, "event_id": uuid.uuid5(uuid.NAMESPACE_OID, str(n)), "n": n, "record": Jsonb(record)}
            insert(connection, "change_log", **row, src_partition=0, src_offset=n)
        scan = {"scan_id": 7, "library": "home", "root": "movies", "state": "finished", "origin": "scan"}
        counts = Jsonb({"seen": 3})
        insert(connection, "scans", **scan, cause="start", counts=counts, started_at=AT.format(1), **source)
        cover = {"hash": COVER, "mime": "image/jpeg", "width": 1, "height": 1, "data": b"jpeg bytes"}
        insert(connection, "covers", **cover, src_offset=0)
    return tables


@pytest.fixture
def http(server: Gateway, token: str, filled: str) -> Iterator[httpx.Client]:
    with server.http(token) as client:
        yield client


def titles(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["title"] for item in answer.json()["items"]]


def search(http: httpx.Client, **params: Any) -> httpx.Response:
    return http.get("/api/v1/media/search", params=params)


def test_a_search_without_conditions_is_everything_not_deleted_the_newest_first(http: httpx.Client) -> None:
    body = search(http).json()
    assert [item["id"] for item in body.pop("items")] == [4, 3, 2, 1]
    assert body == {
        "total": 4, "total_is_exact": True, "limit": 24, "offset": 0, "has_next": False, "has_previous": False,
        "next_cursor": None, "facets": {}, "facets_are_exact": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    "facets", ["category,quality", ["category", "quality"]], ids=["with commas", "several times"]
)
def test_facets_of_an_address_are_counted(http: httpx.Client, facets: str | list[str]) -> None:
    body = search(http, facets=facets).json()
    assert body["facets"]["quality"] == [{"value": "1080p", "count": 2}, {"value": "2160p", "count": 1}]
    assert {one["value"] for one in body["facets"]["category"]} == {"movie", "tv_show", "music"}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"query": "matrix"}, ["The Matrix"]),
        ({"query": "aphex"}, ["Xtal"]),
        ({"query": "100%_x"}, ["Xtal"]),
        ({"query": "%"}, ["Xtal"]),
        ({"query": ""}, ["Xtal", "Dark S01E02", "The Matrix", "Stalker"]),
        ({"media_type": "audio"}, ["Xtal"]),
        ({"media_type": "movie"}, ["The Matrix", "Stalker"]),
        ({"media_type": "tv_show"}, ["Dark S01E02"]),
        ({"year": 1999}, ["The Matrix"]),
        ({"year_min": 1990, "year_max": 2010}, ["The Matrix"]),
        ({"rating_min": 8}, ["Stalker"]),
        ({"quality": "1080p"}, ["Dark S01E02", "Stalker"]),
        ({"storage_root": "nas"}, ["Xtal", "Dark S01E02"]),
        ({"storage_root": "nas", "media_type": "video"}, ["Dark S01E02"]),
        ({"sort_by": "title", "sort_order": "asc"}, ["Dark S01E02", "Stalker", "The Matrix", "Xtal"]),
        ({"sort_by": "year", "sort_order": "desc"}, ["Dark S01E02", "The Matrix", "Stalker", "Xtal"]),
        ({"sort_by": "file_size", "sort_order": "asc"}, ["Xtal", "Dark S01E02", "Stalker", "The Matrix"]),
        ({"query": "nothing like this"}, []),
        ({"category": "movie"}, ["The Matrix", "Stalker"]),
        ({"artist": "aphex twin"}, ["Xtal"]),
        ({"artist": "aphex"}, []),
        ({"album": "AMBIENT WORKS", "artist": ""}, ["Xtal"]),
        ({"author": "Aphex Twin"}, []),
        ({"date_min": "1992", "date_max": "1992-11"}, ["Xtal"]),
        ({"date_min": "1992-11-10"}, []),
        ({"date_max": "1991"}, []),
    ],
)
def test_every_condition_narrows_the_search(
    http: httpx.Client, params: dict[str, Any], expected: list[str]
) -> None:
    assert titles(search(http, **params)) == expected


def test_parts_of_another_item_are_shown_on_request(http: httpx.Client, filled: str) -> None:
    with psycopg.connect(filled) as connection:
        connection.execute("UPDATE media_items SET belongs_to = 2 WHERE id = 4")
    try:
        assert titles(search(http)) == ["Dark S01E02", "The Matrix", "Stalker"]
        assert titles(search(http, with_parts=True)) == ["Xtal", "Dark S01E02", "The Matrix", "Stalker"]
        assert titles(search(http, belongs_to=2)) == ["Xtal"]
        assert [item["id"] for item in http.get("/api/v1/media/recent").json()] == [3, 2, 1]
    finally:
        with psycopg.connect(filled) as connection:
            connection.execute("UPDATE media_items SET belongs_to = NULL")


def test_pages_do_not_overlap_and_show_whether_there_are_others(http: httpx.Client) -> None:
    first, second = search(http, limit=3).json(), search(http, limit=3, offset=3).json()
    assert [i["id"] for i in first["items"] + second["items"]] == [4, 3, 2, 1]
    assert (first["has_next"], first["has_previous"]) == (True, False)
    assert (second["has_next"], second["has_previous"]) == (False, True)


@pytest.mark.parametrize(
    "params", [{"limit": 0}, {"limit": 201}, {"offset": -1}, {"sort_by": "id; DROP TABLE users"}, {"year": "x"}]
)
def test_a_parameter_out_of_range_is_422(http: httpx.Client, params: dict[str, Any]) -> None:
    assert search(http, **params).status_code == 422


@pytest.mark.parametrize(
    ("path", "params", "names"),
    [
        ("media/search", {"qeury": "matrix"}, ["query.qeury", "query, media_type", "sort_order"]),
        ("media/search", {"storage_root": "movie"}, ["query.storage_root", "movies, nas"]),
        ("media/search", {"library": "nope"}, ["query.library: no such library", "known: home"]),
        ("media/search", {"media_type": "nope"}, ["query.media_type", "video, audio", "movie, tv_show"]),
        ("media/search", {"category": "video"}, ["query.category", "known: movie, tv_show"]),
        ("media/stats", {"library": "home"}, ["query.library", "known: none"]),
        ("media/recent", {"offset": 3}, ["query.offset", "known: limit"]),
        ("scans", {"root": "movie"}, ["query.root", "movies, nas"]),
        ("changes", {"root": "movie"}, ["query.root", "movies, nas"]),
        ("changes", {"kind": "renamed"}, ["query.kind", "created, modified, deleted, moved"]),
        ("changes", {"channel": "media_updates"}, ["query.channel", "root, path, media_id"]),
    ],
)
def test_what_is_not_known_is_an_error_that_names_what_is(
    http: httpx.Client, path: str, params: dict[str, Any], names: list[str]
) -> None:
    answer = http.get(f"/api/v1/{path}", params=params)
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")
    assert [name for name in names if name not in answer.json()["message"]] == []


def test_a_notification_to_an_unknown_library_is_an_error_that_names_the_known_ones(
    http: httpx.Client, filled: str
) -> None:
    note = {"type": "a", "title": "b", "message": "c", "level": "info"}
    with psycopg.connect(
        filled, autocommit=True
    ) as connection:  # of a root that was never declared no more is known
        row = {"root": "unnamed", "protocol": "local", "state": "lost", "changed_at": AT.format(1), "library": ""}
        insert(connection, "storage_roots", **row, location="", epoch="e", src_partition=0, src_offset=0)
        try:
            answers = [
                http.post("/api/v1/notifications", json={**note, "to": {"library": "nope"}}),
                http.post("/api/v1/changes/replay", json={"library": "nope"}),
            ]
        finally:
            connection.execute("DELETE FROM storage_roots WHERE root = 'unnamed'")
    for answer, at in zip(answers, ("body.to.library", "body.library"), strict=True):
        assert answer.status_code == 422, answer.text
        assert answer.json()["message"] == f"{at}: no such library; known: home"
    assert http.post("/api/v1/notifications", json={**note, "to": {"library": "home"}}).status_code == 201


def test_probes_and_scrapers_may_add_what_they_like(server: Gateway, token: str) -> None:
    with server.http(token) as http:
        for path in ("/health/ready", "/metrics", "/version"):
            assert http.get(path, params={"probe": "1"}).status_code == 200


def test_an_item_has_the_members_of_the_event_and_its_root(http: httpx.Client) -> None:
    item = http.get("/api/v1/media/1").json()
    assert {k: item[k] for k in ITEMS[0]} == ITEMS[0]
    assert (item["storage_root_name"], item["storage_root_protocol"], item["duration"]) == (
        "movies",
        "local",
        9_720.5,
    )
    assert http.get("/api/v1/media/3").json()["storage_root_protocol"] == "smb"
    assert http.get("/api/v1/media/5").status_code == 404


def test_stats_and_recent(http: httpx.Client) -> None:
    assert http.get("/api/v1/media/stats").json() == {
        "total_items": 4,
        "by_type": {"video": 3, "audio": 1},
        "by_quality": {"1080p": 2, "2160p": 1},
        "by_storage_root": {"movies": 2, "nas": 2},
        "by_library": {"home": 4},
        "total_size": 13_750,
        "size_by_type": {"video": 13_700, "audio": 50},
        "size_by_storage_root": {"movies": 13_000, "nas": 750},
        "recent_additions": 0,
    }
    recent = http.get("/api/v1/media/recent", params={"limit": 2}).json()
    assert [item["id"] for item in recent] == [4, 3]


def test_roots_come_under_both_names_with_their_state(http: httpx.Client) -> None:
    body = http.get("/api/v1/storage/roots").json()
    assert body["roots"] == body["data"]
    assert [(r["name"], r["protocol"], r["connected"], r["item_count"]) for r in body["roots"]] == [
        ("movies", "local", True, 2),
        ("nas", "smb", False, 2),
    ]


def test_scans(http: httpx.Client) -> None:
    (scan,) = http.get("/api/v1/scans").json()["scans"]
    assert (scan["scan_id"], scan["root"], scan["state"], scan["counts"]) == (7, "movies", "finished", {"seen": 3})
    assert http.get("/api/v1/scans", params={"root": "nas"}).json() == {"scans": []}


def changes(http: httpx.Client, **params: Any) -> list[tuple[str, str]]:
    answer = http.get("/api/v1/changes", params=params)
    assert answer.status_code == 200, answer.text
    return [(change["kind"], change["path"]) for change in answer.json()["changes"]]


def test_a_path_finds_what_was_there_and_where_it_went(http: httpx.Client) -> None:
    assert changes(http, path="a.mkv") == [("moved", "b/a.mkv"), ("created", "a.mkv")]
    assert changes(http, path="b/a.mkv", order="asc") == [("moved", "b/a.mkv"), ("modified", "b/a.mkv")]


@pytest.mark.parametrize(
    ("params", "count"),
    [({}, 5), ({"media_id": 1}, 3), ({"kind": "created"}, 2), ({"root": "nas"}, 0), ({"since": AT.format(4)}, 2)],
)
def test_changes_are_narrowed(http: httpx.Client, params: dict[str, Any], count: int) -> None:
    assert len(changes(http, **params)) == count


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_changes_are_paged_by_cursor_without_gap_or_overlap(http: httpx.Client, order: str) -> None:
    seen: list[int] = []
    cursor: str | None = None
    while True:
        params = {"limit": "2", "order": order} | ({} if cursor is None else {"cursor": cursor})
        body = http.get("/api/v1/changes", params=params).json()
        seen += [change["n"] for change in body["changes"]]
        cursor = body["next_cursor"]
        if cursor is None:
            break
    assert seen == ([1, 2, 3, 4, 5] if order == "asc" else [5, 4, 3, 2, 1])


def test_a_cover_needs_what_its_item_needs_and_goes_with_it(
    server: Gateway, http: httpx.Client, filled: str
) -> None:
    path = f"/api/v1/covers/{COVER}"
    addresses = [
        item["cover_image"] for item in http.get("/api/v1/media/search").json()["items"] if item["id"] == 2
    ]
    with server.http() as image:
        assert image.get(path).status_code == 401
        assert image.get(path).headers["WWW-Authenticate"]
        for answer in (image.get(addresses[0]), http.get(path)):
            assert (answer.content, answer.headers["Content-Type"]) == (b"jpeg bytes", "image/jpeg")
            assert "private" in answer.headers["Cache-Control"]
            assert "immutable" in answer.headers["Cache-Control"]
        assert image.get(addresses[0].replace(COVER, "0" * 32)).status_code == 401
        assert image.get(addresses[0][:-1] + ("A" if addresses[0][-1] != "A" else "B")).status_code == 401
        assert http.get("/api/v1/covers/" + "0" * 32).status_code == 404
        with psycopg.connect(filled) as connection:
            connection.execute("UPDATE media_items SET deleted_at = now() WHERE id = 2")
        try:
            assert image.get(addresses[0]).status_code == http.get(path).status_code == 404
        finally:
            with psycopg.connect(filled) as connection:
                connection.execute("UPDATE media_items SET deleted_at = NULL WHERE id = 2")


def test_a_cover_s_address_ends_with_the_session(server: Gateway, filled: str) -> None:
    with server.http(server.sign_in()) as http, server.http() as image:
        addresses = http.get("/api/v1/media/2").json()["cover_image"]
        assert image.get(addresses).status_code == 200
        http.post("/api/v1/auth/logout")
        assert image.get(addresses).status_code == 401


def test_health_and_version_at_the_root_and_under_the_api(server: Gateway) -> None:
    with server.http() as http:
        for path in ("/health", "/api/v1/health"):
            body = http.get(path).json()
            assert {"status", "version", "timestamp"} <= body.keys()
            assert body["status"] == "healthy"
        for path in (
            "/health/live",
            "/health/ready",
            "/health/startup",
            "/version",
        ):
            assert http.get(path).status_code == 200, path
        page = http.get("/")
        assert "text/html" in page.headers["Content-Type"]
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        script = http.get("/app.js")
        assert script.headers["Content-Type"].startswith("text/javascript")
        again = http.get("/app.js", headers={"If-None-Match": f'"other", {script.headers["ETag"]}'})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", script.headers["ETag"])
        assert http.get("/nothing.js").status_code == 404


def test_channels_and_lag_show_the_gateways_positions(http: httpx.Client) -> None:
    body = http.get("/api/v1/channels").json()
    assert [c["name"] for c in body["channels"]] == [
        "media_updates", "system_updates", "analysis_updates", "asset_updates", "notifications",
    ]  # fmt: skip
    assert 4001 in [code["code"] for code in body["close_codes"]]
    assert http.get("/api/v1/topics/lag").json()["lag"]["media_updates"] == {"0": 0, "1": 0}


def test_a_scan_is_requested_in_the_log(http: httpx.Client, log: Kafka) -> None:
    body = {"root": "movies", "subtree": "/s/Größe/", "reason": "restored", "id": "mine-1"}
    answer = http.post("/api/v1/scans", json=body)
    assert answer.status_code == 202
    requested = answer.json()
    assert requested == {
        "id": "mine-1",
        "root": "movies",
        "subtree": "s/Größe",
        "partition": 0,
        "offset": requested["offset"],
    }
    record = next(r for r in read(log, CONTROL) if r.offset == requested["offset"])
    assert record.key == b"movies"
    command = msgspec.json.decode(record.value or b"", type=RescanRoot)
    assert (command.root, command.subtree, command.by, command.id) == ("movies", "s/Größe", "admin", "mine-1")


def test_a_root_that_nobody_watches_is_retired_in_the_log(http: httpx.Client, filled: str, log: Kafka) -> None:
    watched = http.post("/api/v1/storage/roots/movies/retire")
    assert (watched.status_code, watched.json()["error"]) == (409, "root_watched")
    assert http.post("/api/v1/storage/roots/movie/retire").status_code == 404
    with psycopg.connect(filled) as connection:
        connection.execute(
            "UPDATE storage_roots SET details = %s WHERE root = 'nas'", [Jsonb({"mode": "unwatched"})]
        )
    answer = http.post("/api/v1/storage/roots/nas/retire")
    assert answer.status_code == 202
    requested = answer.json()
    (record,) = [
        r for r in read(log, RAW) if (r.partition, r.offset) == (requested["partition"], requested["offset"])
    ]
    retired = msgspec.json.decode(record.value or b"", type=RootRetired)
    assert (record.key, retired.root, retired.by) == (b"home", "nas", "admin")
    commands = [msgspec.json.decode(r.value or b"", type=Command) for r in read(log, CONTROL) if r.key == b"nas"]
    assert [command.id for command in commands] == [requested["id"]]
    reports = [msgspec.json.decode(r.value or b"") for r in read(log, REPORTS) if r.key == b"nas"]
    assert [report["mode"] for report in reports] == ["retired"]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"root": "movie"}, ["body.root", "movies, nas"]),
        ({"root": "movies", "subtree": "a/../b"}, ["body.subtree"]),
        ({"root": "movies", "subtree": "a\0b"}, ["body.subtree"]),
        ({"root": "movies", "folder": "a"}, ["folder"]),
        ({}, ["root"]),
    ],
)
def test_a_scan_of_a_missing_root_is_refused(http: httpx.Client, body: dict[str, str], named: list[str]) -> None:
    answer = http.post("/api/v1/scans", json=body)
    assert answer.status_code == 422
    assert all(word in answer.text for word in named)
