"""One transaction of a lane: its outputs, its position, parts of a snapshot, and the group's offset, all or nothing.

Every send's future is awaited before the commit, because `commit_transaction()` returns normally even if a send that was not
awaited has failed. The transaction's own failure is awaited at the same time: if the brokers deny it a partition, aiokafka
leaves the sends pending forever and reports for the next one that there is no transaction. After an error it is not known
whether the transaction was committed; the lane is then started again, and the fold is never continued.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import IllegalOperation, InvalidProducerEpoch, ProducerFenced
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import OffsetAndMetadata

from runtime.kafka import Kafka, stop_client
from runtime.rights import REFUSED
from schemas.admin import Position
from schemas.codec import encode
from schemas.topics import POSITIONS, RAW, SNAPSHOTS, Topic
from streams.core.emit import Output
from streams.library.errors import LaneLost

MARK = "catalogizer:1"
"""Metadata of every group offset that we commit. Kafka's own reset tool writes none, so an offset without it is an
operator's reset."""

MAX_BATCH_BYTES = 524_288
"""Uncompressed size of one record batch; one batch per partition is under way at a time, so they are large."""

Points = Callable[[str], None]
"""Named moments of a transaction, for tests that kill the process there."""


def nowhere(_point: str) -> None:
    """Does nothing; tests pass another function."""


class LaneWriter:
    """The transactional producer of one lane. Its transactional id is the lane's, so that a new owner fences the old
    one."""

    def __init__(self, kafka: Kafka, lane: int, group: str, points: Points = nowhere) -> None:
        self._kafka = kafka
        self._lane = lane
        self._group = group
        self._points = points
        self._producer: AIOKafkaProducer = kafka.transactional_producer(
            f"catalogizer.library.{lane}", max_batch_size=MAX_BATCH_BYTES
        )
        self._raw = TopicPartition(kafka.name(RAW), lane)

    async def start(self) -> None:
        """Fence the former owner and wait until its last transaction is completed."""
        await self._producer.start()

    async def stop(self) -> None:
        """Close, also while Kafka is unavailable; an open transaction is left to be aborted."""
        await stop_client(self._producer)

    async def commit(
        self, outputs: Sequence[Output], position: Position, chunks: Sequence[tuple[bytes, bytes]] = ()
    ) -> list[int]:
        """Write all in one transaction; returns the offsets of the chunks, which are keys and values of the snapshots'
        topic. Raises LaneLost when fenced, KafkaError when the outcome is unknown."""
        try:
            await self._producer.begin_transaction()
            self._points("before_send")
            futures = await self._send(outputs)
            kept = [await self._send_one(SNAPSHOTS, key, value) for key, value in chunks]
            futures += kept
            futures.append(await self._send_one(POSITIONS, b"%d" % self._lane, encode(position)))
            self._points("after_send")
            await self._delivered(futures)
            offset = OffsetAndMetadata(position.next_offset, MARK)
            await self._producer.send_offsets_to_transaction({self._raw: offset}, self._group)
            self._points("before_commit")
            await self._producer.commit_transaction()
            self._points("after_commit")
            return [future.result().offset for future in kept]
        except (ProducerFenced, InvalidProducerEpoch, IllegalOperation) as error:
            # the last one: if it was denied or fenced while sending, the transaction has already ended
            raise self._refusal() or LaneLost(self._lane) from error

    async def _delivered(self, futures: Sequence[asyncio.Future[object]]) -> None:
        over = self._producer._txn_manager._transaction_waiter
        sent = asyncio.ensure_future(asyncio.wait(futures, return_when=asyncio.FIRST_EXCEPTION))
        try:
            await asyncio.wait({sent, over}, return_when=asyncio.FIRST_COMPLETED)
            if over.done():
                over.result()
            for future in futures:
                if future.done():
                    future.result()
        finally:
            sent.cancel()

    def _refusal(self) -> Exception | None:
        """Why the transaction has ended, if a permission is missing."""
        over = self._producer._txn_manager._transaction_waiter
        error: Exception | None = over.exception() if over.done() else None
        return error if isinstance(error, REFUSED) else None

    async def _send(self, outputs: Iterable[Output]) -> list[asyncio.Future[object]]:
        grouped: dict[tuple[int, int], tuple[Topic, list[Output]]] = {}
        for output in outputs:
            place = (id(output.topic), output.partition)
            if place not in grouped:
                grouped[place] = (output.topic, [])
            grouped[place][1].append(output)
        futures: list[asyncio.Future[object]] = []
        for (_, partition), (topic, group) in grouped.items():
            futures += await self._send_group(self._kafka.name(topic), partition, group)
        return futures

    async def _send_group(
        self, topic: str, partition: int, outputs: Sequence[Output]
    ) -> list[asyncio.Future[object]]:
        futures = []
        batch = self._producer.create_batch()
        for output in outputs:
            if not _append(batch, output):
                futures.append(_ours(await self._producer.send_batch(batch, topic, partition=partition)))
                batch = self._producer.create_batch()
                if not _append(batch, output):
                    raise AssertionError("an output is larger than a batch: emit caps them below")
        futures.append(_ours(await self._producer.send_batch(batch, topic, partition=partition)))
        return futures

    async def _send_one(self, topic: Topic, key: bytes, value: bytes) -> asyncio.Future[Any]:
        name = self._kafka.name(topic)
        return _ours(await self._producer.send(name, key=key, value=value, partition=self._lane))


def _ours(future: asyncio.Future[Any]) -> asyncio.Future[Any]:
    """The outcome of a send; if the transaction has failed before it, only that failure is reported."""
    future.add_done_callback(lambda done: done.cancelled() or done.exception())
    return future


def _append(batch: BatchBuilder, output: Output) -> bool:
    """False when the batch is full."""
    added = batch.append(timestamp=None, key=output.key, value=output.value, headers=output.headers)
    return added is not None
