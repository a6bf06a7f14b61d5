"""The projector's one loop: read, write rows with their position, commit to the group.

Where it continues after a rebalance is settled here with database and group, in the loop's own task. The group's
offset is committed after the database has it, for lag tools; if that commit is lost, nothing else is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError, OffsetOutOfRangeError

from runtime import log
from runtime.errors import NotProvisioned
from runtime.kafka import Kafka
from runtime.lag import Lag, Reached
from runtime.lifecycle import Stop
from runtime.log_reading import bounds
from streams.projector import metrics
from streams.projector.assigned import GROUP, Takeover, epochs_of, partition_of
from streams.projector.assignment import Assignment
from streams.projector.condition import Patience, ProjectorCondition
from streams.projector.errors import LogEpochChanged, LogOvertaken, StoreUnavailable
from streams.projector.positions import mark
from streams.projector.store import Point
from streams.projector.writing import Writing

POLL_MS = 250
MAX_RECORDS = 10_000
"""Records per round, with one transaction per partition. A record takes some 6 KB of memory while it is processed."""
STEP_SECONDS = 1.0
COMPARE_SECONDS = 5.0
EPOCH_SECONDS = 30.0
KAFKA_SECONDS = 2.0

_log = log.get(__name__)
T = TypeVar("T")


async def unless_stopped(stop: Stop, work: Coroutine[None, None, T]) -> T | None:
    """The work's result; None when a stop was requested before it was done. For work that waits for servers that may be
    unavailable."""
    task, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        task.cancel()
        stopping.cancel()
        await asyncio.wait({task, stopping})


class Flow:
    """Runs on one consumer that is subscribed with `assignment` as its listener; `ready` is called once, when
    the first positions are settled."""

    def __init__(
        self,
        kafka: Kafka,
        consumer: AIOKafkaConsumer,
        *,
        assignment: Assignment,
        writing: Writing,
        condition: ProjectorCondition,
        ready: Callable[[], None],
        points: Point,
    ) -> None:
        self._kafka = kafka
        self._consumer = consumer
        self._assignment = assignment
        self._writing = writing
        self._condition = condition
        self._ready = ready
        self._points = points
        self._takeover = Takeover(kafka, consumer, writing.store)
        self._committed: dict[TopicPartition, int] = {}
        self._stepped_at = 0.0
        self._compared_at = time.monotonic()
        self._times: dict[TopicPartition, int] = {}
        self._lag = Lag(GROUP)
        self._verified_at = time.monotonic()

    async def run(self, stop: Stop) -> None:
        """Run until a stop is requested. Raises Alarm, NotMigrated, NotGranted, and KafkaError that is not from an
        outage."""
        metrics.ROUND.set_to_current_time()
        while not stop.requested:
            self._condition.alive()
            if self._assignment.fresh:
                await self._take_over(stop)
            elif self._assignment.positions:
                await self._round(tuple(self._assignment.positions), stop)
            else:
                self._idle()
                await stop.wait(POLL_MS / 1000)

    def _idle(self) -> None:
        """Stay healthy as a member without partitions."""
        metrics.ROUND.set_to_current_time()
        if self._assignment.answered and not self._condition.settled:
            self._condition.settled = True
            self._ready()

    async def _take_over(self, stop: Stop) -> None:
        """Settle where the fresh partitions continue; retry while database or Kafka are unavailable."""
        patience = Patience()
        while self._assignment.fresh and not stop.requested:
            self._condition.alive()
            try:
                settled = await unless_stopped(stop, self._takeover.settle(set(self._assignment.fresh)))
            except StoreUnavailable as error:
                self._condition.database_is(str(error))
                await patience.wait(stop)
            except (KafkaError, NotProvisioned) as error:
                self._condition.kafka = str(error)
                patience.report("positions not settled", error)
                await patience.wait(stop)
            else:
                self._condition.database_is(None)
                self._condition.kafka = None
                if settled is not None and self._assignment.take(settled):
                    self._committed = {place: position.next_offset for place, position in settled.items()}
                    self._idle()
                    _log.info("assigned", partitions=len(settled))

    async def _round(self, places: tuple[TopicPartition, ...], stop: Stop) -> None:
        for place, records in (await self._read(places)).items():
            await self._writing.write(place, records, stop)
            if records:
                self._times[place] = records[-1].timestamp
        now = time.monotonic()
        if now - self._stepped_at >= STEP_SECONDS:
            self._stepped_at = now
            await self._step_over_markers(stop)
        if now - self._compared_at >= COMPARE_SECONDS:
            self._compared_at = now
            await unless_stopped(stop, self._writing.compare())
        metrics.ROUND.set_to_current_time()
        if now - self._verified_at >= EPOCH_SECONDS:
            self._verified_at = now
            await self._verify_epochs()
        await unless_stopped(stop, self.commit_group())

    def show(self) -> None:
        """Set the gauges of the assigned partitions. Called from outside the loop, so that a stuck loop is visible
        too."""
        reached, ends = {}, {}
        for at, position in self._assignment.positions.items():
            place = self._kafka.topic(at.topic).name, at.partition
            reached[place] = Reached(position.next_offset, self._times.get(at))
            if at in self._consumer.assignment() and (end := self._consumer.last_stable_offset(at)) is not None:
                ends[place] = end
        self._lag.show(reached, ends, time.time())

    def behind_seconds(self) -> float:
        """How far the partition that is furthest behind is; 0 if everything is written. Called from outside the loop,
        so that it grows if the loop is stuck."""
        self.show()
        return round(self._lag.worst, 1)

    async def _read(self, places: tuple[TopicPartition, ...]) -> dict[TopicPartition, list[ConsumerRecord]]:
        try:
            found: dict[TopicPartition, list[ConsumerRecord]] = await self._consumer.getmany(
                *places, timeout_ms=POLL_MS, max_records=MAX_RECORDS
            )
        except OffsetOutOfRangeError as error:
            for place, offset in error.args[0].items():
                within = await bounds(self._consumer, [place])
                raise LogOvertaken(partition_of(self._kafka, place), offset, within.earliest[place]) from error
            raise
        return found

    async def _step_over_markers(self, stop: Stop) -> None:
        """Move positions past what readers never receive (ends of transactions, aborted records), so that the lag of a
        quiet log is 0."""
        for place, position in list(self._assignment.positions.items()):
            try:
                reached = await self._consumer.position(place)
            except IllegalStateError:
                return
            if reached > position.next_offset and self._assignment.positions.get(place) == position:
                await self._writing.step(place, reached, stop)

    async def _verify_epochs(self) -> None:
        """Check the epochs: a topic that was deleted, created again and has grown past the old position differs only in
        its epoch."""
        kept = {partition_of(self._kafka, place): at.epoch for place, at in self._assignment.positions.items()}
        try:
            async with asyncio.timeout(KAFKA_SECONDS):
                found = await epochs_of(self._kafka, {partition.topic for partition in kept})
        except (KafkaError, NotProvisioned, TimeoutError) as error:
            _log.warning("epochs not verified", error=str(error))
            return
        for partition, epoch in kept.items():
            if found[partition.topic] != epoch:
                raise LogEpochChanged(partition, epoch, found[partition.topic])

    async def commit_group(self) -> None:
        """Commit the positions that have moved to the group, with our mark."""
        moved = {
            place: (position.next_offset, mark(position.epoch))
            for place, position in self._assignment.positions.items()
            if self._committed.get(place) != position.next_offset
        }
        if not moved:
            return
        try:
            async with asyncio.timeout(KAFKA_SECONDS):
                await self._consumer.commit(moved)
        except (KafkaError, TimeoutError) as error:
            _log.info("group offset not committed", error=str(error) or type(error).__name__)
            return
        self._committed |= {place: offset for place, (offset, _) in moved.items()}
        self._points("after_group_commit")
