"""From a run of kernel events to what has to be looked at."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from producer.core.normalise import Event, MoveEvent, Touched, normalise

PATHS = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)
EVENTS = st.lists(
    st.builds(Touched, PATHS, st.sampled_from(["appeared", "arrived", "gone", "written", "closed"]))
    | st.builds(MoveEvent, PATHS, PATHS)
)


def looks(*events: Event) -> dict[str, tuple[bool, bool]]:
    return {path: (look.whole, look.paced) for path, look in normalise(events).looks.items()}


def test_a_file_being_written_is_paced_until_something_else_happens_to_it() -> None:
    assert looks(Touched("a", "written"), Touched("a", "written")) == {"a": (False, True)}
    assert looks(Touched("a", "appeared"), Touched("a", "written")) == {"a": (False, False)}


def test_a_closed_or_arrived_file_is_whole() -> None:
    assert looks(Touched("a", "written"), Touched("a", "closed")) == {"a": (True, False)}
    assert looks(Touched("a", "arrived")) == {"a": (True, False)}


def test_what_was_touched_before_a_directory_moved_is_looked_at_under_its_new_name() -> None:
    work = normalise([Touched("a/x", "closed"), MoveEvent("a", "b"), Touched("b/y", "gone")])
    assert list(work.looks) == ["b/x", "b/y", "a", "b"]
    assert work.looks["b/x"].whole


def test_what_was_touched_after_a_move_keeps_its_name() -> None:
    assert list(looks(MoveEvent("a", "b"), Touched("a", "closed"))) == ["a", "b"]


def test_what_a_move_brought_is_told_apart_from_what_was_touched_there_since() -> None:
    assert normalise([MoveEvent("a", "b")]).looks["b"].brought
    assert not normalise([MoveEvent("a", "b"), Touched("b", "gone")]).looks["b"].brought
    assert not normalise([MoveEvent("a", "b"), MoveEvent("b", "c")]).looks["b"].brought


@settings(deadline=None)
@given(EVENTS)
def test_moves_keep_their_order_and_both_ends_of_each_are_looked_at(events: list[Event]) -> None:
    work = normalise(events)
    assert work.moves == [event for event in events if isinstance(event, MoveEvent)]
    assert all(move.source in work.looks and move.target in work.looks for move in work.moves)


@settings(deadline=None)
@given(EVENTS)
def test_every_touched_path_is_looked_at_under_the_name_that_the_moves_gave_it(events: list[Event]) -> None:
    work = normalise(events)
    for number, event in enumerate(events):
        if isinstance(event, Touched):
            path = event.path
            for later in events[number:]:
                if isinstance(later, MoveEvent) and (path + "/").startswith(later.source + "/"):
                    path = later.target + path[len(later.source) :]
            assert path in work.looks
