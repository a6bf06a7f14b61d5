"""How often a file that is being written is examined."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from producer.core.pace import Pace

WRITES = st.lists(st.floats(0.001, 0.4), min_size=1, max_size=60)


STEP = 0.01


def looks(gaps: list[float]) -> tuple[list[float], float]:
    """When a file written at these intervals is examined, in steps of 10 ms; and when it was last written."""
    pace = Pace(0.5)
    writes = [round(sum(gaps[:n]) / STEP) for n in range(len(gaps) + 1)]
    seen: list[float] = []
    for tick in range(writes[-1] + 150):
        if tick in writes and pace.admit("a", tick * STEP):
            seen.append(tick * STEP)
        seen += [tick * STEP for _ in pace.due(tick * STEP)]
    return seen, writes[-1] * STEP


@settings(deadline=None)
@given(WRITES)
def test_at_once_then_at_most_twice_a_second_and_once_after_the_last_write(gaps: list[float]) -> None:
    seen, last = looks(gaps)
    assert seen[0] == 0.0
    assert all(b - a >= 0.5 - 1e-6 for a, b in pairwise(seen))
    assert last - 1e-6 <= seen[-1] <= last + 0.5 + 2 * STEP


def test_a_file_looked_at_for_another_reason_is_not_due_again() -> None:
    pace = Pace(0.5)
    assert pace.admit("a", 0.0)
    assert not pace.admit("a", 0.1)
    assert pace.next_due() == 0.5
    pace.forget("a")
    assert pace.next_due() is None
    assert pace.due(9.0) == []


def test_a_quiet_file_is_forgotten() -> None:
    pace = Pace(0.5)
    pace.admit("a", 0.0)
    assert pace.due(1.0) == []
    assert pace.admit("a", 1.01)
