"""Halving finds the same as a look-up for every edge, and ranges without events cost next to nothing."""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.density import Halving, edges_of, tallied

TIMES = st.lists(st.lists(st.integers(0, 300), max_size=60).map(sorted), min_size=1, max_size=3)


def found_by_halving(times: list[list[int]], edges: list[int]) -> tuple[list[int], int]:
    """Counts, and the number of look-ups for them."""

    def first(p: int, at: int) -> int | None:
        offset = bisect_left(times[p], at)
        return None if offset == len(times[p]) else offset

    ends = {p: len(of) for p, of in enumerate(times)}

    def at(edge: int) -> dict[int, int]:
        return {p: ends[p] if (offset := first(p, edge)) is None else offset for p in ends}

    halving, lookups = Halving(len(edges) - 1, at(edges[0]), at(edges[-1])), 0
    while queries := halving.queries():
        lookups += len(queries)
        for question in queries:
            halving.answer(question, {p: first(p, edges[question.edge]) for p in question.partitions})
    return halving.counts(), lookups


@given(times=TIMES, begin=st.integers(0, 300), length=st.integers(0, 300), buckets=st.integers(1, 50))
def test_halving_finds_what_counting_finds(times: list[list[int]], begin: int, length: int, buckets: int) -> None:
    edges = edges_of(begin, begin + length, buckets)
    counts, lookups = found_by_halving(times, edges)
    whole = sorted(at for of in times for at in of)
    assert counts == [bisect_left(whole, b) - bisect_left(whole, a) for a, b in pairwise(edges)]
    assert counts == tallied(edges, whole, 0)
    assert lookups <= len(edges) - 2


def test_where_nothing_was_appended_nothing_is_looked_up() -> None:
    counts, lookups = found_by_halving([[500_000], []], edges_of(0, 1_000_000, 1_000))
    assert (sum(counts), counts[500]) == (1, 1)
    assert lookups <= 20


@given(begin=st.integers(0, 10), length=st.integers(-5, 5_000), buckets=st.integers(1, 1_000))
def test_edges_rise_and_buckets_are_alike_to_a_millisecond(begin: int, length: int, buckets: int) -> None:
    edges = edges_of(begin, begin + length, buckets)
    lengths = {after - before for before, after in pairwise(edges)}
    assert (edges[0], edges[-1]) == (begin, begin + max(1, length))
    assert min(lengths) >= 1 and max(lengths) - min(lengths) <= 1 and len(edges) - 1 <= buckets


def test_a_bucket_that_begins_before_what_is_known_is_not_known() -> None:
    assert tallied([0, 10, 20, 30], [5, 12, 25, 29, 30, 40], 10) == [None, 1, 2]
    assert tallied([0, 10, 20, 30], [25], 11) == [None, None, 1]
