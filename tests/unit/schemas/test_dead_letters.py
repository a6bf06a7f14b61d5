"""A letter gives its record back as it was; what closes it depends on what was done about the record."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import encode
from schemas.dead_letters import FOREIGN, How, Letter, LetterClosed, Mark, Origin, closed, mark_headers, parse
from schemas.errors import Undecodable
from schemas.headers import MAX_DEAD_BYTES, dead_value, dlq_headers

NAMES = st.sampled_from(["type", "x-original-topic", "x-original-size", "x-letter", "x-attempt", ""])


@dataclass(frozen=True, slots=True)
class Stands:
    """A record of a queue."""

    offset: int
    value: bytes | None
    headers: list[tuple[str, bytes]]
    key: bytes | None = None
    topic: str = "t.dlq"
    partition: int = 0
    timestamp: int = 5


def letter(
    offset: int, of: int = 7, value: bytes | None = b"v", headers: tuple[tuple[str, bytes], ...] = ()
) -> Letter:
    own = dlq_headers(
        topic="t", partition=1, offset=of, timestamp=9, error=Undecodable("bad"), attempt=2, size=len(value or b"")
    )
    found = parse(Stands(offset, dead_value(value), own + list(headers)))
    assert isinstance(found, Letter)
    return found


def mark(offset: int, of: Letter, how: How) -> Mark:
    origin = of.origin
    assert origin is not None
    value = LetterClosed(
        letter=of.offset, how=how, by="me", at="now", topic=origin.topic, partition=origin.partition,
        offset=origin.offset, timestamp=origin.timestamp,
    )  # fmt: skip
    found = parse(Stands(offset, encode(value), mark_headers(of.offset)))
    assert found == Mark(offset, value)
    return Mark(offset, value)


def states(letters: list[Letter], *marks: Mark) -> list[str | None]:
    return [None if one.closed is None else one.closed.how for one in closed(letters, marks)]


@given(st.lists(st.tuples(NAMES, st.binary(max_size=4))), st.one_of(st.none(), st.binary(max_size=4)))
def test_headers_and_value_come_back_whatever_they_are(
    headers: list[tuple[str, bytes]], value: bytes | None
) -> None:
    found = letter(3, value=value, headers=tuple(headers))
    assert (found.headers, found.value, found.is_cut) == (headers, value, False)
    assert (found.origin, found.error_type, found.error, found.attempts) == (
        Origin("t", 1, 7, 9), "Undecodable", "bad", 2,
    )  # fmt: skip


def test_a_value_that_was_too_long_is_known_to_be_cut() -> None:
    assert letter(0, value=b"x" * MAX_DEAD_BYTES).is_cut is False
    found = letter(0, value=b"x" * (MAX_DEAD_BYTES + 3), headers=(("a", b"b"),))
    assert (found.is_cut, found.size, found.headers) == (True, MAX_DEAD_BYTES + 3, [("a", b"b")])


@pytest.mark.parametrize(
    "record",
    [
        Stands(1, b"x", []),
        Stands(1, None, [("x-original-topic", b"t")]),
        Stands(1, b"no mark", [("x-letter", b"0")]),
        Stands(
            1, b"x", [(name, b"\xff" if number else b"t") for number, (name, _) in enumerate(letter(0).headers)]
        ),
        Stands(
            1,
            b"x",
            dlq_headers(topic="t", partition=1, offset=1, timestamp=1, error=Undecodable(""), attempt=1, size=1)[
                1:
            ],
        ),
    ],
)
def test_what_others_wrote_is_a_letter_without_origin(record: Stands) -> None:
    found = parse(record)
    assert isinstance(found, Letter)
    assert (found.origin, found.error_type, found.headers) == (None, FOREIGN, record.headers)


def test_a_record_given_back_closes_every_letter_of_it_and_a_discarded_one_those_that_were_there() -> None:
    first, other, again = letter(1), letter(2, of=8), letter(5)
    assert states([first, other, again]) == [None, None, None]
    assert states([first, other, again], mark(3, first, "discarded")) == ["discarded", None, None]
    assert states([first, other, again], mark(3, first, "redriven")) == ["redriven", None, "redriven"]


def test_what_was_discarded_and_then_redriven_is_redriven() -> None:
    first, again = letter(1), letter(2)
    marks = mark(3, first, "discarded"), mark(4, again, "redriven"), mark(5, first, "discarded")
    assert states([first, again], *marks) == ["redriven", "redriven"]
