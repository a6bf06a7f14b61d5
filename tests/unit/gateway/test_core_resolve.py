"""Where a subscription starts: the request compared with the range of the log, and what is reported missing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.answers import MissedOffsets
from gateway.core.resolve import Resolved, fits, mode, newest, refuse, resume
from gateway.core.starts import BadOption, OnGap
from schemas.places import AtEach, Bounds, offsets

BOUNDS = Bounds(earliest=offsets({0: 10, 1: 0}), end=offsets({0: 50, 1: 5}))


def test_what_is_retained_is_recovered_whole() -> None:
    assert resume({0: 10, 1: 5}, BOUNDS, "earliest") == Resolved({0: 10, 1: 5})
    assert resume({0: 10, 1: 5}, BOUNDS, "earliest").recovered


def test_a_partition_that_is_not_named_starts_at_its_earliest() -> None:
    assert resume({1: 3}, BOUNDS, "earliest") == Resolved({0: 10, 1: 3})


@pytest.mark.parametrize(
    ("on_gap", "start", "missed"),
    [
        ("earliest", 10, MissedOffsets(4, 10)),
        ("fail", 10, MissedOffsets(4, 10)),
        ("live", 50, MissedOffsets(4, 50)),
    ],
)
def test_what_retention_took_is_named_with_its_range(on_gap: OnGap, start: int, missed: MissedOffsets) -> None:
    assert resume({0: 4, 1: 2}, BOUNDS, on_gap) == Resolved({0: start, 1: 2}, "retention", {0: missed})


@pytest.mark.parametrize("wanted", [{0: 51, 1: 0}, {0: 20, 2: 0}])
def test_beyond_the_end_or_a_partition_that_is_not_there_is_another_topic(wanted: dict[int, int]) -> None:
    found = resume(wanted, BOUNDS, "earliest")
    assert (found.reason, found.start) == ("epoch_changed", BOUNDS.earliest)
    assert found.missed == {p: MissedOffsets(offset, None) for p, offset in wanted.items()}
    assert resume(wanted, BOUNDS, "live").start == BOUNDS.end


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({7: 0}, "from.offsets: there is no partition 7, there are 2"),
        ({0: 20, 2: 0}, "from.offsets: there is no partition 2, there are 2"),
        ({0: 10**9}, "from.offsets.0: 1000000000 is beyond the end, 50"),
        ({0: 51, 1: 0}, "from.offsets.0: 51 is beyond the end, 50"),
    ],
)
def test_offsets_that_a_client_names_must_be_of_this_log(wanted: dict[int, int], message: str) -> None:
    with pytest.raises(BadOption) as caught:
        refuse(AtEach(offsets(wanted)), BOUNDS, "from.offsets")
    assert caught.value.reason == message


def test_offsets_up_to_the_end_and_those_that_are_gone_are_not_refused() -> None:
    refuse(AtEach(offsets({0: 50, 1: 5})), BOUNDS, "from.offsets")
    refuse(AtEach(offsets({0: 3})), BOUNDS, "from.offsets")
    refuse(AtEach(offsets({0: 10**9})), BOUNDS, "until.offsets", beyond=False)


def test_another_epoch_recovers_nothing_even_where_the_offsets_would_fit() -> None:
    assert resume({0: 20, 1: 1}, BOUNDS, "earliest", same_epoch=False).reason == "epoch_changed"


def test_memory_fits_only_when_every_partition_is_in_it() -> None:
    assert fits({0: 5, 1: 9}, {0: 5, 1: 0}, {0: 7, 1: 9})
    assert not fits({0: 4, 1: 9}, {0: 5, 1: 0}, {0: 7, 1: 9})
    assert not fits({0: 8, 1: 9}, {0: 5, 1: 0}, {0: 7, 1: 9})
    assert not fits({0: 5}, {0: 5, 1: 0}, {0: 7, 1: 9})


def test_the_mode_shows_from_where_the_first_events_are_read() -> None:
    floors, heads = {0: 5, 1: 0}, {0: 9, 1: 3}
    assert mode({0: 9, 1: 3}, floors, heads) == "live"
    assert mode({0: 5, 1: 3}, floors, heads) == "ring"
    assert mode({0: 4, 1: 3}, floors, heads) == "log"


@given(
    tails=st.dictionaries(
        st.integers(0, 3),
        st.lists(st.integers(0, 20), max_size=10).map(
            lambda ats: [(at, i * 2) for i, at in enumerate(sorted(ats))]
        ),
        min_size=1,
    ),
    count=st.integers(1, 12),
)
def test_the_newest_n_start_so_that_at_least_n_come(tails: dict[int, list[tuple[int, int]]], count: int) -> None:
    heads = {p: len(tail) * 2 + 1 for p, tail in tails.items()}
    start = newest(tails, heads, count)
    coming = [(at, p, o) for p, tail in tails.items() for at, o in tail if o >= start[p]]
    everything = [(at, p, o) for p, tail in tails.items() for at, o in tail]
    assert len(coming) >= min(count, len(everything))
    assert set(sorted(everything)[-count:]) <= set(coming)
