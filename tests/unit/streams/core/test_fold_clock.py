"""Lane time is the sum of the forward steps of append time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.core.clock import LaneClock
from tests.support.lane import Lane, a_file, kinds


def test_the_first_record_is_time_zero() -> None:
    assert LaneClock().advance(1_700_000_000_000) == 0


def test_a_step_back_costs_nothing_and_time_goes_on_from_there() -> None:
    clock = LaneClock()
    assert [clock.advance(at) for at in (1_000, 1_500, 200, 300, 1_500)] == [0, 500, 500, 600, 1_800]


@given(st.lists(st.integers(-(10**13), 10**13)))
def test_it_never_goes_back(times: list[int]) -> None:
    clock = LaneClock()
    nows = [clock.advance(at) for at in times]
    assert nows == sorted(nows)


@given(st.lists(st.integers(0, 10**6), min_size=1), st.integers(0, 10**13))
def test_where_the_log_starts_does_not_matter(steps: list[int], shift: int) -> None:
    here, there = LaneClock(), LaneClock()
    assert [here.advance(at) for at in steps] == [there.advance(at + shift) for at in steps]


def test_a_path_settles_in_lane_time_though_the_broker_clock_went_back(lane: Lane) -> None:
    lane.see("a.mkv", a_file(1))
    assert kinds(lane.later(-3_600_000)) == []
    assert kinds(lane.later(1_999)) == []
    assert kinds(lane.later(1)) == ["created a.mkv", "media created", "job"]
