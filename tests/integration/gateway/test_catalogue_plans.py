"""A page of a large catalogue is read from an index, in the orders that pages use."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import sql

from gateway.core.rights import EVERYTHING, Rights
from gateway.tables.conditions import Condition
from gateway.tables.order import Value
from gateway.tables.pages import MANY, Plan, counting, looking, walking
from gateway.tables.searching import WALK
from gateway.tables.terms import Terms
from gateway.tables.wanted import Search, SortBy, SortOrder

ITEMS = 20_000


@pytest.fixture(scope="module")
def large(tables: str) -> str:
    with psycopg.connect(tables) as connection:
        connection.execute(
            "INSERT INTO media_items (id, title, media_type, library, storage_root, path, created_at, updated_at,"
            " item, src_partition, src_offset) SELECT i, md5(i::text), 'video', 'home', 'films', i::text,"
            " now() - i * interval '1 s', now() - i %% 777 * interval '1 s', '{}', 0, i"
            " FROM generate_series(1, %s) AS i",
            (ITEMS,),
        )
    with psycopg.connect(tables, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE media_items")
    return tables


def plan_of(url: str, condition: Condition, *settings: LiteralString) -> str:
    with psycopg.connect(url) as connection:
        for setting in settings:
            connection.execute(setting)
        connection.execute("SET LOCAL statement_timeout = 0")  # a busy machine does not change the plan
        explain = sql.SQL("EXPLAIN {}").format(condition.clause)
        return "\n".join(row[0] for row in connection.execute(explain, condition.values))


def planned(url: str, rights: Rights = EVERYTHING, **parameters: Any) -> Plan:
    wanted = Search.model_validate(parameters)
    words = tuple((wanted.query or "").split())
    return Plan(wanted, rights, Terms(" ".join(words), words, ()))


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("by", ["updated_at", "created_at", "title", "year", "rating", "file_size"])
def test_a_page_takes_its_order_from_an_index(large: str, by: SortBy, order: SortOrder) -> None:
    values: dict[str, Value] = {"title": "x", "year": 1999, "rating": 1.5, "file_size": 3}
    after = values.get(by, datetime(2026, 1, 1, tzinfo=UTC))
    for wanted in (
        planned(large, sort_by=by, sort_order=order),
        planned(large, sort_by=by, sort_order=order, query="abc"),
    ):
        for page in (wanted, replace(wanted, after=(after, 7))):
            plan = plan_of(large, walking(page, 25, 0), WALK)
            assert "media_items_" in plan, plan
            assert "Seq Scan on media_items" not in plan, plan
            assert "Sort Key: m.updated_at" not in plan or "Presorted Key" in plan, plan


@pytest.mark.parametrize(
    ("rights", "parameters"),
    [
        (EVERYTHING, {"query": "abcd"}),
        (EVERYTHING, {"query": "abcd efgh"}),
        (EVERYTHING, {"query": "ab", "genre": "rock"}),
        (EVERYTHING, {"video_codec": "hevc", "language": "de"}),
        (Rights.of(["*"], [], ["few"]), {"query": "abcd"}),
        (Rights.of(["*"], ["far"], ["few"]), {"query": "abcd", "quality": "1080p"}),
    ],
)
def test_words_facts_and_rights_are_found_by_one_index(
    large: str, rights: Rights, parameters: dict[str, Any]
) -> None:
    plan = plan_of(large, looking(planned(large, rights, **parameters), MANY))
    assert "Bitmap Index Scan on media_items_search" in plan, plan
    filter_ = next((line for line in plan.splitlines() if "Filter:" in line), "")
    assert "facts" not in filter_, plan
    assert "words" not in filter_, plan


@pytest.mark.parametrize(
    "parameters",
    [{"duration_min": 9e8}, {"height_min": 9_000}, {"width_min": 9_000}, {"bit_rate_min": 10**9}, {"pages_min": 9_000},
     {"year": 1979}, {"rating_min": 99}, {"file_size_min": 10**15}, {"date_min": "2026"}, {"artist": "x"}],
)  # fmt: skip
def test_few_hits_of_a_filter_are_found_by_an_index(large: str, parameters: dict[str, Any]) -> None:
    plan = plan_of(large, looking(planned(large, **parameters), MANY))
    assert "Seq Scan on media_items" not in plan, plan


def test_where_everything_is_seen_roots_are_not_checked(large: str) -> None:
    plan = plan_of(large, looking(planned(large, query="abcd"), MANY))
    assert "storage_root" not in plan
    assert "library" not in plan


def test_searches_of_counted_columns_are_counted_without_items(large: str) -> None:
    condition = counting(planned(large, storage_root="films", facets="media_type"))
    assert condition is not None
    assert "media_items" not in plan_of(large, condition)
    assert counting(planned(large, year=1999)) is None
