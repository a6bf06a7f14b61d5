"""A consumer that hands its batches over returns the records that any other returns, from every offset: committed ones, in
every codec, where some transactions were aborted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from cli.provisioning.topics import apply
from cli.up.embedded.kafka import EmbeddedKafka
from gateway.core.about import FramedColumns, columns
from gateway.log.compiled import Unpack, compiled
from gateway.log.framer import Framer
from runtime.chunked_records import Batch, Chunk, deliver_chunks
from runtime.kafka import Kafka, stop_client
from schemas.channels import CHANNELS
from schemas.topics import MEDIA_UPDATES
from tests.support.frames_fuzz import Hand
from tests.support.servers import clients

CODECS = (None, "gzip", "snappy", "lz4", "zstd")
EACH = 40
"""Records of a transaction."""


@pytest.fixture(scope="module")
def kafka(broker: EmbeddedKafka) -> Kafka:
    kafka = clients(broker)
    asyncio.run(apply(kafka))
    asyncio.run(fill(kafka))
    return kafka


async def fill(kafka: Kafka) -> None:
    """Transactions in turn committed and aborted, and some records without a transaction."""
    hand, topic = Hand(7), kafka.name(MEDIA_UPDATES)
    for number, codec in enumerate(CODECS):
        producer = kafka.transactional_producer(f"chunks-{number}", compression_type=codec)
        await producer.start()
        for aborted in (False, True, False):
            await producer.begin_transaction()
            for _ in range(EACH):
                await producer.send(
                    topic, value=hand._plain().encode(), key=b"home", headers=hand._headers(), partition=0
                )
            await (producer.abort_transaction() if aborted else producer.commit_transaction())
        await stop_client(producer)
    async with kafka.producer(compression_type="lz4") as producer:
        for _ in range(EACH):
            await producer.send_and_wait(
                topic, value=hand._value(), key=b"home", headers=hand._headers(), partition=0
            )


@asynccontextmanager
async def at(kafka: Kafka, start: int) -> AsyncIterator[tuple[AIOKafkaConsumer, TopicPartition]]:
    """A consumer that reads from there."""
    place = TopicPartition(kafka.name(MEDIA_UPDATES), 0)
    consumer = kafka.tail_consumer(max_partition_fetch_bytes=8_192)  # several fetches
    await consumer.start()
    consumer.assign([place])
    consumer.seek(place, start)
    try:
        yield consumer, place
    finally:
        await stop_client(consumer)


async def plainly(kafka: Kafka, framer: Framer, start: int) -> FramedColumns:
    """Framed records from an offset to the end, as any consumer returns them."""
    async with at(kafka, start) as (consumer, place):
        end, found = (await consumer.end_offsets([place]))[place], columns(())
        while await consumer.position(place) < end:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                add(found, columns(framer.frames(place, records)))
        return found


async def in_chunks(kafka: Kafka, framer: Framer, start: int) -> tuple[FramedColumns, list[int]]:
    """The same in chunks, one after the other, and the consumer's positions after each."""

    def unpack(place: TopicPartition, batch: Batch) -> Iterator[Chunk[FramedColumns]]:
        return framer.chunks(place, batch)

    async with at(kafka, start) as (consumer, place):
        deliver_chunks(consumer, unpack)
        end, found = (await consumer.end_offsets([place]))[place], columns(())
        positions = [start]
        while positions[-1] < end:
            for chunks in (await consumer.getmany(timeout_ms=500, max_records=1)).values():
                for chunk in chunks:
                    add(found, chunk.content)
            positions.append(await consumer.position(place))
        return found, positions


def add(to: FramedColumns, more: FramedColumns) -> None:
    for column, values in zip(to, more, strict=True):
        column.extend(values)  # type: ignore[attr-defined]


@pytest.mark.parametrize("unpack", [None, compiled()], ids=["interpreted", "as installed"])
def test_from_every_offset_it_is_what_another_consumer_returns(kafka: Kafka, unpack: Unpack | None) -> None:
    channel = CHANNELS["media_updates"]
    reference = Framer(channel, legacy_payload=True)
    framer = Framer(channel, legacy_payload=True, compiled=unpack)

    async def main() -> None:
        whole = await plainly(kafka, reference, 0)
        assert len(whole[0]) == len(CODECS) * 2 * EACH + EACH
        for start in (0, 1, 5, EACH - 1, EACH, EACH + 1, EACH + 7, 2 * EACH + 1, *range(3 * EACH, 9 * EACH, 61)):
            found, positions = await in_chunks(kafka, framer, start)
            first = next(index for index, offset in enumerate(whole[0]) if offset >= start)
            assert found == tuple(column[first:] for column in whole), start
            assert positions == sorted(positions)

    asyncio.run(main())
