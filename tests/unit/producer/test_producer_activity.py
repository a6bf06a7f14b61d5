"""Directories that are listed again although no change of them was reported."""

from __future__ import annotations

from producer.core.activity import FIRST_SECONDS, LONGEST_SECONDS, MOST, QUIET_SECONDS, SHARE, Activity
from producer.core.facts import Gone, Moved, There
from schemas.raw import FileState

FILE = FileState("file", 1, 1, 1, 1)


def looks(activity: Activity, until: float, *, took: float = 0.0) -> list[float]:
    """When the directory `d` is listed, if nothing differs any more."""
    found = []
    while (due := activity.next_due()) is not None and due <= until:
        for directory in activity.due(due):
            found.append(due)
            activity.listed(directory, due, took)
    return found


def test_what_differed_is_looked_at_again_ever_less_often_and_at_last_every_minute() -> None:
    activity = Activity()
    activity.saw([There("d/a", FILE)], 0.0)
    assert looks(activity, 200.0) == [1.0, 3.0, 7.0, 15.0, 31.0, 63.0, 123.0, 183.0]


def test_while_it_differs_each_time_it_is_looked_at_every_second() -> None:
    activity = Activity()
    activity.saw([There("d/a", FILE)], 0.0)
    for second in range(1, 5):
        assert activity.due(float(second)) == ["d"]
        activity.saw([There("d/a", FILE)], float(second))
        activity.listed("d", float(second), 0.0)
    assert activity.next_due() == 4.0 + FIRST_SECONDS


def test_where_nothing_differs_for_long_it_is_left_alone() -> None:
    activity = Activity()
    activity.saw([Gone("d/a")], 0.0)
    assert activity.due(QUIET_SECONDS) == []
    assert activity.next_due() is None


def test_a_directory_that_takes_long_to_list_is_looked_at_less_often() -> None:
    activity = Activity()
    activity.saw([Gone("d/a")], 0.0)
    assert looks(activity, 100.0, took=1.0) == [
        1.0,
        1.0 + SHARE,
        1.0 + 2 * SHARE,
        1.0 + 3 * SHARE,
        1.0 + 4 * SHARE,
    ]


def test_no_directory_is_looked_at_less_often_than_every_minute() -> None:
    activity = Activity()
    activity.saw([Gone("d/a")], 0.0)
    assert looks(activity, 70.0, took=100.0) == [1.0, 1.0 + LONGEST_SECONDS]


def test_one_that_is_still_being_listed_is_not_due_again() -> None:
    activity = Activity()
    activity.saw([Gone("d/a")], 0.0)
    assert activity.due(1.0) == ["d"]
    assert activity.due(500.0) == []


def test_both_ends_of_a_move_are_looked_at_and_the_root_like_any_other() -> None:
    activity = Activity()
    activity.saw([Moved("a", "d/b", FILE, None)], 0.0)
    assert sorted(activity.due(1.0)) == ["", "d"]


def test_of_many_those_that_differed_last_are_kept() -> None:
    activity = Activity()
    for number in range(MOST + 1):
        activity.saw([Gone(f"{number}/a")], float(number) / 1_000)
    assert len(activity.due(10.0)) == MOST
    activity.saw([Gone("0/a")], 10.0)
    assert "0" in activity.due(20.0)
