"""Reads the log for replays: a limited pool of consumers that seek, read one stretch, and are parked. (It does not use
`stretch` of `runtime.log_reading`: when the next stretch is due depends on the client's socket.)

It has three kinds of answers about a channel: the records from an offset, the present range of the log, and the offset and
record at which a time begins. It keeps no state of clients.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from gateway import metrics
from gateway.core import answers
from gateway.core.about import About, FramedColumns, columns
from gateway.core.memory import ChannelPartition as Place
from gateway.core.shelf import Stretch
from gateway.errors import GatewayError
from gateway.log.framer import Framer
from runtime import log_reading
from runtime.chunked_records import Batch, Chunk, deliver_chunks
from runtime.kafka import Kafka, stop_client
from runtime.log_reading import First
from schemas.channels import CHANNELS
from schemas.places import AtTime, Bounds, Offset
from schemas.times import Millis

T = TypeVar("T")

FETCH_BYTES = 524_288
"""Compressed, as the broker sends it: a fifth to a tenth of the size in memory."""
STRETCH_BYTES = 262_144
"""Payloads read for one answer, but at least one chunk."""
READ_SECONDS = 10.0
LOOKUP_SECONDS = 5.0
MAX_SCANNED_OFFSETS = 200_000
"""Offsets that are scanned for the newest events of a viewer who sees few of them."""


class LogUnavailable(GatewayError):
    """The log did not answer in time; the request may be repeated."""

    retryable = True


@dataclass(slots=True, eq=False)
class _Reader:
    consumer: AIOKafkaConsumer
    at: tuple[TopicPartition, int] | None = None


class LogReader:
    """The pool. Readers are made when needed and end with `stop`."""

    def __init__(self, kafka: Kafka, framers: Mapping[str, Framer], sessions: int) -> None:
        self._kafka = kafka
        self._channels = {
            kafka.name(topic): framers[name]
            for name, channel in CHANNELS.items()
            if (topic := channel.topic) is not None and name in framers
        }
        self._free = asyncio.Semaphore(sessions)
        self._idle: list[_Reader] = []
        self._lookup: AIOKafkaConsumer | None = None
        self._lookup_lock = asyncio.Lock()

    async def read(self, place: Place, start: int) -> Stretch:
        """One stretch from `start`, if there is something to read. What retention deleted before it could be read is a
        `gap`. Raises LogUnavailable."""
        partition = self._partition(place)
        async with self._reader(partition, start) as reader:
            metrics.LOG_READS.inc()
            try:
                return await self._stretch(reader, place, partition, start)
            except OffsetOutOfRangeError:
                reader.at = None
        earliest = (await self.bounds(place.channel, (place.partition,))).earliest[place.partition]
        if earliest <= start:
            raise LogUnavailable(f"{place} has no offset {start}")
        at = 0  # not of a record: the same gap for every client at every time
        gap = answers.gap(place.channel, place.partition, start, earliest, "retention", at)
        return Stretch(start, [columns([(start, at, gap, None)])], earliest)

    async def bounds(self, channel: str, partitions: tuple[int, ...]) -> Bounds[int]:
        """The present range of the log. Raises LogUnavailable."""
        within = await self._bounds(channel, partitions)
        earliest = {tp.partition: offset for tp, offset in within.earliest.items()}
        return Bounds(earliest, {tp.partition: offset for tp, offset in within.end.items()})

    async def since(self, channel: str, partitions: tuple[int, ...], at: int) -> dict[int, Offset]:
        """The offset at which append time `at` begins, by partition; if no record is as new, the end before the look-up, so
        that nothing appended meanwhile is skipped. Raises LogUnavailable."""
        within = await self._bounds(channel, partitions)
        consumer = await self._lookups()
        found = await self._look_up(log_reading.resolve(consumer, AtTime(Millis(at)), within))
        return {tp.partition: offset for tp, offset in found.items()}

    async def firsts(self, channel: str, partitions: Iterable[int], at: int) -> dict[int, First | None]:
        """The first event of each partition appended at `at` (ms) or later; None if there is none. Raises LogUnavailable."""
        wanted = [self._partition(Place(channel, p)) for p in partitions]
        found = await self._look_up(log_reading.firsts(await self._lookups(), at, wanted))
        return {tp.partition: first for tp, first in found.items()}

    async def newest(
        self, place: Place, bounds: Bounds[int], count: int, shows: Callable[[About | None], bool]
    ) -> list[tuple[int, int]]:
        """(append time, offset) of the `count` newest events below the end that are shown; fewer if fewer are retained, or
        are among the newest MAX_SCANNED_OFFSETS offsets. Raises LogUnavailable."""
        end = bounds.end[place.partition]
        earliest = max(bounds.earliest[place.partition], end - max(MAX_SCANNED_OFFSETS, 4 * count + 16))
        window = 4 * count + 16  # transactions of one record take two offsets each
        while True:
            start = max(earliest, end - window)
            entries, at = [], start
            while at < end:
                stretch = await self.read(place, at)
                read, _ = stretch.records(at)
                entries += [(when, offset) for offset, when, _, about in read if offset < end and shows(about)]
                at = stretch.hi
            if len(entries) >= count or start == earliest:
                return entries[-count:]
            window *= 4

    async def stop(self) -> None:
        """End the readers."""
        for reader in self._idle:
            await stop_client(reader.consumer)
        if self._lookup is not None:
            await stop_client(self._lookup)

    async def _stretch(self, reader: _Reader, place: Place, partition: TopicPartition, start: int) -> Stretch:
        consumer, loop = reader.consumer, asyncio.get_running_loop()
        if reader.at != (partition, start):
            consumer.assign([partition])
            consumer.seek(partition, start)
        consumer.resume(partition)
        reader.at = None
        deadline = loop.time() + READ_SECONDS
        runs: list[FramedColumns] = []
        size, end = 0, start
        while size < STRETCH_BYTES and loop.time() < deadline:
            got = await consumer.getmany(timeout_ms=0 if end > start else 100, max_records=1)
            before, end = end, await consumer.position(partition)
            if end == before and end > start:
                break
            for chunk in got.get(partition, ()):
                runs.append(chunk.content)
                size += sum(map(len, chunk.content[2]))
            await asyncio.sleep(0)  # live clients go first
        if end == start:
            raise LogUnavailable(f"nothing read of {place} from {start} in {READ_SECONDS} s")
        consumer.pause(partition)
        reader.at = (partition, end)
        return Stretch(start, runs, end)

    @asynccontextmanager
    async def _reader(self, partition: TopicPartition, start: int) -> AsyncIterator[_Reader]:
        """A reader, the one parked at this position if there is one; closed if it fails."""
        async with self._free:
            reader = next((r for r in self._idle if r.at == (partition, start)), None)
            if reader is not None:
                self._idle.remove(reader)
            else:
                reader = self._idle.pop(0) if self._idle else await self._new_reader()
            sound = False
            try:
                yield reader
                sound = True
            except KafkaError as error:
                raise LogUnavailable(str(error)) from error
            finally:
                if sound:
                    self._idle.append(reader)
                else:
                    await stop_client(reader.consumer)

    async def _new_reader(self) -> _Reader:
        # A parked reader's last fetch must not hold up the next one on its connection: short waits.
        consumer = self._kafka.tail_consumer(fetch_max_wait_ms=20, max_partition_fetch_bytes=FETCH_BYTES)
        await _started(consumer)
        deliver_chunks(consumer, self._unpack)
        return _Reader(consumer)

    def _unpack(self, partition: TopicPartition, batch: Batch) -> Iterator[Chunk[FramedColumns]]:
        return self._channels[partition.topic].chunks(partition, batch)

    async def _lookups(self) -> AIOKafkaConsumer:
        async with self._lookup_lock:
            if self._lookup is None:
                self._lookup = await _started(self._kafka.tail_consumer())
            return self._lookup

    async def _bounds(self, channel: str, partitions: tuple[int, ...]) -> log_reading.LogBounds:
        consumer = await self._lookups()
        return await self._look_up(
            log_reading.bounds(consumer, [self._partition(Place(channel, p)) for p in partitions])
        )

    async def _look_up(self, lookup: Awaitable[T]) -> T:
        try:
            return await asyncio.wait_for(lookup, LOOKUP_SECONDS)
        except (KafkaError, TimeoutError) as error:
            async with self._lookup_lock:
                broken, self._lookup = self._lookup, None
            if broken is not None:
                await stop_client(broken)
            raise LogUnavailable(str(error)) from error

    def _partition(self, place: Place) -> TopicPartition:
        topic = CHANNELS[place.channel].topic
        assert topic is not None  # only channels with a topic have partitions
        return TopicPartition(self._kafka.name(topic), place.partition)


async def _started(consumer: AIOKafkaConsumer) -> AIOKafkaConsumer:
    try:
        await asyncio.wait_for(consumer.start(), LOOKUP_SECONDS)
    except (KafkaError, TimeoutError, OSError) as error:
        await stop_client(consumer)
        raise LogUnavailable(str(error)) from error
    return consumer
