"""`catalogizer replay project` from the beginning: fills new tables from the log and swaps them for the old ones.

A projector may run meanwhile: it writes the old tables until the new ones have reached its position and replace them, in
one transaction with the positions. Reading a batch, converting it to rows (in a thread) and copying the rows of the previous
batch run concurrently.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition

from cli.answering import answering
from cli.progress import Advance, Stages
from cli.provisioning.tables_lock import tables_locked
from runtime.database import OPTIONS
from runtime.dead_letters import DeadLetters
from runtime.kafka import Kafka, stop_client
from runtime.lifecycle import without_collector
from runtime.log_reading import Offsets, bounds, partitions_of, reader, stretch
from schemas.log_record import LogRecord
from schemas.places import Offset
from schemas.topics import SYSTEM_UPDATES
from streams.projector.assigned import epochs_of, partition_of
from streams.projector.errors import LogEpochChanged, LogShorter, RebuildFailed
from streams.projector.keeping import Planned, keep, planned
from streams.projector.main import FETCH_BYTES
from streams.projector.new_tables import NewTables
from streams.projector.plan import TOPICS
from streams.projector.positions import Partition, PartitionPosition
from streams.projector.rows import Row
from streams.projector.store import Point, no_point

CALLER = "catalogizer replay project"
MAX_RECORDS = 10_000
Write = Callable[[Sequence[Row]], Awaitable[None]]


@dataclass(slots=True)
class Rebuilt:
    """Counts of the work done. `letters`: records that became dead letters."""

    records: int = 0
    rows: int = 0
    letters: int = 0


async def rebuild(kafka: Kafka, url: str, *, show: Stages | None = None, points: Point = no_point) -> Rebuilt:
    """Fill new tables from the whole log and replace the old ones with them. Raises RebuildFailed, Alarm, TablesLocked,
    LogSilent, NotProvisioned, KafkaError: then nothing has changed. `points` is called at `filling`, `before_swap` and
    `after_swap`."""
    with _one_at_a_time(url), without_collector():
        try:
            async with (
                reader(kafka, max_partition_fetch_bytes=FETCH_BYTES, fetch_max_bytes=4 * FETCH_BYTES) as consumer,
                _letters(kafka) as letters,
                await psycopg.AsyncConnection.connect(url, application_name=CALLER, **OPTIONS) as connection,
            ):
                tables = NewTables(connection)
                work = _Rebuild(kafka, consumer, tables, letters, show or Stages(hidden=True), points)
                done = await work.run()
            points("after_swap")
            return done
        except psycopg.Error as error:
            raise RebuildFailed(_reason(error)) from error


def _one_at_a_time(url: str) -> AbstractContextManager[object]:
    """Lock out migrations and other rebuilds."""
    return tables_locked(url, CALLER, seconds=5)


def _reason(error: psycopg.Error) -> str:
    parts = [error.diag.message_primary or str(error), *(error.diag.message_detail or "").split("\n")]
    return ": ".join(line for line in (" ".join(part.split()) for part in parts) if line)


@asynccontextmanager
async def _letters(kafka: Kafka) -> AsyncIterator[DeadLetters]:
    producer = kafka.producer()
    await producer.start()
    try:
        yield DeadLetters(kafka, producer)
    finally:
        await stop_client(producer)


@dataclass(slots=True)
class _Rebuild:
    """One rebuild, in the connection's transaction, which is committed at the end of its block."""

    kafka: Kafka
    consumer: AIOKafkaConsumer
    tables: NewTables
    letters: DeadLetters
    show: Stages
    points: Point
    done: Rebuilt = field(default_factory=Rebuilt)

    async def run(self) -> Rebuilt:
        epochs = await epochs_of(self.kafka, [topic.name for topic in TOPICS])
        found = [await partitions_of(self.consumer, self.kafka.name(topic)) for topic in TOPICS]
        await self.tables.make()
        kept = await self.tables.positions()  # before the log's ends are read: a projector continues meanwhile
        within = await bounds(self.consumer, places := [place for of in found for place in of])
        self._beyond(within.earliest, kept, epochs, within.end)
        if any(within.earliest[place] for place in places if self._topic(place) == SYSTEM_UPDATES.name):
            await self.tables.take_statuses()
        reached = await self._read("filling new tables", within.earliest, within.end, self.tables.fill)
        with self.show.stage("making their indexes"):
            await self.tables.finish()
        end = (await bounds(self.consumer, places)).end
        reached = await self._read("what came meanwhile", reached, end, self.tables.write)
        kept = await self.tables.hold()
        last = self._beyond(reached, kept, epochs, (await bounds(self.consumer, places)).end)
        reached = await self._read("what came meanwhile", reached, last, self.tables.write)
        self.points("before_swap")
        await self.tables.swap({p: at for p, at in self._positions(reached, epochs).items() if kept.get(p) != at})
        return self.done

    def _topic(self, place: TopicPartition) -> str:
        return partition_of(self.kafka, place).topic

    def _positions(self, reached: Offsets, epochs: Mapping[str, str]) -> dict[Partition, PartitionPosition]:
        named = {partition_of(self.kafka, place): offset for place, offset in reached.items()}
        return {
            partition: PartitionPosition(offset, epochs[partition.topic]) for partition, offset in named.items()
        }

    def _beyond(
        self,
        reached: Mapping[TopicPartition, Offset],
        kept: Mapping[Partition, PartitionPosition],
        epochs: Mapping[str, str],
        end: Mapping[TopicPartition, Offset],
    ) -> Offsets:
        """The projector's positions, but no less than was read here. Raises LogEpochChanged, LogShorter."""
        last = dict(reached)
        for place in reached:
            partition = partition_of(self.kafka, place)
            if (position := kept.get(partition)) is None:
                continue
            if position.epoch != epochs[partition.topic]:
                raise LogEpochChanged(partition, position.epoch, epochs[partition.topic])
            if position.next_offset > end[place]:
                raise LogShorter(partition, position.next_offset, end[place])
            last[place] = max(reached[place], Offset(position.next_offset))
        return last

    async def _read(
        self,
        what: str,
        starts: Mapping[TopicPartition, Offset],
        ends: Mapping[TopicPartition, Offset],
        write: Write,
    ) -> Offsets:
        """Write the records in between; returns `ends`."""
        total = sum(ends[place] - start for place, start in starts.items())
        keeping: asyncio.Task[None] | None = None
        with self.show.stage(what, total) as advance:
            async with aclosing(answering(stretch(self.consumer, starts, ends, MAX_RECORDS))) as batches:
                try:
                    async for records in batches:
                        if records:
                            found = await asyncio.to_thread(self._plan, records)
                            if keeping is not None:
                                await keeping
                            keeping = asyncio.create_task(self._keep(found, write, advance))
                    if keeping is not None:
                        await keeping
                finally:
                    if keeping is not None:
                        keeping.cancel()
                        await asyncio.wait({keeping})
        return dict(ends)

    def _plan(self, records: Sequence[LogRecord]) -> list[Planned]:
        topic = self.kafka.topic(records[0].topic)
        return [planned(topic, record) for record in records]

    async def _keep(self, found: list[Planned], write: Write, advance: Advance) -> None:
        for one in found:
            if one.fault is not None:
                await self._bury(one.record, one.fault)
        await keep(found, partial(self._write, write), self._bury)
        self.points("filling")
        advance(found[-1].record.offset - found[0].record.offset + 1)

    async def _bury(self, record: LogRecord, error: Exception) -> None:
        await self.letters.put(record, error)
        self.done.letters += 1

    async def _write(self, write: Write, found: Sequence[Planned]) -> bool:
        rows = [row for one in found for row in one.rows]
        await write(rows)
        self.done.records += len(found)
        self.done.rows += len(rows)
        return True
