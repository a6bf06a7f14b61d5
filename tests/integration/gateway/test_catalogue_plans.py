"""A page of a large catalogue is read from an index, in the orders that pages ask for."""

from __future__ import annotations

import psycopg
import pytest

from gateway.tables.catalogue import Search, SortBy, SortOrder, statements

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
        connection.execute("ANALYZE media_items")
    return tables


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("by", ["updated_at", "created_at", "title"])
def test_a_page_takes_its_order_from_an_index(large: str, by: SortBy, order: SortOrder) -> None:
    _counting, paging, values = statements(Search(sort_by=by, sort_order=order))
    with psycopg.connect(large) as connection:
        plan = "\n".join(row[0] for row in connection.execute("EXPLAIN " + paging, values))
    assert "media_items_" in plan, plan
    assert "Seq Scan on media_items" not in plan, plan
