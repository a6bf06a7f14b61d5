"""Clients whose partitions have no leader, or whose brokers are gone, cost next to nothing and resume when these return."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime.kafka import Kafka, stop_client
from schemas.topics import RAW
from tests.support.operator import Operator
from tests.support.servers import Brokers, clients

WATCHED_SECONDS = 3.0
MOST_CPU = 0.25
"""Of a processor, by ten consumers. One that did not pause took all of it."""
CONSUMERS = 10
BACK_SECONDS = 20.0


async def reading(kafka: Kafka) -> list[AIOKafkaConsumer]:
    """Consumers at the end of a partition, each after its first fetch."""
    place, found = TopicPartition(kafka.name(RAW), 0), []
    for _ in range(CONSUMERS):
        consumer = kafka.tail_consumer()
        await consumer.start()
        consumer.assign([place])
        await consumer.seek_to_end(place)
        await consumer.getmany(timeout_ms=100)
        found.append(consumer)
    return found


async def cpu_share() -> float:
    """Of this process, of one processor, beside whatever else the machine does."""
    before, began = time.process_time(), time.monotonic()
    await asyncio.sleep(WATCHED_SECONDS)
    return (time.process_time() - before) / (time.monotonic() - began)


def share_after(kafka: Kafka, happens: Callable[[], object]) -> float:
    async def main() -> float:
        consumers = await reading(kafka)
        try:
            await asyncio.to_thread(happens)
            await asyncio.sleep(1.0)
            return await cpu_share()
        finally:
            await asyncio.gather(*(stop_client(consumer) for consumer in consumers))

    return asyncio.run(main())


def test_a_topic_that_was_deleted_keeps_no_processor_busy(kafka: Kafka) -> None:
    assert share_after(kafka, lambda: Operator(kafka).delete(RAW)) < MOST_CPU


def test_while_no_broker_can_be_reached_nobody_is_busy_and_then_all_go_on(broker_factory: Brokers) -> None:
    broker = broker_factory()
    kafka = clients(broker)
    operator = Operator(kafka)
    operator.create(RAW)

    async def main() -> float:
        consumers = await reading(kafka)
        try:
            await asyncio.to_thread(operator.delete, RAW)
            await asyncio.to_thread(broker.kill)
            await asyncio.sleep(1.0)
            share = await cpu_share()
            await asyncio.to_thread(broker.start)
            await asyncio.to_thread(broker.wait_ready)
            await asyncio.to_thread(operator.create, RAW)
            producer = kafka.producer()
            await producer.start()
            await producer.send_and_wait(kafka.name(RAW), b"back", partition=0)
            await stop_client(producer)
            async with asyncio.timeout(BACK_SECONDS):
                assert [(await consumer.getone()).value for consumer in consumers] == [b"back"] * CONSUMERS
            return share
        finally:
            await asyncio.gather(*(stop_client(consumer) for consumer in consumers))

    assert asyncio.run(main()) < MOST_CPU
