"""What is due comes in deadline order, ties in the order of being set; what was moved or taken away does not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.core.deadlines import Deadlines


class Thing:
    def __init__(self) -> None:
        self.deadline: int | None = None
        self.order = 0


def drained(deadlines: Deadlines[Thing], now: int) -> list[Thing]:
    found = []
    while (at := deadlines.next_at) is not None and at <= now:
        found.append(deadlines.pop())
    return found


def test_nothing_is_due_before_its_time() -> None:
    deadlines: Deadlines[Thing] = Deadlines()
    thing = Thing()
    deadlines.set(thing, 10)
    assert deadlines.next_at == 10
    assert drained(deadlines, 9) == []
    assert drained(deadlines, 10) == [thing]
    assert deadlines.next_at is None


def test_a_later_deadline_written_into_the_subject_counts() -> None:
    deadlines: Deadlines[Thing] = Deadlines()
    early, moved = Thing(), Thing()
    deadlines.set(moved, 5)
    deadlines.set(early, 7)
    moved.deadline = 9
    assert drained(deadlines, 8) == [early]
    assert drained(deadlines, 9) == [moved]


def test_set_again_replaces_even_to_earlier() -> None:
    deadlines: Deadlines[Thing] = Deadlines()
    thing = Thing()
    deadlines.set(thing, 50)
    deadlines.set(thing, 5)
    assert drained(deadlines, 5) == [thing]
    thing.deadline = None
    assert drained(deadlines, 100) == []


@given(st.lists(st.tuples(st.integers(0, 20), st.none() | st.integers(0, 20))), st.integers(0, 45))
def test_exactly_what_is_due_comes_and_in_order(plan: list[tuple[int, int | None]], now: int) -> None:
    deadlines: Deadlines[Thing] = Deadlines()
    things = []
    for at, postponed in plan:
        thing = Thing()
        deadlines.set(thing, at)
        if postponed is not None:
            thing.deadline = at + postponed
        things.append(thing)
    due = [thing for thing in things if thing.deadline is not None and thing.deadline <= now]
    assert drained(deadlines, now) == sorted(due, key=lambda thing: (thing.deadline, thing.order))
