"""One root's life: the table's laws."""

from __future__ import annotations

from itertools import pairwise, product
from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from producer.core.life import LIFE, Happening, RootState, step

STATES, HAPPENINGS = get_args(RootState), get_args(Happening)


def test_every_way_into_watching_arms_the_watches_and_scans_the_root() -> None:
    ways = [deeds for (before, _), (after, deeds) in LIFE.items() if after == "watching" != before]
    assert ways
    assert all(deeds[-2:] == ("arm", "scan") for deeds in ways)


def test_a_fault_never_leaves_a_known_root_watched() -> None:
    assert {step(state, "faulty")[0] for state in STATES} == {"new", "lost", "paused"}


def test_every_state_can_be_paused_and_nothing_but_the_operator_ends_that() -> None:
    assert {step(state, "paused")[0] for state in STATES} == {"paused"}
    assert {step("paused", happening) for happening in HAPPENINGS} == {("paused", ())}


def test_of_a_root_never_seen_nothing_is_said() -> None:
    assert step("new", "faulty") == ("new", ())


@settings(deadline=None)
@given(st.lists(st.sampled_from(HAPPENINGS)))
def test_lost_and_back_are_told_in_turn(happenings: list[Happening]) -> None:
    state: RootState = "starting"
    told = []
    for happening in happenings:
        state, deeds = step(state, happening)
        told += [deed for deed in deeds if deed.startswith("say_")]
    assert all(a != b for a, b in pairwise(told))
    assert told[:1] in ([], ["say_lost"])


def test_what_the_table_does_not_know_changes_nothing() -> None:
    for state, happening in product(STATES, HAPPENINGS):
        if (state, happening) not in LIFE:
            assert step(state, happening) == (state, ())
