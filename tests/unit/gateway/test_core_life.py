"""The life of a connection: waiting for the client has time limits, and nothing follows a final write."""

from __future__ import annotations

from math import inf

import pytest

from gateway.core.life import IDLE_SECONDS, LINGER_SECONDS, REQUEST_SECONDS, Life, Stage, Step, begin

REQUEST = (Step.BEGAN, Step.HEADED, Step.WHOLE)
WAITS_FOR_US = (Stage.ANSWERING, Stage.HANDSHAKE, Stage.FRAMES)


def lived(*steps: Step, now: float = 0.0) -> Life:
    life = begin(now)
    for step in steps:
        life.happened(step, now)
    return life


@pytest.mark.parametrize(
    ("steps", "stage", "ends"),
    [
        ((), Stage.FRESH, REQUEST_SECONDS),
        ((Step.BEGAN,), Stage.HEAD, REQUEST_SECONDS),
        ((Step.BEGAN, Step.HEADED), Stage.BODY, REQUEST_SECONDS),
        (REQUEST, Stage.ANSWERING, inf),
        ((*REQUEST, Step.ANSWERED), Stage.IDLE, IDLE_SECONDS),
        ((Step.BEGAN, Step.UPGRADE_REQUESTED), Stage.HANDSHAKE, inf),
        ((Step.BEGAN, Step.UPGRADE_REQUESTED, Step.OPENED), Stage.FRAMES, inf),
        ((Step.FINAL_WRITE,), Stage.CLOSING, LINGER_SECONDS),
    ],
)
def test_each_stage_ends_in_its_time(steps: tuple[Step, ...], stage: Stage, ends: float) -> None:
    assert lived(*steps) == Life(ends, stage)


def test_head_and_body_have_one_time_together() -> None:
    life = lived(Step.BEGAN)
    life.happened(Step.HEADED, 9.0)
    assert (life.stage, life.ends) == (Stage.BODY, REQUEST_SECONDS)


def test_nothing_is_answered_before_it_is_complete() -> None:
    with pytest.raises(KeyError):
        lived(Step.BEGAN, Step.HEADED).happened(Step.ANSWERED, 0.0)


@pytest.mark.parametrize("stage", Stage)
def test_a_final_write_is_possible_at_any_time_and_nothing_follows_it(stage: Stage) -> None:
    life = Life(inf, stage)
    life.happened(Step.FINAL_WRITE, 5.0)
    for step in Step:
        life.happened(step, 6.0)
    assert life.stage is Stage.CLOSING
    assert life.ends == (inf if stage is Stage.CLOSING else 5.0 + LINGER_SECONDS)


@pytest.mark.parametrize("stage", [s for s in Stage if s not in (Stage.FRESH, Stage.IDLE, Stage.CLOSING)])
def test_no_request_begins_before_the_one_before_is_answered(stage: Stage) -> None:
    with pytest.raises(KeyError):
        Life(inf, stage).happened(Step.BEGAN, 0.0)
