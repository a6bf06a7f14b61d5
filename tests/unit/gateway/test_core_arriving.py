"""How much of a request may arrive, to the byte; and where a stream of requests is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import arriving
from gateway.core.arriving import AllArriving, Arriving, Refusal, end_of_piece

HEADER_BYTES = 1_000


def one(everything: AllArriving | None = None) -> Arriving:
    return Arriving(HEADER_BYTES, everything or AllArriving())


def test_an_address_of_8192_bytes_fits_and_not_a_byte_more() -> None:
    count = one()
    assert [count.addressed(8_000), count.addressed(192), count.addressed(1)] == [None, None, arriving.ADDRESS]


def test_128_headers_fit_and_no_more() -> None:
    count = one()
    assert {count.header(2) for _ in range(128)} == {None}
    assert count.header(2) is arriving.HEADERS


def test_headers_fit_up_to_their_bytes_with_what_stands_between_them() -> None:
    count = one()
    assert [count.header(496), count.header(496), count.header(0)] == [None, None, arriving.HEADERS]


def test_a_header_that_does_not_end_is_refused_before_it_does() -> None:
    count = one()
    answers = [count.came_in_head(100) for _ in range(200)]
    assert answers.index(arriving.HEADERS) == (arriving.MAX_ADDRESS_BYTES + 256 + HEADER_BYTES) // 100


def test_a_body_is_bounded_and_so_is_what_stands_around_its_chunks() -> None:
    count = one()
    assert [count.bodied(65_536), count.bodied(1)] == [None, arriving.BODY]
    assert [one().came_in_body(131_072), one().came_in_body(131_073)] == [None, arriving.BODY]
    assert [one().trailer(4_092), one().trailer(4_093)] == [None, arriving.TRAILERS]


@pytest.mark.parametrize(
    ("value", "of_request", "of_handshake"),
    [
        (b"0", None, None),
        (b"5", None, arriving.HANDSHAKE_BODY),
        (b"65536", None, arriving.HANDSHAKE_BODY),
        (b"65537", arriving.BODY, arriving.HANDSHAKE_BODY),
        (b"9" * 5_000, arriving.BODY, arriving.HANDSHAKE_BODY),
        (b"-1", arriving.MALFORMED, arriving.HANDSHAKE_BODY),
    ],
)
def test_a_declared_body_is_judged_by_its_declaration(
    value: bytes, of_request: Refusal | None, of_handshake: Refusal | None
) -> None:
    headers = [(b"host", b"x"), (b"content-length", value)]
    assert one().declared(headers, handshake=False) is of_request
    assert one().declared(headers, handshake=True) is of_handshake
    chunked = [(b"transfer-encoding", b"chunked")]
    assert one().declared(chunked, handshake=False) is None
    assert one().declared(chunked, handshake=True) is arriving.HANDSHAKE_BODY


def test_what_follows_a_declared_body_is_of_the_next_request() -> None:
    count = one()
    assert count.at_most(100) == 100
    count.declared([(b"content-length", b"10")], handshake=False)
    assert count.at_most(100) == 10
    count.bodied(7)
    assert [count.at_most(100), count.at_most(2)] == [3, 2]


def test_all_requests_that_arrive_are_bounded_together_and_small_ones_fit_all_the_same() -> None:
    everything = AllArriving(arriving.MAX_ALL_BYTES)
    large, small = one(everything), one(everything)
    assert [large.came_in_body(arriving.FEW_BYTES), large.came_in_body(1)] == [None, arriving.BUSY]
    assert small.came_in_head(arriving.FEW_BYTES) is None
    large.over()
    small.over()
    assert everything.total == arriving.MAX_ALL_BYTES


@given(
    st.lists(st.sampled_from([b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\r\n", b"x\r\n\r", b"\r\n\r\n", b"ab"])),
    st.lists(st.integers(1, 9), min_size=1),
)
def test_no_piece_goes_beyond_an_empty_line_however_the_bytes_come(parts: list[bytes], sizes: list[int]) -> None:
    data, at, before, pieces = b"".join(parts), 0, b"", list[bytes]()
    reads = iter(sizes * (len(data) + 1))
    while at < len(data):
        read = data[at : at + next(reads)]
        end = end_of_piece(before, read, 0, len(read))
        pieces.append(read[:end])
        at += end
        before = b"" if (before + pieces[-1]).endswith(b"\r\n\r\n") else (before + pieces[-1])[-3:]
    assert b"".join(pieces) == data
    assert all(b"\r\n\r\n" not in piece[:-1] for piece in pieces)
