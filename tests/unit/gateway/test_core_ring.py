"""A ring covers [lo, hi) whatever holes lie in it, keeps within its bounds, and gives contiguous runs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.ring import Ring

PAYLOAD = b"x" * 10


def filled(offsets: list[int], *, start: int = 0, max_bytes: int = 10_000) -> Ring:
    ring = Ring(start, max_bytes)
    for offset in offsets:
        ring.append(offset, offset * 1_000, b"%d" % offset)
    return ring


def test_it_covers_from_its_start_to_where_the_reader_stands() -> None:
    ring = filled([3, 5], start=2)
    ring.advance(9)
    assert (ring.lo, ring.hi) == (2, 9)
    taken = ring.take(2, 1_000)
    assert (taken.payloads, taken.next) == ([b"3", b"5"], 9)


def test_a_start_in_a_hole_takes_what_lies_behind_it() -> None:
    assert filled([3, 5]).take(4, 1_000).payloads == [b"5"]


def test_a_budget_ends_a_run_before_the_first_frame_that_does_not_fit_but_gives_one_at_least() -> None:
    ring = filled([1, 2, 3])
    assert (ring.take(0, 2).payloads, ring.take(0, 2).next) == ([b"1", b"2"], 3)
    assert (ring.take(1, 0).payloads, ring.take(1, 0).next) == ([b"1"], 2)


def test_the_first_since_a_time_is_found_or_waited_for_at_the_end() -> None:
    ring = filled([1, 2, 7])
    ring.advance(9)
    assert ring.first_since(0, 2_000) == (2, True)
    assert ring.first_since(2, 1_000) == (2, True)
    assert ring.first_since(0, 2_001) == (7, True)
    assert ring.first_since(3, 8_000) == (9, False)
    assert ring.first_since(12, 8_000) == (12, False)


def test_until_is_exclusive_and_where_it_ends() -> None:
    ring = filled([1, 2, 7])
    assert (ring.take(0, 100, 5).payloads, ring.take(0, 100, 5).next) == ([b"1", b"2"], 5)
    assert (ring.take(0, 100, 99).payloads, ring.take(0, 100, 99).next) == ([b"1", b"2", b"7"], 8)


def test_the_oldest_go_when_it_is_full_and_the_newest_stays_whatever_its_size() -> None:
    ring = Ring(0, 25)
    for offset in range(4):
        ring.append(offset, 0, PAYLOAD)
    assert (ring.lo, ring.hi, ring.size) == (2, 4, 20)
    ring.append(4, 0, b"y" * 100)
    assert (ring.lo, ring.take(4, 1).payloads) == (4, [b"y" * 100])


def test_age_drops_what_was_appended_before() -> None:
    ring = filled([1, 2, 3])
    ring.evict(2_500)
    assert (ring.lo, ring.take(3, 100).payloads) == (3, [b"3"])


def test_the_newest_are_returned_with_their_times_oldest_first() -> None:
    assert filled([1, 2, 3]).newest(2, lambda _: True) == [(2_000, 2), (3_000, 3)]
    assert filled([1]).newest(5, lambda _: True) == [(1_000, 1)]


@given(steps=st.lists(st.integers(1, 4), max_size=3_000), keep=st.integers(20, 400), data=st.data())
def test_any_run_is_every_frame_from_its_start(steps: list[int], keep: int, data: st.DataObject) -> None:
    ring, offsets, at = Ring(0, keep), [], 0
    for step in steps:
        at += step
        ring.append(at, at, PAYLOAD)
        offsets.append(at)
    assert ring.size <= max(keep, len(PAYLOAD))
    start = data.draw(st.integers(ring.lo, ring.hi))
    budget = data.draw(st.integers(0, keep))
    taken = ring.take(start, budget)
    due = [offset for offset in offsets if offset >= start]
    assert len(taken.payloads) == len([offset for offset in due if offset < taken.next])
    assert bool(taken.payloads) == bool(due)
