"""A letter's bytes decide what can be done about it; output of its contents is escaped."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cli.dlq.command import source_of
from cli.dlq.showing import dump, letter_row, text
from cli.errors import BadArgument
from runtime.dlq.actions import NoAction, RequestScan, WriteBack, action_of
from runtime.dlq.lines import letter_line, queue_line
from schemas.dead_letters import Letter, LetterClosed, Origin
from schemas.topics import ANALYSIS_JOBS, GUARDED, MEDIA_UPDATES, RAW, dlq_of

ORIGIN = Origin("p." + ANALYSIS_JOBS.name, 3, 12, 1_000)


def a_letter(
    value: bytes | None = b"{}", origin: Origin | None = ORIGIN, *, offset: int = 4, size: int = 0
) -> Letter:
    length = len(value or b"")
    return Letter(
        offset=offset, at=2_000, origin=origin, error_type="Undecodable", error="bad", attempts=1, key=b"5", value=value,
        headers=[("type", b"x")], size=size or length, is_cut=bool(size),
    )  # fmt: skip


def test_a_whole_record_goes_back_to_its_place() -> None:
    letter = a_letter()
    assert action_of(letter, ANALYSIS_JOBS, ORIGIN.topic, 12) == WriteBack(letter, ORIGIN)


@pytest.mark.parametrize(
    "letter",
    [
        a_letter(size=500_000),
        a_letter(origin=None),
        a_letter(origin=Origin("p.other", 3, 12, 1_000)),
        a_letter(origin=Origin(ORIGIN.topic, 12, 12, 1_000)),
        a_letter(origin=Origin(ORIGIN.topic, -1, 12, 1_000)),
    ],
    ids=["cut", "of nobody", "of another topic", "of no partition", "of none at all"],
)
def test_what_cannot_go_back_whole_or_to_its_place_does_not(letter: Letter) -> None:
    assert isinstance(action_of(letter, ANALYSIS_JOBS, ORIGIN.topic, 12), NoAction)


@pytest.mark.parametrize(
    "value",
    [
        b'{"kind":"observed","root":"m","path":"A/B/c.mkv"}',
        b'{"kind":"observed","root":"m","path":"c.mkv","seq":"no number"}',
        b'{"root":"m","path":"caf\xef\xbf\xbd/x","path_b64":"Y2Fm6S94"}',
        b'{"kind":"root_declared","root":"m"}', b'{"root":"m","path":"../a"}', b'{"kind":7,"root":"m"}',
    ],
)  # fmt: skip
def test_of_the_change_log_the_root_is_scanned_that_the_record_is_about(value: bytes) -> None:
    letter = a_letter(value)
    assert action_of(letter, RAW, RAW.name, 2) == RequestScan(letter, "m")


@pytest.mark.parametrize(
    "value",
    [
        None, b"", b"\xff", b"no json", b"[]", b"{" * 100_000, b'{"kind":"tick"}', b'{"root":7,"path":"a"}',
        b'{"root":"","path":"a"}', b'{"kind":"result","root":"m"}', b'{"kind":"root_retired","root":"m"}',
        b'{"kind":"analysis_requested","root":"m"}',
    ],
)  # fmt: skip
def test_where_no_root_is_named_or_no_scan_would_help_none_is_requested(value: bytes | None) -> None:
    found = action_of(a_letter(value), RAW, RAW.name, 2)
    assert isinstance(found, NoAction)
    assert found.why
    assert not found.is_settled


def test_a_queue_is_summed_up_by_what_is_open() -> None:
    closed = LetterClosed(letter=5, how="discarded", by="me", at="then")
    letters = [a_letter(), replace(a_letter(offset=5), closed=closed)]
    line = queue_line("t", "t.dlq", letters)
    assert (line.open, line.oldest, line.newest, line.errors) == (
        1, "1970-01-01T00:00:02.000Z", "1970-01-01T00:00:02.000Z", {"Undecodable": 1},
    )  # fmt: skip
    assert [letter_line(letter).state for letter in letters] == ["open", "discarded"]
    assert queue_line("t", "t.dlq", []).oldest is None


def test_bytes_are_dumped_sixteen_a_line() -> None:
    assert list(dump(bytes(range(0x3B, 0x4C)))) == [
        "00000000  3b 3c 3d 3e 3f 40 41 42 43 44 45 46 47 48 49 4a  ;<=>?@ABCDEFGHIJ",
        "00000010  4b                                               K",
    ]


@pytest.mark.parametrize("value", [None, b"", b"a\nb\r\x1b[2J", b"\xff\x00", "\u202e".encode()])
def test_nothing_of_a_letter_moves_the_cursor(value: bytes | None) -> None:
    letter = a_letter(value, Origin("t\x1b", 0, 0, 0))
    lines = [*text(letter), *letter_row(letter)]
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize(
    "name", [MEDIA_UPDATES.name, dlq_of(MEDIA_UPDATES).name, "media_updates", "p." + MEDIA_UPDATES.name]
)
def test_a_queue_is_named_by_its_topic_its_own_name_or_a_channel(name: str) -> None:
    assert source_of(name, "p.") == MEDIA_UPDATES


def test_a_topic_without_a_queue_is_refused_with_those_that_have_one() -> None:
    with pytest.raises(BadArgument, match="has no dead letter queue") as caught:
        source_of("catalog.control.v1")
    assert all(topic.name in str(caught.value) for topic in GUARDED)
