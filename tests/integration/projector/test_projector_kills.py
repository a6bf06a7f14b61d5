"""Killed, stopped, doubled: the rows stay exact, for they and their position are one transaction."""

from __future__ import annotations

import asyncio
import signal
import time

from cli.provisioning.topics import apply
from runtime.kafka import Kafka
from schemas import topics
from streams.projector.replay import positions
from tests.support.projector_run import (
    Process,
    Writer,
    caught_up,
    expected,
    feed,
    history,
    joined,
    moved_beyond,
    until,
)
from tests.support.projector_tables import dump
from tests.support.servers import Brokers, clients

STOP_SECONDS = 8
POINTS = ("before_db_commit", "after_db_commit", "after_group_commit")


async def ended(process: Process, seconds: float = 60) -> int:
    """Wait for a process's own end; its exit code."""

    async def gone() -> bool:
        return process.died is not None

    await until(gone, seconds, "the process to die")
    assert process.died is not None
    return process.died


def test_killed_in_the_middle_of_work_it_loses_and_repeats_nothing(kafka: Kafka, migrated: str) -> None:
    async def run() -> None:
        log = history(11, 250)
        feeding = asyncio.create_task(feed(kafka, migrated, log.records))
        for hit in (2, 7):
            for point in POINTS:
                with Process(kafka, migrated, point=point, hit=hit) as process:
                    assert await ended(process) == -signal.SIGKILL, f"{point} was not reached"
        assert not feeding.done(), "all was written before the last kill"
        with Process(kafka, migrated) as last:
            await feeding
            await caught_up(kafka, migrated)
            assert await asyncio.to_thread(last.end) == 0
        tables = dump(migrated)
        assert tables == await expected(kafka)
        assert sorted(int(str(row["n"])) for row in tables["change_log"].values()) == list(
            range(1, len(log.of(topics.CHANGES)) + 1)
        )

    asyncio.run(run())


def test_killed_while_it_catches_up_in_bulk_it_loses_and_repeats_nothing(kafka: Kafka, migrated: str) -> None:
    async def run() -> None:
        await Writer(kafka).write(history(14, 1_500).records, per_transaction=1_000)
        for point in ("before_position", "before_db_commit"):
            with Process(kafka, migrated, point=point, hit=2) as process:
                assert await ended(process) == -signal.SIGKILL, f"{point} was not reached"
        with Process(kafka, migrated) as last:
            await caught_up(kafka, migrated)
            assert await asyncio.to_thread(last.end) == 0
        assert dump(migrated) == await expected(kafka)

    asyncio.run(run())


def test_stopped_inside_a_transaction_past_its_session_it_holds_nobody_up_and_takes_part_again(
    kafka: Kafka, migrated: str
) -> None:
    async def run() -> None:
        log = history(12, 160)
        third = len(log.records) // 3
        with (
            Process(kafka, migrated, slot="a", point="before_db_commit", hit=3, itself=signal.SIGSTOP) as zombie,
            Process(kafka, migrated, slot="b") as other,
        ):
            await joined(kafka, 2)
            feeding = asyncio.create_task(feed(kafka, migrated, log.records[:third]))
            await until(lambda: _answer(zombie.stopped), 30, "the point to be reached")
            await feeding
            await caught_up(kafka, migrated)
            feeding = asyncio.create_task(feed(kafka, migrated, log.records[third : 2 * third]))
            await moved_beyond(migrated, await positions(migrated))
            zombie.signal(signal.SIGCONT)
            await feeding
            await caught_up(kafka, migrated)
            assert await asyncio.to_thread(other.end) == 0
            await feed(kafka, migrated, log.records[2 * third :])
            await caught_up(kafka, migrated)
            assert await asyncio.to_thread(zombie.end) == 0
        assert dump(migrated) == await expected(kafka)

    asyncio.run(run())


async def _answer(answer: bool) -> bool:
    return answer


def test_a_broker_killed_under_it_is_waited_for_and_does_not_keep_it_from_stopping(
    broker_factory: Brokers, migrated: str
) -> None:
    broker = broker_factory()
    kafka = clients(broker)
    asyncio.run(apply(kafka))

    async def run() -> None:
        log = history(13, 160)
        third = len(log.records) // 3
        with Process(kafka, migrated) as process:
            await feed(kafka, migrated, log.records[:third])
            for part in (log.records[third : 2 * third], log.records[2 * third :]):
                await Writer(kafka).write(part)
                broker.kill()
                broker.start()
                await broker.ready()
                await caught_up(kafka, migrated, 60)
            assert dump(migrated) == await expected(kafka)
            broker.kill()
            asked = time.monotonic()
            assert await asyncio.to_thread(process.end) == 0
            assert time.monotonic() - asked < STOP_SECONDS

    asyncio.run(run())
