"""Waits double from the first to the longest, and restart after a success."""

from __future__ import annotations

from runtime.waits import Backoff, Waits, always


def test_each_failure_doubles_the_wait_up_to_the_longest() -> None:
    waits = Waits(0.5, 3.0)
    assert [waits.after(n) for n in range(1, 6)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert waits.after(10_000) == 3.0


def test_one_that_is_always_the_same_does_not_grow() -> None:
    assert {always(0.2).after(n) for n in range(1, 50)} == {0.2}


def test_a_success_begins_anew() -> None:
    backoff = Backoff(Waits(0.5, 3.0))
    assert [backoff.next_seconds() for _ in range(3)] == [0.5, 1.0, 2.0]
    backoff.reset()
    assert backoff.next_seconds() == 0.5
