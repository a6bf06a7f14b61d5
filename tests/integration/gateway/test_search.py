"""What a search finds, in which order, page by page, and which of it is shown to whom."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from typing import Any, TypeVar, get_args

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from bench.search_queries import hostile
from gateway.access.tokens import Tokens
from gateway.core.rights import EVERYTHING, Rights
from gateway.settings import GatewaySettings
from gateway.tables import searching
from gateway.tables.catalogue import CatalogueQueries
from gateway.tables.order import BadCursor, Cursor, Value, Way
from gateway.tables.searching import Found
from gateway.tables.wanted import Search, SortBy
from tests.support.gateway import SECRET, Gateway

T = TypeVar("T")
AT = datetime(2026, 1, 1, tzinfo=UTC)
COVER = "fedcba9876543210fedcba9876543210"
FOUND = {"video_codec": "hevc", "height": 2160, "languages": ["en", "de"], "hdr": True, "tags": {"genre": "Drama"}}

NAMED: list[dict[str, Any]] = [
    {"title": "The Matrix", "path": "The Matrix (1999)/The.Matrix.1999.BluRay.mkv", "year": 1999, "category": "movie"},
    {"title": "Matrix Reloaded", "path": "Matrix Reloaded/m.mkv", "year": 2003, "category": "movie", "found": FOUND},
    {"title": "Xtal", "path": "Aphex Twin/Ambient/100%_Xtal.flac", "artist": "Aphex Twin", "album": "Ambient Works",
     "media_type": "audio", "storage_root": "music", "category": "music"},
    {"title": "Amélie", "path": "Le fabuleux destin d’Amélie/a.mkv", "year": 2001, "category": "movie"},
    {"title": "Сталкер", "path": "Сталкер/с.mkv", "year": 1979, "category": "movie"},
    {"title": "東京物語", "path": "東京物語 1953/t.mkv", "year": 1953, "category": "movie"},
    {"title": "ประเทศไทย", "path": "p/ประเทศไทย.mkv"},
    {"title": "Straße", "path": "Straße/x.mkv", "quality": "1080p", "storage_root": "secret", "library": "away",
     "cover_image": f"/api/v1/covers/{COVER}"},
    {"title": "Dark", "path": "Dark/S01E02 Lies.mkv", "category": "tv_show", "series": "Winden Books"},
    {"title": "Rain 😀 man", "path": "r/👍.mkv"},
]  # fmt: skip


def row(number: int, **members: Any) -> dict[str, Any]:
    """A row of `media_items` as the projector writes it."""
    at = f"2026-01-01T10:{number // 60:02d}:{number % 60:02d}Z"
    found = members.pop("found", None)
    plain = {
        "id": number, "media_type": "video", "library": "home", "storage_root": "films", "created_at": at,
        "updated_at": at, "file_size": 10, **members,
    }  # fmt: skip
    item = plain if found is None else plain | {"analysis": {"status": "done", "at": at, "found": found}}
    return plain | {"item": Jsonb(item), "src_partition": 0, "src_offset": number}


def insert(connection: psycopg.Connection, rows: list[dict[str, Any]]) -> None:
    for one in rows:
        columns, places = (sql.SQL(", ").join(map(of, one)) for of in (sql.Identifier, sql.Placeholder))
        connection.execute(sql.SQL("INSERT INTO media_items ({}) VALUES ({})").format(columns, places), one)


@pytest.fixture(scope="module")
def filled(tables: str) -> str:
    with psycopg.connect(tables) as connection:
        insert(connection, [row(number, **members) for number, members in enumerate(NAMED, 1)])
        connection.execute("INSERT INTO covers VALUES (%s, 'image/jpeg', 1, 1, 'jpeg', 0)", (COVER,))
    return tables


def queried(url: str, work: Callable[[CatalogueQueries], Awaitable[T]]) -> T:
    async def run() -> T:
        async with AsyncConnectionPool(url, min_size=1, max_size=1) as pool:
            return await work(CatalogueQueries(pool))

    return asyncio.run(run())


def found(url: str, rights: Rights = EVERYTHING, **parameters: Any) -> Found:
    return queried(url, lambda catalogue: catalogue.search(Search.model_validate(parameters), rights))


def titles(answer: Found) -> list[str]:
    return [item.item["title"] for item in answer.items]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("matrix the", {"The Matrix"}),
        ("MATRIX 1999 bluray", {"The Matrix"}),
        ("atri", {"The Matrix", "Matrix Reloaded"}),
        ("relo", {"Matrix Reloaded"}),
        ("matrix rel", {"Matrix Reloaded"}),
        ("aphex xtal", {"Xtal"}),
        ("ambient works", {"Xtal"}),
        ("winden", {"Dark"}),
        ("amelie", {"Amélie"}),
        ("AMÉLIE", {"Amélie"}),
        ("ame\u0301lie", {"Amélie"}),
        ("strasse", {"Straße"}),
        ("сталкер", {"Сталкер"}),
        ("stalker", {"Сталкер"}),
        ("京物", {"東京物語"}),
        ("物", {"東京物語"}),
        ("東京 1953", {"東京物語"}),
        ("เทศ", {"ประเทศไทย"}),
        ("👍", {"Rain 😀 man"}),
        ("😀", {"Rain 😀 man"}),
        ("ra ma", {"Rain 😀 man"}),
        ("in", set()),
        ("%", {"Xtal"}),
        ("100%", {"Xtal"}),
        ("’", {"Amélie"}),
        ("\0matrix\0reloaded", {"Matrix Reloaded"}),
        ("\u200b", set()),
    ],
)
def test_words_are_found_in_any_order_and_in_part_with_case_accents_and_scripts_aside(
    filled: str, query: str, expected: set[str]
) -> None:
    assert set(titles(found(filled, query=query))) == expected


@pytest.mark.parametrize("query", ["matrxi reloaded", "matix reloaded", "matrix relaoded", "matrrix reloadde"])
def test_words_with_an_error_are_found_where_nothing_is_found_as_typed(filled: str, query: str) -> None:
    assert titles(found(filled, query=query)) == ["Matrix Reloaded"]


def test_a_short_word_may_have_one_error_and_none_at_all_two(filled: str) -> None:
    assert titles(found(filled, query="drak")) == ["Dark"]
    assert titles(found(filled, query="dakr lise")) == ["Dark"]
    assert titles(found(filled, query="krad")) == []


def test_by_relevance_the_best_comes_first_and_what_was_typed_wrong_last(tables: str, filled: str) -> None:
    best = ["Dune", "Dune Part Two", "Dunes of Time", "The Dune", "Sandunes", "Elsewhere", "June"]
    paths = {"Elsewhere": "dune/x.mkv"}
    rows = [row(n, title=t, path=paths.get(t, f"{n}.mkv")) for n, t in enumerate(reversed(best), 100)]
    with psycopg.connect(tables) as connection:
        insert(connection, rows)
    try:
        assert titles(found(tables, query="dune", sort_by="relevance")) == best
        assert titles(found(tables, query="dune", sort_by="title", sort_order="asc")) == sorted(best[:-1])
    finally:
        with psycopg.connect(tables) as connection:
            connection.execute("DELETE FROM media_items WHERE id >= 100")


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"video_codec": "HEVC"}, ["Matrix Reloaded"]),
        ({"language": "de", "hdr": True}, ["Matrix Reloaded"]),
        ({"hdr": False}, []),
        ({"genre": "drama", "query": "matrix", "storage_root": "films"}, ["Matrix Reloaded"]),
        ({"height_min": 2000}, ["Matrix Reloaded"]),
        ({"height_max": 2000}, []),
        ({"library": "away"}, ["Straße"]),
        ({"has_cover": True}, ["Straße"]),
        ({"query": "strasse", "quality": "1080p", "library": "away"}, ["Straße"]),
        ({"query": "matrix", "media_type": "movie", "year_max": 2000}, ["The Matrix"]),
        ({"updated_until": "2026-01-01T10:00:02Z"}, ["The Matrix"]),
        ({"analysis": "done"}, ["Matrix Reloaded"]),
    ],
)
def test_filters_narrow_with_words_and_without(
    filled: str, parameters: dict[str, Any], expected: list[str]
) -> None:
    assert titles(found(filled, **parameters)) == expected


def test_facets_count_what_is_found(filled: str) -> None:
    for parameters in ({}, {"query": "a"}, {"year_min": 1900}, {"storage_root": "films"}):
        answer = found(filled, facets="category,year,quality,storage_root,language,genre", limit=100, **parameters)
        for name in ("category", "year", "quality", "storage_root"):
            expected: dict[str, int] = {}
            for item in answer.items:
                if value := item.item.get(name):
                    expected[str(value)] = expected.get(str(value), 0) + 1
            assert {one.value: one.count for one in answer.facets[name]} == expected, (parameters, name)
        assert answer.total == len(answer.items)
        assert (answer.exact, answer.facets_exact) == (True, True)
    assert [(f.value, f.count) for f in found(filled, facets="language").facets["language"]] == [
        ("de", 1),
        ("en", 1),
    ]


@pytest.mark.parametrize("parameters", [{}, {"query": "a"}, {"storage_root": "films"}])
def test_a_facet_that_is_named_twice_is_counted_once(filled: str, parameters: dict[str, Any]) -> None:
    once, twice = (found(filled, facets=names, **parameters) for names in ("year,genre", "year,genre,year,genre"))
    assert once.facets
    assert twice == once


@pytest.mark.parametrize("common", [0, 10**9], ids=["by index", "in turn"])
def test_of_very_many_hits_facets_are_counted_of_a_part_and_the_page_is_right(
    alike: str, monkeypatch: pytest.MonkeyPatch, common: int
) -> None:
    parameters: dict[str, Any] = {
        "query": "alike",
        "sort_by": "title",
        "facets": "storage_root,year,media_type,genre",
    }
    whole = found(alike, limit=200, **parameters)
    assert (whole.total, whole.exact, whole.facets_exact) == (40, True, True)
    for module in ("searching", "pages"):
        monkeypatch.setattr(f"gateway.tables.{module}.MANY", 4)
    monkeypatch.setattr("gateway.tables.pages.MANY_WITH_FACETS", 6)
    monkeypatch.setattr(searching, "COMMON", common)
    monkeypatch.setattr(searching, "VERY_MANY", 0)  # statistics of so few items are not what is tried
    answer = found(alike, limit=7, **parameters)
    assert (answer.total, answer.exact, answer.facets_exact) == (6, False, False)
    assert [item.item["id"] for item in answer.items] == [item.item["id"] for item in whole.items[:7]]
    assert [(one.value, one.count) for one in answer.facets["storage_root"]] == [("alike", 5)]
    assert answer.facets["genre"] == []
    of = {one.value: one.count for one in whole.facets["year"]}
    assert all(0 < one.count <= min(5, of[one.value]) for one in answer.facets["year"])


ORDERS = [(by, order) for by in get_args(SortBy) for order in ("asc", "desc")]


@pytest.fixture(scope="module")
def alike(tables: str) -> Iterator[str]:
    """Items with the same values, and with none."""
    chance = random.Random(5)
    rows = [
        row(
            1_000 + n, title=chance.choice(("Alike a", "alike", "ALIKE", "Not alike")), path=f"alike/{n}",
            year=chance.choice((None, 1999, 2000)), rating=chance.choice((None, 1.5)), file_size=chance.choice((1, 2)),
            storage_root="alike",
        )
        for n in range(40)
    ]  # fmt: skip
    for one in rows:
        one["created_at"] = one["updated_at"] = f"2025-01-0{chance.randint(1, 3)}T00:00:00.123456Z"
    with psycopg.connect(tables) as connection:
        insert(connection, rows)
    yield tables
    with psycopg.connect(tables) as connection:
        connection.execute("DELETE FROM media_items WHERE storage_root = 'alike'")


def pages(url: str, **parameters: Any) -> list[list[int]]:
    """Every page, by cursor."""
    read: list[list[int]] = []
    cursor: str | None = None
    while not read or cursor is not None:
        answer = found(url, cursor=cursor, **parameters)
        read.append([item.item["id"] for item in answer.items])
        cursor = answer.next_cursor
        assert answer.more == (cursor is not None)
    return read


@pytest.mark.parametrize(("by", "order"), ORDERS)
@pytest.mark.parametrize("query", [None, "alike"])
@pytest.mark.parametrize("many", [False, True], ids=["counted", "walked"])
def test_pages_by_cursor_are_the_whole_in_its_order_with_ties_and_unknown_values(
    alike: str, monkeypatch: pytest.MonkeyPatch, by: str, order: str, query: str | None, many: bool
) -> None:
    if many:  # as if there were more than are examined
        for module in ("searching", "pages"):
            monkeypatch.setattr(f"gateway.tables.{module}.MANY", 3)
    parameters: dict[str, Any] = {"sort_by": by, "sort_order": order, "query": query, "storage_root": "alike"}
    whole = [item.item["id"] for item in found(alike, limit=200, **parameters).items]
    assert len(set(whole)) == 40
    read = pages(alike, limit=7, **parameters)
    assert [len(page) for page in read] == [7] * 5 + [5]
    assert [*chain.from_iterable(read)] == whole
    assert [item.item["id"] for item in found(alike, limit=7, offset=7, **parameters).items] == whole[7:14]


@pytest.mark.parametrize("way", ["ranked", "beginning", "others"])
@pytest.mark.parametrize("parameters", [{}, {"query": "%", "sort_by": "relevance"}, {"query": "alike"}])
def test_a_cursor_by_relevance_is_refused_where_there_is_none(
    alike: str, way: Way, parameters: dict[str, Any]
) -> None:
    values: dict[Way, tuple[Value, ...]] = {"ranked": (1, AT, 1), "beginning": (" a", 1), "others": (AT, 1)}
    cursor = Cursor(way, near=False, values=values[way]).text(Search.model_validate(parameters))
    with pytest.raises(BadCursor):
        found(alike, cursor=cursor, **parameters)


def test_what_is_walked_for_too_long_is_sorted_instead(alike: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parameters: dict[str, Any] = {"sort_by": "title", "storage_root": "alike", "limit": 7}
    expected = pages(alike, **parameters)
    for module in ("searching", "pages"):
        monkeypatch.setattr(f"gateway.tables.{module}.MANY", 3)
    monkeypatch.setattr(searching, "WALK", searching.WALK + "; SELECT pg_sleep(1)")
    assert pages(alike, **parameters) == expected


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1_000, 1_039), min_size=1, max_size=6), st.integers(1, 12))
def test_items_that_change_between_pages_move_and_no_other_is_skipped_or_doubled(
    alike: str, moved: list[int], size: int
) -> None:
    parameters: dict[str, Any] = {"sort_by": "file_size", "storage_root": "alike", "limit": size}
    first = found(alike, **parameters)
    with psycopg.connect(alike) as connection:
        connection.execute("UPDATE media_items SET file_size = 3 - file_size WHERE id = ANY(%s)", (moved,))
    seen = [item.item["id"] for item in first.items]
    cursor = first.next_cursor
    while cursor is not None:
        answer = found(alike, cursor=cursor, **parameters)
        seen += [item.item["id"] for item in answer.items]
        cursor = answer.next_cursor
    still = [media_id for media_id in seen if media_id not in moved]
    assert sorted(still) == [media_id for media_id in range(1_000, 1_040) if media_id not in moved]


SAID: list[dict[str, Any]] = [
    {}, {"query": "a"}, {"sort_by": "title"}, {"with_parts": True}, {"query": "’"}, {"hdr": True}, {"query": "strase"},
]  # fmt: skip


@pytest.mark.parametrize(
    ("rights", "expected"),
    [
        (Rights.of(["*"], [], ["films"]), {"films"}),
        (Rights.of(["*"], ["away"], ["music"]), {"music", "secret"}),
        (Rights.of(["*"], [], []), set[str]()),
    ],
)
def test_whoever_sees_some_roots_sees_nothing_of_others(filled: str, rights: Rights, expected: set[str]) -> None:
    for parameters in SAID:
        assert {item.storage_root for item in found(filled, rights, **parameters).items} <= expected
    assert {item.storage_root for item in found(filled, rights).items} == expected
    facets = found(filled, rights, facets="storage_root,year", query="a").facets["storage_root"]
    assert {one.value for one in facets} <= expected
    assert set(queried(filled, lambda of: of.stats(rights)).items_by("storage_root")) == expected
    assert {item.storage_root for item in queried(filled, lambda of: of.recent(50, rights))} == expected
    assert (queried(filled, lambda of: of.cover(COVER, rights)) is not None) == ("secret" in expected)


@pytest.mark.parametrize(("media_id", "root"), [(1, "films"), (3, "music"), (8, "secret")])
def test_an_item_and_its_place_are_seen_by_who_sees_its_root(filled: str, media_id: int, root: str) -> None:
    for rights, sees in (
        (Rights.of([], [], [root]), True),
        (Rights.of([], [], ["other"]), False),
        (EVERYTHING, True),
    ):
        assert (
            queried(filled, partial(CatalogueQueries.item, media_id=media_id, rights=rights)) is not None
        ) == sees
        assert (
            queried(filled, partial(CatalogueQueries.place, media_id=media_id, rights=rights)) is not None
        ) == sees


def test_what_is_not_seen_is_404_and_near_words_of_it_find_nothing(server: Gateway, filled: str) -> None:
    tokens = Tokens(GatewaySettings(), SECRET)
    rights = Rights.of(["*"], [], ["films"])
    token, _ = tokens.issue(user_id=1, username="admin", role_id=2, session_id="s-rights", rights=rights)
    with server.http(token) as http:
        assert http.get("/api/v1/media/1").status_code == 200
        assert http.get("/api/v1/media/8").status_code == 404
        assert http.get(f"/api/v1/covers/{COVER}").status_code == 404
        assert http.get("/api/v1/media/search", params={"query": "strase"}).json()["total"] == 0
        assert http.get("/api/v1/media/stats").json()["by_storage_root"].keys() == {"films"}
        refused = http.get("/api/v1/media/search", params={"storage_root": "secret"})
        assert (refused.status_code, "music" in refused.text) == (422, False)


@pytest.mark.parametrize(
    ("params", "status", "error", "word"),
    [
        ({"cursor": "x"}, 400, "bad_cursor", "cursor"),
        ({"cursor": ""}, 400, "bad_cursor", "cursor"),
        ({"offset": 10_001}, 422, "invalid_request", "next_cursor"),
        ({"offset": 1, "cursor": "x"}, 422, "invalid_request", "offset"),
        ({"facets": "year,colour"}, 422, "invalid_request", "colour"),
    ],
)
def test_what_cannot_be_answered_is_an_error_with_its_reason(
    server: Gateway, token: str, filled: str, params: dict[str, Any], status: int, error: str, word: str
) -> None:
    with server.http(token) as http:
        answer = http.get("/api/v1/media/search", params=params)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert word in answer.json()["message"]


def test_a_cursor_of_another_order_is_refused_and_of_its_own_goes_on(
    server: Gateway, token: str, filled: str
) -> None:
    def search(http: httpx.Client, **params: Any) -> httpx.Response:
        return http.get("/api/v1/media/search", params={"limit": 4, **params})

    with server.http(token) as http:
        first = search(http, sort_by="year").json()
        after = search(http, sort_by="year", cursor=first["next_cursor"]).json()
        assert (after["has_previous"], len(after["items"])) == (True, 4)
        assert search(http, sort_by="title", cursor=first["next_cursor"]).json()["error"] == "bad_cursor"


@pytest.mark.parametrize("by", ["updated_at", "relevance"])
def test_nothing_that_can_be_typed_is_an_error_of_ours(server: Gateway, token: str, filled: str, by: str) -> None:
    with server.http(token) as http:
        for query in hostile(150, 21):
            answer = http.get("/api/v1/media/search", params={"query": query, "sort_by": by})
            assert answer.status_code in (200, 414), query  # 414: longer than an address may be
