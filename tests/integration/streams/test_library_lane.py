"""A lane that is stopped at any moment leaves a position from which its next owner continues."""

from __future__ import annotations

import asyncio

from aiokafka import TopicPartition

from runtime.epochs import read_epochs
from runtime.kafka import Kafka
from schemas.lanes import lane_of
from schemas.topics import RAW
from streams.library.lane import LaneWorker
from streams.library.positions import Positions
from streams.library.service import GROUP
from streams.library.snapshots import Snapshots
from streams.library.ticks import Ticker
from streams.library.writer import LaneWriter
from tests.support.fold_run import Feeder, Workers, drained, verdict

LIBRARY = "home"
CHANGES = 1_500
MOMENTS = (0.0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4)
"""Seconds after which the lane is stopped: before it began, while it restores, and after."""


async def run_for(kafka: Kafka, number: int, seconds: float) -> tuple[int, int]:
    """Own a lane for so long; its position before and after."""
    partition = TopicPartition(kafka.name(RAW), number)
    positions, snapshots = Positions(kafka), Snapshots(kafka)
    consumer, ticks = kafka.tail_consumer(), kafka.producer(linger_ms=0)
    for client in (positions, snapshots, consumer, ticks):
        await client.start()
    consumer.assign([partition])
    consumer.pause(partition)
    lane = LaneWorker(
        consumer,
        partition,
        epoch=(await read_epochs(kafka))[RAW.name].epoch,
        writer=LaneWriter(kafka, number, kafka.group(GROUP)),
        positions=positions,
        snapshots=snapshots,
        ticker=Ticker(kafka, ticks),
    )
    try:
        before = await positions.read(number)
        if not seconds:
            lane.request_stop()
        running = asyncio.create_task(lane.run())
        await asyncio.sleep(seconds)
        lane.request_stop()
        await running
        after = await positions.read(number)
    finally:
        for client in (ticks, consumer, snapshots, positions):
            await client.stop()
    assert before is not None
    assert after is not None
    return before.next_offset, after.next_offset


def test_stopped_while_it_restores_it_does_not_move_its_position_back(kafka: Kafka, workers: Workers) -> None:
    bootstrap = kafka.settings.bootstrap_servers or ""
    feeder = Feeder(kafka, seed=8, libraries=(LIBRARY,))
    first = workers("a")
    asyncio.run(feeder.run(CHANGES))
    drained(kafka, bootstrap, [first])
    assert first.end() == 0
    for seconds in MOMENTS:
        before, after = asyncio.run(run_for(kafka, lane_of(LIBRARY, kafka.lanes), seconds))
        assert after >= before > CHANGES, f"asked to stop after {seconds:g} s"
    last = workers("a")
    asyncio.run(feeder.run(50))
    drained(kafka, bootstrap, [last])
    assert last.end() == 0
    assert verdict(kafka, bootstrap) > CHANGES
