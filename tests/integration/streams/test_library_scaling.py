"""Workers come and go: lanes that stay go on from memory, lanes that move are restored, and nothing is lost or twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from runtime.health import Health
from runtime.kafka import Kafka
from streams.library import service as module
from streams.library.service import LibraryService
from tests.support.fold_run import Feeder, drained, verdict
from tests.support.fold_run import Workers as Processes

STALL_SECONDS = 5.0
STOP_SECONDS = 30.0
"""A lane that is stopped has committed by then, however busy the machine is: one that is cut off leaves nothing."""
SESSION_MS = 12_000


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REVOKE_SECONDS", STOP_SECONDS)


@asynccontextmanager
async def running(kafka: Kafka, name: str) -> AsyncIterator[LibraryService]:
    """A worker in this process."""
    service = LibraryService(kafka=kafka, instance=name, health=Health())
    await service.start()
    try:
        yield service
    finally:
        await service.stop()


async def owning(service: LibraryService, lanes: int) -> None:
    """Wait until it has so many, all live."""
    for _ in range(1_500):
        if [one.state for one in service.progress.values()] == ["live"] * lanes:
            return
        await asyncio.sleep(0.02)
    raise TimeoutError(f"waited 30 s for {lanes} live lanes: {service.progress}")


async def fed(feeder: Feeder, changes: int, *services: LibraryService) -> None:
    """Write changes, and wait until each lane has committed in its present life."""
    await feeder.run(changes)
    for _ in range(1_500):
        if all(one.transactions for service in services for one in service.progress.values()):
            return
        await asyncio.sleep(0.02)
    raise TimeoutError(f"waited 30 s for a commit of each lane: {[service.progress for service in services]}")


def lives(said: list[Any]) -> dict[int, bool]:
    """Of each lane that has gone live since: whether it went on from memory."""
    found = {one["lane"]: one["kept"] for one in said if one["event"] == "lane live"}
    said.clear()
    return found


async def come_and_go(kafka: Kafka, feeder: Feeder) -> None:
    """One has both lanes, another joins, stops, joins again; and one that leaves is made up for at once."""
    settings = kafka.settings.model_copy(update={"session_timeout_ms": SESSION_MS})
    patient = Kafka(settings, "stream")
    with capture_logs() as said:
        async with running(patient, "first") as first:
            await owning(first, 2)
            await fed(feeder, 300, first)
            assert lives(said) == {0: False, 1: False}
            assert not first.has_company

            async with running(patient, "second") as second:
                await owning(second, 1)
                await owning(first, 1)
                stayed, moved = next(iter(first.progress)), next(iter(second.progress))
                assert lives(said) == {stayed: True, moved: False}
                assert first.has_company
                assert second.has_company
                await fed(feeder, 300, first, second)
                second.leave_at_stop()
                began = asyncio.get_running_loop().time()
            await owning(first, 2)
            assert asyncio.get_running_loop().time() - began < STALL_SECONDS  # and not a session later
            assert lives(said) == {stayed: True, moved: False}
            await feeder.run(300)


def test_lanes_that_stay_go_on_from_memory_and_those_that_move_are_restored(
    kafka: Kafka, workers: Processes
) -> None:
    feeder = Feeder(kafka, seed=21)
    asyncio.run(come_and_go(kafka, feeder))
    bootstrap, last = kafka.settings.bootstrap_servers or "", workers("last")
    drained(kafka, bootstrap, [last])
    assert last.end() == 0
    assert verdict(kafka, bootstrap) > 900


async def taken_and_given_back(kafka: Kafka, feeder: Feeder) -> None:
    """A lane's state that was kept is not gone on with where another has moved the position on."""
    with capture_logs() as said:
        async with running(kafka, "first") as service:
            await owning(service, 2)
            await fed(feeder, 200, service)
            partitions = list(service._lanes)
            lives(said)
            for is_elsewhere in (False, True, False):
                await service.revoke(partitions)
                if is_elsewhere:
                    kept, service._kept = service._kept, {}
                    service.assign(partitions)
                    await owning(service, 2)
                    await fed(feeder, 100, service)
                    await service.revoke(partitions)
                    service._kept = kept
                    lives(said)
                service.assign(partitions)
                await owning(service, 2)
                assert lives(said) == dict.fromkeys((0, 1), not is_elsewhere)
                await fed(feeder, 100, service)


def test_what_was_kept_is_nothing_worth_where_another_has_gone_on(kafka: Kafka, workers: Processes) -> None:
    feeder = Feeder(kafka, seed=22)
    asyncio.run(taken_and_given_back(kafka, feeder))
    bootstrap, last = kafka.settings.bootstrap_servers or "", workers("last")
    drained(kafka, bootstrap, [last])
    assert last.end() == 0
    assert verdict(kafka, bootstrap) > 600
