"""A place in the query of an address: every form of a subscription's `from`, each written in one way that is no other's."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.cursor import Cursor
from schemas.errors import BadPlace
from schemas.place_forms import FROM, UNTIL, Own, read_query
from schemas.places import AtEach, AtTime, Earliest, Head, Last, Offset
from schemas.times import Millis


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("earliest", Earliest()),
        ("live", Head()),
        ("last:20", Last(20)),
        ("0:120,3:7", AtEach({0: Offset(120), 3: Offset(7)})),
        ("1700000000000", AtTime(Millis(1_700_000_000_000))),
        ("2023-11-14T22:13:20Z", AtTime(Millis(1_700_000_000_000))),
        ("2023-11-14", AtTime(Millis(1_699_920_000_000))),
        ('{"offsets":{"0":120}}', AtEach({0: Offset(120)})),
        ('{"cursor":"AQ"}', Own("cursor", "AQ")),
    ],
)
def test_a_form_is_read(text: str, place: object) -> None:
    assert read_query(text, FROM) == place


@given(st.dictionaries(st.integers(0, 9), st.integers(0, 2**53 - 1)), st.text("0123456789abcdef", max_size=32))
def test_a_cursor_is_a_cursor(offsets: dict[int, int], epoch: str) -> None:
    text = Cursor("media_updates", epoch, 10, offsets).encode()
    assert read_query(text, FROM) == Own("cursor", text)


@given(st.text())
def test_whatever_comes_is_a_place_or_refused(text: str) -> None:
    with contextlib.suppress(BadPlace):
        read_query(text, FROM)


@pytest.mark.parametrize("text", ["", "earliest", "last:3", "AQ", "{", "0:", "0:1,0:2", "last:x"])
def test_until_takes_less(text: str) -> None:
    with pytest.raises(BadPlace):
        read_query(text, UNTIL)
