"""The vocabulary of places: every form of the table is read, and a place is an offset within what the log has."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BadPlace
from schemas.place_forms import FROM, TABLE, UNTIL, Grammar, Own, parse, read_json
from schemas.places import (
    At,
    AtEach,
    AtTime,
    Bounds,
    Earliest,
    Head,
    Last,
    Offset,
    OutOfRange,
    Place,
    next_offset,
    offsets,
    out_of_range,
    resolve,
)
from schemas.times import Millis

BOUNDS = Bounds(offsets({0: 10, 1: 0}), offsets({0: 50, 1: 5}))


def forms(cell: str) -> list[str]:
    """What stands in back quotes in a cell of the table."""
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize("text", [text for form in TABLE for text in forms(form.text)])
def test_every_text_of_the_table_is_read(text: str) -> None:
    assert isinstance(parse(text), Earliest | Head | At | AtEach | AtTime | Last)


@pytest.mark.parametrize(
    ("value", "grammar"),
    [(text, FROM) for form in TABLE for text in forms(form.json_from)]
    + [(text, UNTIL) for form in TABLE for text in forms(form.json_until)],
)
def test_every_json_of_the_table_is_read(value: str, grammar: Grammar) -> None:
    read_json(json.loads(value.replace("T}", "0}")), grammar)


@given(
    st.integers(0, 2**53 - 1).map(lambda n: (str(n), At(Offset(n))))
    | st.integers(1, 2**53 - 1).map(lambda n: (f"last:{n}", Last(n)))
    | st.dictionaries(st.integers(0, 99), st.integers(0, 2**53 - 1), min_size=1, max_size=5).map(
        lambda pairs: (",".join(f"{p}:{o}" for p, o in pairs.items()), AtEach(offsets(pairs)))
    )
)
def test_numbers_are_read_back_as_they_are(written: tuple[str, Place]) -> None:
    assert parse(written[0]) == written[1]


def test_an_error_says_what_is_wrong_and_what_may_be_written() -> None:
    with pytest.raises(BadPlace) as caught:
        parse("yesterday")
    assert (caught.value.reason, caught.value.at) == ("'yesterday' is no place in a log", "")
    assert caught.value.allowed.startswith("earliest, latest, head")
    with pytest.raises(BadPlace) as caught:
        read_json({"offsets": {"3": -1}}, FROM)
    assert caught.value.at == ".offsets.3"


def test_a_key_of_the_callers_own_is_handed_over_as_it_came() -> None:
    assert read_json({"cursor": ["anything"]}, FROM) == Own("cursor", ["anything"])
    with pytest.raises(BadPlace, match="'cursor' is unknown"):
        read_json({"cursor": "x"}, UNTIL)


def test_the_next_offset_is_the_one_behind_a_record() -> None:
    assert [next_offset(0), next_offset(41)] == [1, 42]


@pytest.mark.parametrize(
    ("place", "resolved"),
    [
        (Earliest(), {0: 10, 1: 0}),
        (Head(), {0: 50, 1: 5}),
        (At(Offset(20)), {0: 20, 1: 5}),
        (AtEach(offsets({1: 3, 7: 0})), {1: 3}),
        (AtTime(Millis(1)), {0: 33, 1: 5}),
        (Last(8), {0: 42, 1: 0}),
    ],
)
def test_a_place_is_within_the_log_and_leaves_out_what_it_does_not_name(
    place: Place, resolved: dict[int, int]
) -> None:
    assert resolve(place, BOUNDS, int, {0: Offset(33), 1: None}) == resolved


@pytest.mark.parametrize(
    ("place", "found"),
    [
        (At(Offset(4)), [OutOfRange("gone", 0, Offset(4), 10)]),
        (At(Offset(51)), [OutOfRange("beyond", 0, Offset(51), 50), OutOfRange("beyond", 1, Offset(51), 5)]),
        (At(Offset(10)), [OutOfRange("beyond", 1, Offset(10), 5)]),
        (AtEach(offsets({2: 0, 1: 5})), [OutOfRange("absent", 2, Offset(0), 2)]),
        (AtEach(offsets({0: 50, 1: 0})), []),
        (Earliest(), []),
        (Last(1_000), []),
        (AtTime(Millis(2**40)), []),
    ],
)
def test_what_a_place_names_and_the_log_has_not_is_found(place: Place, found: list[OutOfRange]) -> None:
    assert list(out_of_range(place, BOUNDS, int)) == found


places: st.SearchStrategy[Any] = st.one_of(
    st.just(Earliest()),
    st.just(Head()),
    st.integers(0, 99).map(lambda n: At(Offset(n))),
    st.dictionaries(st.integers(0, 3), st.integers(0, 99)).map(lambda each: AtEach(offsets(each))),
    st.integers(1, 99).map(Last),
    st.just(AtTime(Millis(0))),
)


@given(places, st.tuples(st.integers(0, 50), st.integers(0, 50)), st.integers(0, 120))
def test_no_place_leaves_the_log(place: Place, span: tuple[int, int], answer: int) -> None:
    earliest, end = span[0], span[0] + span[1]
    bounds = Bounds(offsets({0: earliest}), offsets({0: end}))
    found = resolve(place, bounds, int, {0: Offset(answer)})
    assert all(earliest <= offset <= end for offset in found.values())
    if not list(out_of_range(place, bounds, int)) and isinstance(place, At):
        assert found == {0: place.offset}
