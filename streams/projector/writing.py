"""Writes records into the database.

A record is processed in one of two ways: its rows and the position after it are written in one transaction, or a dead letter
is confirmed and the position after it is written. In any other case it is read again from the database's position. Two
projectors on one partition are serialized by its position: one that finds it moved continues at the new position.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from aiokafka import ConsumerRecord, TopicPartition

from runtime import log
from runtime.dead_letters import DeadLetters
from runtime.kafka import Kafka
from runtime.lifecycle import Stop
from schemas.log_record import LogRecord
from schemas.places import next_offset
from streams.projector import metrics
from streams.projector.assigned import partition_of
from streams.projector.assignment import Assignment
from streams.projector.condition import Patience, ProjectorCondition
from streams.projector.errors import StoreUnavailable
from streams.projector.keeping import Planned, keep, planned
from streams.projector.rows import Row
from streams.projector.store import Batch, Point, Store

_log = log.get(__name__)


class Writing:
    """Writes batches of one partition at a time."""

    def __init__(
        self,
        kafka: Kafka,
        store: Store,
        *,
        assignment: Assignment,
        letters: DeadLetters,
        condition: ProjectorCondition,
        points: Point,
    ) -> None:
        self._kafka = kafka
        self.store = store
        self._assignment = assignment
        self._letters = letters
        self._condition = condition
        self._points = points

    async def write(self, place: TopicPartition, records: list[ConsumerRecord], stop: Stop) -> None:
        """Project a partition's next records; not all of them if its position was moved or a stop was requested."""
        if place not in self._assignment.positions:
            return
        topic = self._kafka.topic(place.topic)
        found = [planned(topic, record) for record in records]
        for one in found:
            if one.fault is not None:
                await self._bury(one.record, one.fault)
        await keep(found, partial(self._write, place, stop), self._bury)

    async def step(self, place: TopicPartition, to: int, stop: Stop) -> None:
        """Move a position past offsets without records for readers."""
        await self._apply(place, (), to, stop)

    async def _bury(self, record: LogRecord, error: Exception) -> None:
        """Write a dead letter and wait for its confirmation; only the position remains to be written for the record."""
        await self._letters.put(record, error)
        self._condition.dead_letters += 1

    async def _write(self, place: TopicPartition, stop: Stop, found: Sequence[Planned]) -> bool:
        rows = tuple(row for one in found for row in one.rows)
        applied = await self._apply(place, rows, next_offset(found[-1].record.offset), stop)
        if applied:
            self._condition.records += len(found)
            self._condition.rows += len(rows)
            metrics.RECORDS.labels(place.topic).inc(len(found))
            metrics.ROWS.labels(place.topic).inc(len(rows))
        return applied

    async def _apply(self, place: TopicPartition, rows: tuple[Row, ...], to: int, stop: Stop) -> bool:
        """Run one transaction; retry until the database answers, a stop is requested or the partition is revoked."""
        patience = Patience()
        while (position := self._assignment.positions.get(place)) is not None and not stop.requested:
            self._condition.alive()
            batch = Batch(partition_of(self._kafka, place), position.next_offset, to, rows)
            try:
                applied = await self.store.apply(batch)
            except StoreUnavailable as error:
                self._condition.database_is(str(error))
                await patience.wait(stop)
                continue
            self._condition.database_is(None)
            if applied:
                self._points("after_db_commit")
                self._assignment.reached(place, to)
                return True
            await self._go_where_it_is(place, stop)
            return False
        return False

    async def _go_where_it_is(self, place: TopicPartition, stop: Stop) -> None:
        """Continue at the position in the database, which another projector or a restored database has moved."""
        patience = Patience()
        partition = partition_of(self._kafka, place)
        while (ours := self._assignment.positions.get(place)) is not None and not stop.requested:
            try:
                kept = (await self.store.positions()).get(partition)
            except StoreUnavailable as error:
                self._condition.database_is(str(error))
                await patience.wait(stop)
                continue
            if kept is None or kept.epoch != ours.epoch:
                self._assignment.resettle()
            else:
                _log.warning("position was moved", partition=str(partition), to=kept.next_offset)
                self._assignment.put_back(place, kept.next_offset)
            return

    async def compare(self) -> None:
        """Check whether the database still has the positions that were written. After a fail-over or a restore it may
        have earlier ones, also for silent partitions: they are then settled again."""
        try:
            kept = await self.store.positions()
        except StoreUnavailable as error:
            self._condition.database_is(str(error))
            return
        self._condition.database_is(None)
        ours = {partition_of(self._kafka, place): at for place, at in self._assignment.positions.items()}
        moved = sorted(str(partition) for partition, at in ours.items() if kept.get(partition) != at)
        if moved:
            _log.warning("positions were moved, as by a fail-over: they are settled anew", partitions=moved)
            self._assignment.resettle()
