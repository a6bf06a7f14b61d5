"""From a batch of kernel events to the paths that have to be examined."""

from __future__ import annotations

import time

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


def test_what_a_move_brought_is_distinguished_from_what_was_touched_there_since() -> None:
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


def renamed_one_by_one(events: list[Event]) -> list[str]:
    """The paths to examine, in order, where each move renames whatever was touched at or below its source."""
    order: list[str] = []
    for event in events:
        if isinstance(event, Touched):
            order.append(event.path)
        elif isinstance(event, MoveEvent):
            inner = [path == event.source or path.startswith(event.source + "/") for path in order]
            order = [
                event.target + path[len(event.source) :] if is_below else path
                for path, is_below in zip(order, inner, strict=True)
            ]
        order = list(dict.fromkeys(order))
    ends = [end for event in events if isinstance(event, MoveEvent) for end in (event.source, event.target)]
    return list(dict.fromkeys([*order, *ends]))


@settings(deadline=None)
@given(EVENTS)
def test_paths_are_looked_at_in_the_order_of_their_first_touch_whatever_moved(events: list[Event]) -> None:
    assert list(normalise(events).looks) == renamed_one_by_one(events)


def test_moves_of_files_cost_no_look_at_all_other_paths() -> None:
    events: list[Event] = []
    for number in range(4_000):
        events += [Touched(f"d/.{number}.tmp", "closed"), MoveEvent(f"d/.{number}.tmp", f"d/{number}")]
    began = time.process_time()
    normalise(events)
    assert time.process_time() - began < 2
