"""A query is read as words, in any spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.tables.terms import MAX_WORDS, Terms, distance, nearest, one_edit, pattern, terms_of, tokens

words = st.text("abc", min_size=1, max_size=6)


def test_pieces_are_between_spaces_and_hold_nothing_that_a_database_cannot() -> None:
    assert tokens(" The\0Matrix \t 1999\ud800 ") == ["The", "Matrix", "1999?"]


@pytest.mark.parametrize(
    ("pieces", "folded", "expected"),
    [
        (["The", "Matrix"], [" the ", " matrix "], Terms("the matrix", ("the", "matrix"), ())),
        (["x", "x"], [" x ", " x "], Terms("x x", ("x",), ())),
        (["rain", "rainbow"], [" rain ", " rainbow "], Terms("rain rainbow", ("rainbow",), ())),
        (["100%_x", "%"], [" 100 x ", " "], Terms("100 x", ("100", "x"), ())),
        (["%", "-%"], [" ", " "], Terms("", (), ("%", "-"))),
        (["…"], [" "], Terms("", (), ("…",))),
        ([], [], Terms("", (), ())),
    ],
)
def test_words_are_searched_once_and_signs_only_where_there_is_no_word(
    pieces: list[str], folded: list[str], expected: Terms
) -> None:
    assert terms_of(pieces, folded) == expected


def test_five_hundred_words_are_as_many_as_narrow_anything_down() -> None:
    many = [f" w{n:03d} " for n in range(500)]
    assert len(terms_of(many, many).words) == MAX_WORDS


def test_short_words_are_found_at_the_beginning_of_words_and_long_ones_anywhere() -> None:
    assert (pattern("qx"), pattern("qxy")) == ("% qx%", "%qxy%")


@given(words, words)
def test_a_distance_is_the_same_both_ways_and_nothing_for_the_same(a: str, b: str) -> None:
    assert distance(a, b) == distance(b, a)
    assert (distance(a, b) == 0) == (a == b)


@given(words)
def test_one_edit_is_everything_at_a_distance_of_one_and_nothing_else(word: str) -> None:
    assert {distance(word, other) for other in one_edit(word)} == {1}


@given(words, words)
def test_whatever_is_at_a_distance_of_one_is_one_edit(a: str, b: str) -> None:
    assert (b in one_edit(a)) == (distance(a, b) == 1)


@pytest.mark.parametrize(
    ("word", "candidates", "expected"),
    [
        ("matrxi", ["matrix", "matron", "metric"], ("matrix",)),
        ("shawshnak", ["shawshank", "shawls"], ("shawshank",)),
        ("shwshnak", ["shawshank"], ("shawshank",)),
        ("drak", ["dark", "drake", "dank", "drank"], ("dark", "drank")),
        ("stalker", ["stalkers"], ()),
    ],
)
def test_near_words_are_one_error_away_and_two_of_long_ones(
    word: str, candidates: list[str], expected: tuple[str, ...]
) -> None:
    assert nearest(word, candidates) == expected
