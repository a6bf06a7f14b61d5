"""A broker that is killed between the decision of a transaction and its markers completes it when it is back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from aiokafka import TopicPartition

from runtime.kafka import Kafka, stop_client
from schemas.topics import ANALYSIS_JOBS
from tests.support.operator import Operator
from tests.support.servers import Brokers, clients

WRITERS = 4
ROUNDS = 12
"""A kill meets a decided transaction in more than one of two."""
COMMITTING_SECONDS = 1.0
DECIDED_SECONDS = 30.0
"""An open transaction is aborted after 10 s, by a check every 10 s."""


def test_a_transaction_that_was_decided_is_completed(broker_factory: Brokers) -> None:
    broker = broker_factory()
    kafka = clients(broker)
    Operator(kafka).create(ANALYSIS_JOBS)
    log = broker.folder / "log" / "server.log"
    for _ in range(ROUNDS):
        asyncio.run(_killed_while_committing(kafka, broker.kill))
        broker.start()
        broker.wait_ready()
        if "Sending txn markers for" in log.read_text():
            break
    text = log.read_text()
    assert "Sending txn markers for" in text, f"no kill met a decided transaction in {ROUNDS} rounds"
    assert "can be skipped" not in text
    committed, written = asyncio.run(_until_decided(kafka))
    assert committed == written


async def _killed_while_committing(kafka: Kafka, kill: Callable[[], None]) -> None:
    """Each writer commits transactions over all partitions, as fast as it can, until the broker is gone."""
    ended = asyncio.Event()
    writing = [asyncio.create_task(_write(kafka, number, ended)) for number in range(WRITERS)]
    await asyncio.sleep(COMMITTING_SECONDS)
    await asyncio.to_thread(kill)
    ended.set()
    for task in writing:
        task.cancel()
    await asyncio.gather(*writing, return_exceptions=True)


async def _write(kafka: Kafka, number: int, ended: asyncio.Event) -> None:
    producer = kafka.transactional_producer(f"writer-{number}")
    await producer.start()
    try:
        while not ended.is_set():
            async with producer.transaction():
                await asyncio.gather(
                    *(producer.send(place.topic, b"x", partition=place.partition) for place in _places(kafka))
                )
    finally:
        await stop_client(producer, 1.0)


async def _until_decided(kafka: Kafka) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
    """Where the partitions end for readers of committed records, and for all: the same, or at the end of the time."""
    deadline = time.monotonic() + DECIDED_SECONDS
    while True:
        committed, written = [await _ends(kafka, level) for level in ("read_committed", "read_uncommitted")]
        if committed == written or time.monotonic() > deadline:
            return committed, written
        await asyncio.sleep(0.2)


async def _ends(kafka: Kafka, level: str) -> dict[TopicPartition, int]:
    consumer = kafka.tail_consumer(isolation_level=level)
    await consumer.start()
    try:
        return dict(await consumer.end_offsets(_places(kafka)))
    finally:
        await stop_client(consumer)


def _places(kafka: Kafka) -> list[TopicPartition]:
    count = ANALYSIS_JOBS.partition_count(kafka.lanes)
    return [TopicPartition(kafka.name(ANALYSIS_JOBS), number) for number in range(count)]
