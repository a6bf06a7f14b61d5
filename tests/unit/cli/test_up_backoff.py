"""A dead component is started again at once, then ever later, and at once again after a long life."""

from __future__ import annotations

from itertools import pairwise

from cli.up.supervision.backoff import LONG_LIFE_SECONDS, RestartDelay
from runtime.waits import COMPONENT


def delays(*lives: float) -> list[float]:
    backoff, found = RestartDelay(), []
    for life in lives:
        delay, backoff = backoff.after(life)
        found.append(delay)
    return found


def test_the_first_restart_comes_at_once() -> None:
    assert delays(0.1) == [COMPONENT.first]


def test_short_lives_are_followed_by_longer_and_longer_delays_up_to_the_ceiling() -> None:
    found = delays(*[0.1] * 10)
    assert all(later >= earlier for earlier, later in pairwise(found))
    assert found[-1] == COMPONENT.longest


def test_four_deaths_in_a_row_are_each_answered_within_two_seconds() -> None:
    assert max(delays(*[1.0] * 4)) <= 2.0


def test_a_long_life_is_followed_by_the_first_delay_however_long_the_last_one_was() -> None:
    assert delays(*[0.1] * 8, LONG_LIFE_SECONDS)[-1] == COMPONENT.first
