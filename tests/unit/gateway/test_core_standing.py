"""The state of a subscriber: every event is defined in every state, unless it cannot happen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.standing import Event, Standing, after

ANY = [event for event in Event if event is not Event.LEVELLED]


@pytest.mark.parametrize("standing", Standing)
@pytest.mark.parametrize("event", ANY)
def test_whatever_happens_has_a_meaning_at_any_time(standing: Standing, event: Event) -> None:
    assert after(standing, event) in Standing


@pytest.mark.parametrize("standing", [s for s in Standing if s not in (Standing.BEHIND, Standing.ENDED)])
def test_only_who_is_served_can_get_level(standing: Standing) -> None:
    with pytest.raises(KeyError):
        after(standing, Event.LEVELLED)
    assert after(Standing.BEHIND, Event.LEVELLED) is Standing.LIVE


@pytest.mark.parametrize("event", Event)
def test_the_end_is_the_end(event: Event) -> None:
    assert after(Standing.ENDED, event) is Standing.ENDED


@given(st.lists(st.sampled_from(ANY), max_size=30))
def test_held_until_released_and_full_from_filled_to_drained(events: list[Event]) -> None:
    standing = Standing.HELD
    for event in events:
        standing = after(standing, event)
    if Event.LEFT in events:
        assert standing is Standing.ENDED
        return
    assert standing.held == (Event.RELEASED not in events)
    filling = [event for event in events if event in (Event.FILLED, Event.DRAINED)]
    assert standing.full == (filling[-1:] == [Event.FILLED])


@pytest.mark.parametrize("event", [Event.FILLED, Event.MOVED, Event.LEFT])
def test_who_is_live_leaves_its_audience_by_filling_moving_and_going(event: Event) -> None:
    assert after(Standing.LIVE, event) is not Standing.LIVE


@pytest.mark.parametrize("event", [Event.RELEASED, Event.DRAINED])
def test_who_is_live_stays_so_otherwise(event: Event) -> None:
    assert after(Standing.LIVE, event) is Standing.LIVE
