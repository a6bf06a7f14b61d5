"""Records into the database.

A record leaves here in one of two ways only: with its rows and the position after it in one transaction, or as a
confirmed dead letter with the position after it. Whatever else happens it is read again, for the database knows
from where. Two projectors on one partition take turns on its position: who finds it moved goes where it is.
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
        """Project a partition's next records, all or, where it was moved or stop was asked, as far as it went."""
        if place not in self._assignment.positions:
            return
        topic = self._kafka.topic(place.topic)
        found = [planned(topic, record) for record in records]
        for one in found:
            if one.fault is not None:
                await self._bury(one.record, one.fault)
        await keep(found, partial(self._write, place, stop), self._bury)

    async def step(self, place: TopicPartition, to: int, stop: Stop) -> None:
        """Move a position over offsets that hold nothing for readers."""
        await self._apply(place, (), to, stop)

    async def _bury(self, record: LogRecord, error: Exception) -> None:
        """A dead letter, confirmed; what is left of the record is its place in the log."""
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
        """One transaction, tried until the database answers, stop is asked or the partition is taken away."""
        patience = Patience()
        while (position := self._assignment.positions.get(place)) is not None and not stop.asked:
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
        """To where another projector, or an older state of the database, has it."""
        patience = Patience()
        partition = partition_of(self._kafka, place)
        while (ours := self._assignment.positions.get(place)) is not None and not stop.asked:
            try:
                kept = (await self.store.positions()).get(partition)
            except StoreUnavailable as error:
                self._condition.database_is(str(error))
                await patience.wait(stop)
                continue
            if kept is None or kept.epoch != ours.epoch:
                self._assignment.settle_anew()
            else:
                _log.warning("position was moved", partition=str(partition), to=kept.next_offset)
                self._assignment.put_back(place, kept.next_offset)
            return

    async def compare(self) -> None:
        """Whether the database still has what was written. One that was failed over, or restored, may have less, also of
        partitions of which nothing comes: where they go on is then settled anew."""
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
            self._assignment.settle_anew()
