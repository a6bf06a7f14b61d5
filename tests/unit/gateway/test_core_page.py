"""A page has the partitions in the order of the log, each event once, and the start of the next one."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from gateway.core import answers
from gateway.core.about import About, Framed
from gateway.core.page import MAX_BYTES, Page, Source
from gateway.core.rights import EVERYTHING
from gateway.core.subscriber import NOBODY
from gateway.core.view import Filter, view_of

FILMS = About("home", "films")
MUSIC = About("home", "music")


def record(partition: int, offset: int, at: int, about: About = FILMS, size: int = 0) -> Framed:
    text = json.dumps({"type": "media_update", "partition": partition, "offset": offset, "x": "x" * size})
    return offset, at, text.encode(), about


def places(page: Page) -> list[tuple[int, int]]:
    found = [json.loads(event) for event in page.events]
    return [(event["partition"], event["offset"]) for event in found]


def one_page(log: dict[int, list[Framed]], starts: dict[int, int], limit: int, piece: int) -> Page:
    """A page of the log, read in pieces."""
    ends = {p: (records[-1][0] + 2 if records else 0) for p, records in log.items()}
    page = Page({p: Source(starts[p], ends[p]) for p in log}, view_of(EVERYTHING, 0, None), NOBODY, limit)
    page.fill()
    while wants := page.wanted():
        for p in wants:
            left = [r for r in log[p] if r[0] >= page.sources[p].next]
            page.sources[p].supply(left[:piece], left[piece][0] if len(left) > piece else ends[p])
        page.fill()
    return page


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 50)), max_size=40), st.integers(1, 9), st.integers(1, 5)
)
def test_pages_give_everything_once_whatever_their_size_and_pieces(
    written: list[tuple[int, int]], limit: int, piece: int
) -> None:
    log: dict[int, list[Framed]] = {0: [], 1: [], 2: []}
    for n, (partition, at) in enumerate(written):
        log[partition].append(record(partition, n, at))
    starts = dict.fromkeys(log, 0)
    got: list[tuple[int, int]] = []
    while True:
        page = one_page(log, starts, limit, piece)
        got += places(page)
        starts = page.next_offsets
        if page.complete:
            break
        assert len(page.events) == limit
    assert len(got) == len(written)
    assert {p: [o for q, o in got if q == p] for p in log} == {p: [r[0] for r in log[p]] for p in log}


def test_partitions_are_merged_by_append_time() -> None:
    log = {0: [record(0, 0, 10), record(0, 1, 30)], 1: [record(1, 0, 20), record(1, 1, 40)]}
    assert places(one_page(log, {0: 0, 1: 0}, 10, 1)) == [(0, 0), (1, 0), (0, 1), (1, 1)]


def test_a_page_ends_before_it_is_larger_than_its_bound_but_with_one_event_at_least() -> None:
    log = {0: [record(0, n, n, size=MAX_BYTES - 100) for n in range(2)]}
    page = one_page(log, {0: 0}, 10, 5)
    assert (places(page), page.next_offsets, page.complete) == ([(0, 0)], {0: 1}, False)


def test_a_gap_is_reported_beside_the_events_and_skipped() -> None:
    gap: Framed = (0, 0, answers.gap("media_updates", 0, 0, 7, "retention", 0), None)
    page = Page({0: Source(0, 9)}, view_of(EVERYTHING, 0, None), NOBODY, 10)
    page.sources[0].supply([gap], 7)
    page.fill()
    assert ([json.loads(g)["to"] for g in page.gaps], page.events, page.next_offsets) == ([7], [], {0: 7})


def test_what_is_not_seen_is_passed_and_what_is_beyond_the_end_left() -> None:
    view = view_of(NOBODY.rights, 0, Filter(roots=frozenset({"music"})))
    page = Page({0: Source(0, 3)}, view, NOBODY, 10)
    page.sources[0].supply([record(0, 0, 0), record(0, 1, 1, MUSIC), record(0, 5, 2, MUSIC)], 6)
    page.fill()
    assert (places(page), page.next_offsets, page.complete) == ([(0, 1)], {0: 3}, True)
