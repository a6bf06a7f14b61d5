"""The shelf has what was put there as long as there is room, and returns it for any offset in it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.about import columns
from gateway.core.shelf import OVERHEAD, Shelf, Stretch

PLACE = ("films", 0)
ROOM = 10 * OVERHEAD


def stretch(start: int, end: int) -> Stretch:
    framed = [(offset, 1_000 + offset, b"%d" % offset, None) for offset in range(start, end)]
    return Stretch(start, [columns(framed)], end)


def test_an_offset_is_found_in_the_stretch_that_covers_it_and_nowhere_else() -> None:
    shelf = Shelf(1_000_000)
    first, second = stretch(3, 5), stretch(5, 8)
    shelf.put(PLACE, first)
    shelf.put(PLACE, second)
    found = [shelf.find(PLACE, offset) for offset in range(2, 9)]
    assert found == [None, first, first, second, second, second, None]
    assert shelf.find(("films", 1), 3) is None


def test_a_hole_at_its_ends_is_covered_too() -> None:
    shelf = Shelf(1_000_000)
    shelf.put(PLACE, Stretch(3, [columns([(5, 1, b"x", None)])], 9))
    for offset, payloads in ((3, [b"x"]), (5, [b"x"]), (6, []), (8, [])):
        held = shelf.find(PLACE, offset)
        assert held is not None
        assert (held.take(offset, 100).payloads, held.take(offset, 100).next) == (payloads, 9)


def test_what_was_used_longest_ago_goes_first_and_the_newest_stays_whatever_its_size() -> None:
    shelf = Shelf(ROOM)
    shelf.put(PLACE, stretch(0, 3))
    shelf.put(PLACE, stretch(3, 6))
    assert shelf.find(PLACE, 0) is not None
    shelf.put(PLACE, stretch(6, 9))
    assert [shelf.find(PLACE, offset) is None for offset in (0, 3, 6)] == [False, True, False]
    shelf.put(PLACE, stretch(100, 200))
    assert [shelf.find(PLACE, offset) is None for offset in (0, 6, 100)] == [True, True, False]


def test_only_the_channel_of_a_recreated_topic_is_dropped() -> None:
    shelf = Shelf(1_000_000)
    shelf.put(PLACE, stretch(0, 3))
    shelf.put(("news", 0), stretch(0, 3))
    shelf.drop("films")
    assert shelf.find(PLACE, 0) is None
    assert shelf.find(("news", 0), 0) is not None


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30), st.integers(1, 12)), max_size=40))
def test_it_keeps_within_its_room_and_never_gives_what_does_not_cover(puts: list[tuple[int, int, int]]) -> None:
    shelf = Shelf(ROOM)
    for partition, start, length in puts:
        newest = stretch(start, start + length)
        shelf.put(("films", partition), newest)
        assert shelf.cost <= max(ROOM, newest.cost)
        assert shelf.find(("films", partition), start) is not None
    for partition in range(3):
        for offset in range(45):
            held = shelf.find(("films", partition), offset)
            assert held is None or held.lo <= offset < held.hi
    shelf.drop("films")
    assert shelf.cost == 0
