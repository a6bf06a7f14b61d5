"""A projector whose topics an operator's tools change while it runs: it ends with an alarm that names the topic."""

from __future__ import annotations

import asyncio

import pytest

from runtime.kafka import Kafka
from schemas import topics
from streams.projector.errors import LogEpochChanged
from tests.support.operator import Operator
from tests.support.projector_run import Writer, caught_up, history, projecting

TOLD_SECONDS = 60.0


def test_a_topic_made_anew_while_it_runs_and_grown_past_its_place_ends_it_with_an_alarm(
    kafka: Kafka, migrated: str
) -> None:
    async def run() -> None:
        await Writer(kafka).write(history(7, 20).records)
        with pytest.raises(LogEpochChanged, match=r"log_epoch_changed at catalog\.fs\.changes\.v1:"):
            async with projecting(kafka, migrated) as task:
                await caught_up(kafka, migrated)
                await asyncio.to_thread(Operator(kafka).make_anew, topics.CHANGES)
                await Writer(kafka).write(history(8, 60).records)
                await asyncio.wait_for(asyncio.shield(task), TOLD_SECONDS)

    asyncio.run(run())
