"""A cursor names where a page ended, for the search that it came from."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.tables.order import BadCursor, Cursor, Value, cursor_of
from gateway.tables.wanted import Search

AT = datetime(2026, 1, 2, 3, 4, 5, 678_901, UTC)
NEWEST = Search(query="dark")
HERE = Cursor("plain", near=False, values=(AT, 7))


def again(search: Search, cursor: Cursor) -> Cursor | None:
    return cursor_of(search.model_copy(update={"cursor": cursor.text(search)}))


@given(st.datetimes(timezones=st.just(UTC)), st.integers(0, 2**53), st.booleans())
def test_it_is_read_as_it_was_written(at: datetime, media_id: int, near: bool) -> None:
    cursor = Cursor("plain", near, (at, media_id))
    assert again(NEWEST, cursor) == cursor


def test_it_is_valid_in_any_zone_of_the_database() -> None:
    there = HERE.values[0]
    assert isinstance(there, datetime)
    away = there.astimezone(datetime.fromisoformat("2026-01-01T00:00:00+05:30").tzinfo)
    assert again(NEWEST, Cursor("plain", near=False, values=(away, 7))) == HERE


@pytest.mark.parametrize("by", ["year", "rating"])
def test_what_is_unknown_is_a_place_too(by: str) -> None:
    search = Search.model_validate({"sort_by": by})
    cursor = Cursor("plain", near=False, values=(None, 3))
    assert again(search, cursor) == cursor


@pytest.mark.parametrize(
    "other",
    [
        {"query": "light"},
        {"sort_by": "title"},
        {"sort_order": "asc"},
        {"media_type": "video"},
        {"with_parts": True},
    ],
)
def test_of_another_search_it_is_refused(other: dict[str, object]) -> None:
    text = HERE.text(NEWEST)
    with pytest.raises(BadCursor):
        cursor_of(Search.model_validate(NEWEST.model_dump() | other | {"cursor": text}))


@pytest.mark.parametrize("other", [{"limit": 3}, {"facets": "year"}])
def test_it_is_accepted_for_the_same_search_with_another_page_size(other: dict[str, object]) -> None:
    text = HERE.text(NEWEST)
    assert cursor_of(Search.model_validate(NEWEST.model_dump() | other | {"cursor": text})) == HERE


@given(st.text(max_size=80) | st.binary(max_size=40).map(lambda b: b.hex()))
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        cursor_of(NEWEST.model_copy(update={"cursor": text}))


@pytest.mark.parametrize("values", [(AT,), (AT, "7"), (AT, None), (None, 7), ("soon", 7), (AT, 2**63)])
def test_values_that_the_order_cannot_have_are_refused(values: tuple[Value, ...]) -> None:
    text = Cursor("plain", near=False, values=values).text(NEWEST)
    with pytest.raises(BadCursor):
        cursor_of(NEWEST.model_copy(update={"cursor": text}))
