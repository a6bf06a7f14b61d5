"""Every form of `from` and `until` is read; everything else is refused by name and never with another error."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from gateway.core.starts import (
    BadOption,
    Earliest,
    Head,
    Last,
    Live,
    Offsets,
    Resume,
    Since,
    Start,
    on_gap_of,
    start_of,
    until_of,
)
from schemas.cursor import Cursor
from schemas.errors import BadCursor

CHANNEL = "media_updates"
CURSOR = Cursor(CHANNEL, "e1", 2, {0: 5, 1: 7})


@pytest.mark.parametrize(
    ("value", "start"),
    [
        (UNSET, Live()),
        ("live", Live()),
        ("earliest", Earliest()),
        ({"last": 1}, Last(1)),
        ({"last": 10_000}, Last(10_000)),
        ({"time": 0}, Since(0)),
        ({"time": 1_700_000_000_123}, Since(1_700_000_000_123)),
        ({"time": "2026-11-24T10:30:00.5Z"}, Since(1_795_516_200_500)),
        ({"time": "2026-11-24T11:30:00.5+01:00"}, Since(1_795_516_200_500)),
        ({"offsets": {"0": 120, "11": 0}}, Offsets({0: 120, 11: 0})),
        ({"cursor": CURSOR.encode()}, Resume(CURSOR)),
    ],
)
def test_a_start_is_read(value: Any, start: Start) -> None:
    assert start_of(value, CHANNEL) == start


@pytest.mark.parametrize(
    "value",
    [
        None, 7, True, "", "Earliest", "session", [], {}, {"last": 0}, {"last": 10_001}, {"last": True},
        {"last": 1.5}, {"last": "5"}, {"time": "noon"}, {"time": -1}, {"time": 1e12}, {"time": None},
        {"time": 10**20}, {"offsets": {}}, {"offsets": []}, {"offsets": {"a": 1}}, {"offsets": {"0": -1}},
        {"offsets": {"0": 2**53}}, {"offsets": {"-1": 0}}, {"offsets": {"0": True}}, {"offsets": {"²": 0}},
        {"cursor": 5},
    ],
)  # fmt: skip
def test_what_is_no_start_is_refused_by_name(value: Any) -> None:
    with pytest.raises(BadOption, match=r"^from"):
        start_of(value, CHANNEL)


def test_a_cursor_of_another_channel_is_refused() -> None:
    with pytest.raises(BadCursor):
        start_of({"cursor": CURSOR.encode()}, "notifications")


@pytest.mark.parametrize(
    ("value", "until"),
    [
        (UNSET, None),
        (None, None),
        ("head", Head()),
        ({"time": 5}, Since(5)),
        ({"offsets": {"0": 9}}, Offsets({0: 9})),
    ],
)
def test_an_end_is_read(value: Any, until: Any) -> None:
    assert until_of(value) == until


def test_on_gap_is_one_of_three() -> None:
    assert [on_gap_of(value) for value in (UNSET, "fail", "earliest", "live")] == [
        "earliest", "fail", "earliest", "live",
    ]  # fmt: skip
    with pytest.raises(BadOption, match=r"^on_gap"):
        on_gap_of("panic")


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["last", "time", "offsets", "cursor", "0", "1"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(json_values)
def test_any_json_is_a_start_or_refused(value: Any) -> None:
    for read in (lambda: start_of(value, CHANNEL), lambda: until_of(value), lambda: on_gap_of(value)):
        try:
            read()
        except (BadOption, BadCursor):
            continue
