"""Places in a log, resets and durations: what may be written, what it means, and what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.errors import BadArgument
from cli.places import parse_duration, parse_moment, parse_place
from cli.reset_plan import (
    FromFile,
    Move,
    ShiftBy,
    Stand,
    Target,
    ToCurrent,
    moves,
    parse_file,
    parse_topics,
    write_file,
)
from schemas.places import At, AtEach, AtTime, Earliest, Head, Last, Offset, Place, offsets
from schemas.times import Millis

KNOWN = {"catalog.a.v1": 3, "catalog.b.v1": 1}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("earliest", Earliest()),
        ("latest", Head()),
        ("head", Head()),
        ("0", At(Offset(0))),
        ("120", At(Offset(120))),
        ("0:120,3:7", AtEach(offsets({0: 120, 3: 7}))),
        ("last:20", Last(20)),
        ("1970-01-01T00:00:01Z", AtTime(Millis(1_000))),
        ("1970-01-01", AtTime(Millis(0))),
        ("1970-01-01T01:00:00+01:00", AtTime(Millis(0))),
    ],
)
def test_a_place_is_read_as_written(text: str, place: Place) -> None:
    assert parse_place(text) == place


@pytest.mark.parametrize(
    "text",
    [
        "", "-1", "last:0", "last:x", "last:", "0:", "yesterday", "1:2:3", "٣x", "٣", "1969-12-31", "0:1,0:2",
        str(2**53), "9" * 5_000, f"0:{2**53}", "last:9" + "0" * 5_000,
    ],
)  # fmt: skip
def test_what_is_no_place_is_refused_with_what_may_be_written(text: str) -> None:
    with pytest.raises(BadArgument, match="earliest, latest, head") as caught:
        parse_place(text, "--until")
    assert caught.value.argument == "--until"


@given(st.text(max_size=40) | st.from_regex(r"\A[0-9T:,.Zlast+-]{0,30}\Z"))
def test_any_text_is_a_place_or_a_bad_argument(text: str) -> None:
    try:
        parse_place(text)
    except BadArgument as error:
        assert error.exit_code == 2


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("PT90S", timedelta(seconds=90)),
        ("PT2H30M", timedelta(hours=2, minutes=30)),
        ("P1D", timedelta(days=1)),
        ("P1DT0.5H", timedelta(days=1, minutes=30)),
    ],
)
def test_a_duration_is_read_as_kafkas_tool_reads_it(text: str, duration: timedelta) -> None:
    assert parse_duration(text, "--by-duration") == duration


@pytest.mark.parametrize("text", ["", "P", "2H", "PT", "PT5", "PT1S2H", "P1H", "PTxS", "PT.S", "PT1.2.3S"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(BadArgument):
        parse_duration(text, "--by-duration")


@pytest.mark.parametrize("text", ["", "noon", "1969-12-31", "12"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(BadArgument, match="no ISO 8601 time"):
        parse_moment(text, "--to-datetime")


STAND = Stand(beginning=Offset(10), head=Offset(100), current=Offset(60), at_time=Offset(70))


@pytest.mark.parametrize(
    ("target", "to"),
    [
        (Earliest(), 10),
        (Head(), 100),
        (ToCurrent(), 60),
        (AtTime(Millis(0)), 70),
        (ShiftBy(-20), 40),
        (ShiftBy(-1_000), 10),
        (ShiftBy(1_000), 100),
        (At(Offset(33)), 33),
        (At(Offset(0)), 10),
        (FromFile(offsets({("t", 0): 44})), 44),
        (FromFile({}), 60),
    ],
)
def test_a_target_is_within_the_log(target: Target, to: int) -> None:
    assert moves(target, {("t", 0): STAND}) == [Move("t", 0, Offset(60), Offset(to))]


def test_a_time_after_the_last_record_is_the_head() -> None:
    assert moves(AtTime(Millis(0)), {("t", 0): Stand(Offset(0), Offset(5), Offset(3))}) == [
        Move("t", 0, Offset(3), Offset(5))
    ]


def test_topics_are_named_whole_or_by_partition_with_or_without_the_prefix() -> None:
    chosen = parse_topics(["p.catalog.a.v1:0,2", "catalog.b.v1"], KNOWN, "p.")
    assert chosen == {("catalog.a.v1", 0), ("catalog.a.v1", 2), ("catalog.b.v1", 0)}


def test_without_topics_all_are_meant() -> None:
    assert len(parse_topics([], KNOWN, "")) == 4


@pytest.mark.parametrize("word", ["catalog.c.v1", "catalog.b.v1:1", "catalog.a.v1:x"])
def test_a_topic_that_is_not_there_is_refused(word: str) -> None:
    with pytest.raises(BadArgument, match="--topic"):
        parse_topics([word], KNOWN, "")


@given(st.dictionaries(st.tuples(st.sampled_from(sorted(KNOWN)), st.integers(0, 9)), st.integers(0, 99)))
def test_an_exported_file_is_read_back(targets: dict[tuple[str, int], int]) -> None:
    planned = [
        Move(topic, partition, Offset(99), Offset(target)) for (topic, partition), target in targets.items()
    ]
    assert parse_file(write_file(planned, "p."), "p.") == FromFile(offsets(targets))


@pytest.mark.parametrize("text", ["a,b,c\n", "a,1\n", "a,1,-2\n"])
def test_a_line_that_is_no_target_is_named(text: str) -> None:
    with pytest.raises(BadArgument, match="line 1"):
        parse_file(text, "")
