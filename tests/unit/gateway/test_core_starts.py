"""Every form of `from` and `until` is read; everything else is refused by name and never with another error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from gateway.core.starts import BadOption, Resume, Start, on_gap_of, start_of, until_of
from schemas.cursor import Cursor
from schemas.envelope import BadMessage, decode_message
from schemas.errors import BadCursor
from schemas.places import AtEach, AtTime, Earliest, Head, Last, offsets
from schemas.times import Millis

CHANNEL = "media_updates"
CURSOR = Cursor(CHANNEL, "e1", 2, {0: 5, 1: 7})


@pytest.mark.parametrize(
    ("value", "start"),
    [
        (UNSET, Head()),
        ("live", Head()),
        ("earliest", Earliest()),
        ({"last": 1}, Last(1)),
        ({"last": 10_000}, Last(10_000)),
        ({"time": 0}, AtTime(Millis(0))),
        ({"time": 1_700_000_000_123}, AtTime(Millis(1_700_000_000_123))),
        ({"time": "2026-11-24T10:30:00.5Z"}, AtTime(Millis(1_795_516_200_500))),
        ({"time": "2026-11-24T11:30:00.5+01:00"}, AtTime(Millis(1_795_516_200_500))),
        ({"offsets": {"0": 120, "11": 0}}, AtEach(offsets({0: 120, 11: 0}))),
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


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"last": 5, "time": 0}, "from: 'last' and 'time' name two places"),
        ({"time": 0, "offsets": {"0": 1}}, "from: 'time' and 'offsets' name two places"),
        ({"offsets": {"0": 1}, "cursor": "x"}, "from: 'offsets' and 'cursor' name two places"),
        ({"last": 5, "cursor": CURSOR.encode()}, "from: 'last' and 'cursor' name two places"),
        ({"last": 5, "lst": 5}, "from: 'lst' is unknown: one of"),
        ({"Last": 5}, "from: 'Last' is unknown: one of"),
        ({"": 5}, "from: '' is unknown: one of"),
        ({}, 'from: one of "live", "earliest", {"last":n}, {"time":…}, {"offsets":{…}} or {"cursor":"…"}'),
        ("head", 'from: one of "live"'),
        ([{"last": 5}], "from: one of"),
        ({"last": -1}, "from.last: 1 to 10000"),
        ({"last": 5.0}, "from.last: 1 to 10000"),
        ({"last": True}, "from.last: 1 to 10000"),
        ({"last": 2**53}, "from.last: 1 to 10000"),
        ({"last": {"last": 5}}, "from.last: 1 to 10000"),
        ({"time": 0.5}, "from.time: ISO 8601 or milliseconds since 1970"),
        ({"time": float("nan")}, "from.time: ISO 8601 or milliseconds since 1970"),
        ({"time": False}, "from.time: ISO 8601 or milliseconds since 1970"),
        ({"time": "1969-12-31T23:59:59Z"}, "from.time: ISO 8601 or milliseconds since 1970"),
        ({"time": 2**53}, "from.time: ISO 8601 or milliseconds since 1970"),
        ({"offsets": {"0": 2**53}}, "from.offsets.0: an offset is a whole number from 0 to below 2^53"),
        ({"offsets": {"0": 1.0}}, "from.offsets.0: an offset is a whole number"),
        ({"offsets": {"0": None}}, "from.offsets.0: an offset is a whole number"),
        ({"offsets": {"0": {"0": 1}}}, "from.offsets.0: an offset is a whole number"),
        ({"offsets": {"0": 1, "00": 2}}, "from.offsets: partition 0 is named twice"),
        ({"offsets": {"x" * 9_999: 1}}, "is not a partition"),
        ({"offsets": [1]}, "from.offsets: an object of partition to next offset"),
        ({"cursor": None}, "from.cursor: the text of a cursor"),
        ({"cursor": {"0": 1}}, "from.cursor: the text of a cursor"),
    ],
)  # fmt: skip
def test_the_error_of_a_start_is_reported(value: Any, message: str) -> None:
    with pytest.raises(BadOption) as caught:
        start_of(value, CHANNEL)
    assert message in caught.value.reason
    assert len(caught.value.reason) < 250


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("live", 'until: one of "head", {"time":…} or {"offsets":{…}}'),
        ({"last": 5}, "until: 'last' is unknown"),
        ({"time": 0, "offsets": {"0": 1}}, "until: 'time' and 'offsets' name two places"),
        ({"cursor": "x"}, "until: 'cursor' is unknown"),
    ],
)
def test_the_error_of_an_end_is_reported(value: Any, message: str) -> None:
    with pytest.raises(BadOption) as caught:
        until_of(value)
    assert message in caught.value.reason


def test_a_cursor_of_another_channel_is_refused() -> None:
    with pytest.raises(BadCursor):
        start_of({"cursor": CURSOR.encode()}, "notifications")


@pytest.mark.parametrize(
    ("value", "until"),
    [
        (UNSET, None),
        (None, None),
        ("head", Head()),
        ({"time": 5}, AtTime(Millis(5))),
        ({"offsets": {"0": 9}}, AtEach(offsets({0: 9}))),
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


@given(st.text(alphabet='{}[]":,.-+eE0123456789 \\"nultrasfimeocdh', max_size=80), json_values)
def test_no_text_breaks_the_way_to_a_start(junk: str, value: Any) -> None:
    for text in ('{"type":"subscribe","from":' + junk + "}", json.dumps({"type": "subscribe", "from": value})):
        try:
            start_of(decode_message(text).from_, CHANNEL)
        except (BadMessage, BadOption, BadCursor):
            continue
