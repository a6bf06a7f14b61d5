"""A projector is well when it stands where it should, moves, and nobody it needs is away."""

from __future__ import annotations

import pytest

from streams.projector.condition import STUCK_SECONDS, ProjectorCondition


def a_well_one() -> ProjectorCondition:
    """Settled and just alive."""
    condition = ProjectorCondition(settled=True)
    condition.alive()
    return condition


def test_settled_and_moving_it_is_well() -> None:
    assert a_well_one().checks().problems() == {}


def test_it_is_not_ready_before_its_positions_are_settled() -> None:
    condition = a_well_one()
    condition.settled = False
    checks = condition.checks()
    assert checks.unready() == {"positions": "starting: the positions are not settled yet"}
    assert checks.problems() == {}


def test_one_that_has_just_been_made_stands_still_for_nobody() -> None:
    assert ProjectorCondition().checks().problems() == {}


@pytest.mark.parametrize("part", ["database", "kafka"])
def test_what_is_away_is_named(part: str) -> None:
    condition = a_well_one()
    setattr(condition, part, "connection refused")
    assert condition.checks().problems() == {part: "connection refused"}


def test_standing_still_is_an_illness() -> None:
    condition = a_well_one()
    condition.alive_at -= STUCK_SECONDS + 1
    assert list(condition.checks().problems()) == ["progress"]
