"""The id of every server-sent event is its reader's position after it, in every partition."""

from __future__ import annotations

from gateway.core import answers
from gateway.core.event_stream import Reading, block, closing_event
from schemas.close_codes import TOKEN_EXPIRED
from schemas.cursor import Cursor, decode

NAME = "media_updates"


class Topic:
    """A channel's topic, which may be recreated."""

    def __init__(self) -> None:
        self.name = "aa"

    def epoch(self, channel: str) -> str:
        return self.name

    def heads(self, channel: str) -> dict[int, int]:
        return {0: 50, 1: 50}


def frame(partition: int, offset: int, channel: str = NAME) -> bytes:
    return b'{"type":"media_update","data":{},"channel":"%b","partition":%d,"offset":%d}' % (
        channel.encode(), partition, offset,
    )  # fmt: skip


def position(reading: Reading) -> dict[int, int]:
    return decode(reading.cursor, NAME).next_offsets


def test_an_event_advances_its_own_partition_only() -> None:
    reading = Reading(NAME, Topic(), {0: 3, 1: 7})
    for event, then in (
        (frame(0, 3), {0: 4, 1: 7}),
        (frame(1, 9), {0: 4, 1: 10}),
        (frame(0, 20), {0: 21, 1: 10}),
    ):
        sent = reading.event(event)
        assert position(reading) == then
        assert sent.split(b"\n")[0] == b"id: " + reading.cursor.encode()


def test_a_gap_is_skipped_and_a_position_adopted() -> None:
    reading = Reading(NAME, Topic(), {0: 3, 1: 7})
    reading.event(answers.gap(NAME, 0, 3, 9, "retention", 0))
    assert position(reading) == {0: 9, 1: 7}
    reading.event(answers.position(NAME, Cursor(NAME, "aa", 2, {0: 40, 1: 41}).encode(), 0))
    assert position(reading) == {0: 40, 1: 41}


def test_in_another_epoch_everything_is_to_come() -> None:
    topic = Topic()
    reading = Reading(NAME, topic, {0: 3, 1: 7})
    topic.name = "bb"
    reading.event(answers.gap(NAME, 0, 50, None, "epoch_changed", 0))
    assert decode(reading.cursor, NAME) == Cursor(NAME, "bb", 2, {})
    reading.event(frame(0, 2))
    assert position(reading) == {0: 3}


def test_what_everybody_gets_is_not_of_this_channel() -> None:
    reading = Reading(NAME, Topic(), {0: 3, 1: 7})
    assert reading.event(frame(0, 5, "notifications")) == b""
    assert position(reading) == {0: 3, 1: 7}


def test_a_payload_of_several_lines_has_a_data_field_for_each() -> None:
    assert block("x", "c", b'{\r\n"a":1}') == b'id: c\nevent: x\ndata: {\ndata: "a":1}\n\n'
    assert block("x", "c", '{"a":"\u2028"}'.encode()) == 'id: c\nevent: x\ndata: {"a":"\u2028"}\n\n'.encode()


def test_the_last_event_has_the_reason_and_no_id() -> None:
    expected = b'event: closed\ndata: {"code":4002,"reason":"token expired","come_back":true}\n\n'
    assert closing_event(TOKEN_EXPIRED) == expected
