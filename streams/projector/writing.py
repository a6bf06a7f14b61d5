"""Records into the database.

A record leaves here in one of two ways only: with its rows and the position after it in one transaction, or as a
confirmed dead letter with the position after it. Whatever else happens it is read again, for the database knows
from where. Two projectors on one partition take turns on its position: who finds it moved goes where it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiokafka import ConsumerRecord, TopicPartition
from prometheus_client import Counter

from runtime import log
from runtime.dead_letters import DeadLetters
from runtime.kafka import Kafka
from runtime.lifecycle import Stop
from schemas.errors import SchemaError
from schemas.places import next_offset
from streams.projector.assigned import partition_of
from streams.projector.assignment import Assignment
from streams.projector.condition import Patience, ProjectorCondition
from streams.projector.errors import RowsRefused, StoreUnavailable
from streams.projector.plan import rows_of
from streams.projector.rows import Row
from streams.projector.store import Batch, Point, Store

_log = log.get(__name__)
_records = Counter("catalogizer_projected_records_total", "Records projected", ["topic"])
_rows = Counter("catalogizer_projected_rows_total", "Rows written", ["topic"])


@dataclass(frozen=True, slots=True)
class Planned:
    """A record with the rows it stands for."""

    record: ConsumerRecord
    rows: tuple[Row, ...]


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
        if place in self._assignment.positions:
            await self._keep(place, [await self._plan(record) for record in records], stop)

    async def step(self, place: TopicPartition, to: int, stop: Stop) -> None:
        """Move a position over offsets that hold nothing for readers."""
        await self._apply(place, (), to, stop)

    async def _plan(self, record: ConsumerRecord) -> Planned:
        try:
            return Planned(record, tuple(rows_of(self._kafka.topic(record.topic), record)))
        except SchemaError as error:
            return await self._bury(record, error)

    async def _bury(self, record: ConsumerRecord, error: Exception) -> Planned:
        """A dead letter, confirmed; what is left of the record is its place in the log."""
        await self._letters.put(record, error)
        self._condition.dead_letters += 1
        return Planned(record, ())

    async def _keep(self, place: TopicPartition, planned: list[Planned], stop: Stop) -> bool:
        """False when the rest is not to be written now. Rows that the database refuses are found by halving."""
        rows = tuple(row for one in planned for row in one.rows)
        try:
            applied = await self._apply(place, rows, next_offset(planned[-1].record.offset), stop)
        except RowsRefused as error:
            if len(planned) == 1:
                return await self._keep(place, [await self._bury(planned[0].record, error)], stop)
            half = len(planned) // 2
            return await self._keep(place, planned[:half], stop) and await self._keep(place, planned[half:], stop)
        if applied:
            self._condition.records += len(planned)
            self._condition.rows += len(rows)
            _records.labels(place.topic).inc(len(planned))
            _rows.labels(place.topic).inc(len(rows))
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
                self._condition.database = str(error)
                await patience.wait(stop, "database unavailable", error)
                continue
            self._condition.database = None
            if applied:
                self._points("after_db_commit")
                self._assignment.reached(place, to)
                return True
            await self._go_where_it_is(place, stop)
            return False
        return False

    async def _go_where_it_is(self, place: TopicPartition, stop: Stop) -> None:
        patience = Patience()
        while place in self._assignment.positions and not stop.asked:
            try:
                positions = await self.store.positions()
            except StoreUnavailable as error:
                await patience.wait(stop, "database unavailable", error)
                continue
            partition = partition_of(self._kafka, place)
            _log.warning("position was moved", partition=str(partition), to=positions[partition].next_offset)
            self._assignment.put_back(place, positions[partition].next_offset)
            return
