"""Frames conform to RFC 6455 (checked with the `websockets` library's parser), and can be taken apart again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from gateway.core.framing import Bundle, payloads, ping_frame, text_frame, text_frames


def parsed(data: bytes) -> list[Frame]:
    reader = StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    frames = []
    while reader.buffer:
        parsing = Frame.parse(reader.read_exact, mask=False)
        try:
            while True:
                next(parsing)
        except StopIteration as done:
            frames.append(done.value)
    return frames


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 200_000])
def test_every_length_is_one_whole_text_frame(size: int) -> None:
    (frame,) = parsed(text_frame(b"a" * size))
    assert (frame.opcode, bytes(frame.data), frame.fin) == (Opcode.TEXT, b"a" * size, True)


def test_the_ping_is_a_ping() -> None:
    (frame,) = parsed(ping_frame(b"1234"))
    assert (frame.opcode, bytes(frame.data)) == (Opcode.PING, b"1234")


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_joined_frames_are_their_payloads(texts: list[bytes]) -> None:
    joined = text_frames(texts)
    assert joined == b"".join(text_frame(text) for text in texts)
    assert list(payloads(joined)) == texts
    assert [bytes(frame.data) for frame in parsed(joined)] == texts


def test_a_bundle_is_framed_once_however_many_share_it() -> None:
    bundle = Bundle([b"a", b"b" * 200])
    assert bundle.text_frames() == text_frames([b"a", b"b" * 200])
    assert bundle.text_frames() is bundle.text_frames()
