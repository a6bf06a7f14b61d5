"""Frames without a message cost as much as those with one."""

from __future__ import annotations

import pytest

from gateway.core.frame_budget import BYTE_BURST, CONTROL_BURST, FRAME_BURST, MAX_FRAGMENTS, FrameBudget


def allowed(budget: FrameBudget, now: float = 0.0, **spent: int) -> bool:
    return budget.allows(now, **{"size": 0, "frames": 0, "control": 0, "fragments": 0, **spent})


@pytest.mark.parametrize(
    ("what", "most"), [("frames", FRAME_BURST), ("control", CONTROL_BURST), ("size", BYTE_BURST)]
)
def test_so_much_at_once_and_no_more(what: str, most: float) -> None:
    assert allowed(FrameBudget(0.0), **{what: int(most)})
    budget = FrameBudget(0.0)
    assert allowed(budget, **{what: int(most) - 1})
    assert not allowed(budget, **{what: 2})


def test_an_honest_client_is_never_refused() -> None:
    """Twenty messages of 4 kB a second in two fragments each, and a pong every other second."""
    budget = FrameBudget(0.0)
    assert all(
        allowed(budget, n / 20, size=4_096, frames=2, control=n % 40 == 0, fragments=2) for n in range(20_000)
    )


def test_the_fragments_of_a_message_are_counted() -> None:
    assert allowed(FrameBudget(0.0), fragments=MAX_FRAGMENTS)
    assert not allowed(FrameBudget(0.0), fragments=MAX_FRAGMENTS + 1)
