"""One root's life: the table's laws."""

from __future__ import annotations

from itertools import pairwise, product
from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from producer.core.life import LIFE, RootEvent, RootState, step

STATES, EVENTS = get_args(RootState), get_args(RootEvent)


def test_every_way_into_watching_arms_the_watches_and_scans_the_root() -> None:
    ways = [actions for (before, _), (after, actions) in LIFE.items() if after == "watching" != before]
    assert ways
    assert all(actions[-2:] == ("arm", "scan") for actions in ways)


def test_a_fault_never_leaves_a_known_root_watched() -> None:
    assert {step(state, "faulty")[0] for state in STATES} == {"new", "lost", "paused"}


def test_every_state_can_be_paused_and_nothing_but_the_operator_ends_that() -> None:
    assert {step(state, "paused")[0] for state in STATES} == {"paused"}
    assert {step("paused", event) for event in EVENTS} == {("paused", ())}


def test_of_a_root_never_seen_nothing_is_recorded() -> None:
    assert step("new", "faulty") == ("new", ())


@settings(deadline=None)
@given(st.lists(st.sampled_from(EVENTS)))
def test_lost_and_back_are_recorded_alternately(events: list[RootEvent]) -> None:
    state: RootState = "starting"
    recorded = []
    for event in events:
        state, actions = step(state, event)
        recorded += [action for action in actions if action.startswith("record_")]
    assert all(a != b for a, b in pairwise(recorded))
    assert recorded[:1] in ([], ["record_lost"])


def test_what_the_table_does_not_know_changes_nothing() -> None:
    for state, event in product(STATES, EVENTS):
        if (state, event) not in LIFE:
            assert step(state, event) == (state, ())
