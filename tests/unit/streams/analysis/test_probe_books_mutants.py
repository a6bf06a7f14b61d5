"""Whatever went wrong in a book, its probe ends in a reply for people: soon, in words, and not too long."""

from __future__ import annotations

import pytest

from tests.support.book_mutants import complaint, mutants, probed


@pytest.mark.parametrize("seed", [1, 2])
def test_a_book_that_went_wrong_somewhere_has_an_answer(seed: int) -> None:
    complaints = [complaint(*probed(name, data)) for name, data in mutants(150, seed)]
    assert [one for one in complaints if one is not None] == []
