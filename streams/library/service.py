"""One worker of the library fold: a static member of the group `catalogizer.library` and the lanes it owns.

The assign callback only pauses the lane and starts its task; revoking stops feeding, lets the open commit finish
and closes the producer. A lane that was fenced waits for the group's decision and is never initialised again without
it, because two owners would fence each other in turn.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    UnknownError,
    UnknownTopicOrPartitionError,
)
from aiokafka.structs import OffsetAndMetadata
from mode import Service

from runtime import log
from runtime.epochs import read_epochs
from runtime.errors import NotAllowed, NotProvisioned
from runtime.health import Health
from runtime.kafka import (
    SESSIONS_TO_REJOIN,
    ConsumerRebalanceListener,
    Kafka,
    Stoppable,
    leave_for_good,
    leave_now,
    rejoin,
    stop_client,
)
from runtime.lag import Reached
from runtime.lifecycle import USAGE, end_hard
from runtime.rights import REFUSED, check_topics
from runtime.waits import LANE
from schemas.ids import MAX_SAFE
from schemas.topics import RAW, dlq_of
from streams import metrics
from streams.library.assignor import KeepingAssignor
from streams.library.errors import LaneError, LaneLost, RulesChanged
from streams.library.kept import Kept
from streams.library.lane import LaneWorker
from streams.library.positions import Positions
from streams.library.progress import LaneProgress, forget
from streams.library.snapshots import Snapshots
from streams.library.ticks import Ticker
from streams.library.writer import MARK, LaneWriter, Points, nowhere

GROUP = "library"
FETCH_WAIT_MS = 100
REVOKE_SECONDS = 2.0
"""No heartbeat runs inside the group's callbacks: a revoke must end well within the session."""
COORDINATOR_SECONDS = 30.0
MAX_FENCINGS = 3
FENCING_SECONDS = 60.0
STALL_SECONDS = 30.0
"""A lane that is behind and has not moved for this long is not healthy."""

UNWRITABLE = (MessageSizeTooLargeError, RecordListTooLargeError, InvalidTopicError)
"""Errors for records that no new transaction can write to the topics as they are now."""

_log = log.get(__name__)


class LibraryService(Service):
    """The fold of all lanes that the group assigns to this worker. `instance`: the worker's static name; `taken` is
    called if another process uses the same name, `refused` if the brokers deny a lane a permission that it needs."""

    def __init__(
        self,
        *,
        kafka: Kafka,
        instance: str,
        health: Health,
        refused: Callable[[], None] = lambda: None,
        taken: Callable[[], None] = lambda: None,
        points: Points = nowhere,
    ) -> None:
        super().__init__()
        self._kafka = kafka
        self._instance = instance
        self._refused = refused
        self._taken = taken
        self._points = points
        self.group = kafka.group(GROUP)
        self._positions = Positions(kafka)
        self._snapshots = Snapshots(kafka)
        self._reset: set[int] = set()
        self._open: list[Stoppable] = []
        self._lanes: dict[TopicPartition, _Owned] = {}
        self._kept: dict[TopicPartition, Kept] = {}
        self._leaves_at_stop = False
        self._fencings: deque[float] = deque(maxlen=MAX_FENCINGS)
        self._failed: dict[int, str] = {}
        self._epoch = ""
        self._assigned = asyncio.Event()
        health.add("library", self._problem)
        health.measures.append(self._show)

    @property
    def progress(self) -> dict[int, LaneProgress]:
        """By lane owned here."""
        return {partition.partition: owned.lane.progress for partition, owned in self._lanes.items()}

    def stand(self) -> dict[TopicPartition, Reached]:
        """The positions up to which the outputs of the lanes owned here are in the log."""
        return {
            partition: Reached(owned.lane.committed_offset, owned.lane.progress.at)
            for partition, owned in self._lanes.items()
        }

    def covered(self, lane: int) -> int:
        """The offset up to which the change log of a lane is not needed to make its state; only for lanes owned
        here."""
        progress = self.progress.get(lane)
        return MAX_SAFE if progress is None else progress.covered

    async def wait_ready(self) -> None:
        """Until the group has answered and every lane assigned here is live or has failed for good."""
        await self._assigned.wait()
        await asyncio.gather(*(owned.settled.wait() for owned in self._lanes.values()))

    # -- mode.Service ------------------------------------------------------------------------------------------

    async def on_start(self) -> None:
        """Join the group. Raises NotProvisioned while the topics are missing or not as required."""
        self._epoch = await self._provisioned_epoch()
        self._consumer: AIOKafkaConsumer = self._kafka.group_consumer(
            self.group,
            instance=self._instance,
            assignor=KeepingAssignor(),
            fetch_max_wait_ms=FETCH_WAIT_MS,
            max_partition_fetch_bytes=4_194_304,
        )
        self._tick_producer: AIOKafkaProducer = self._kafka.producer(linger_ms=0)
        self._ticker = Ticker(self._kafka, self._tick_producer)
        for client in (self._positions, self._snapshots, self._tick_producer, self._consumer):
            self._open.append(client)
            await client.start()
        await self._notice_resets()
        self._consumer.subscribe([self._kafka.name(RAW)], listener=_Listener(self))

    async def on_stop(self) -> None:
        """Commit what was folded, stop every lane, leave."""
        await self.revoke(list(self._lanes))
        if self._leaves_at_stop:
            leave_for_good(self._consumer)
        await asyncio.gather(*map(stop_client, self._open))

    async def _provisioned_epoch(self) -> str:
        epochs = await read_epochs(self._kafka)
        if RAW.name not in epochs:
            raise NotProvisioned(self._kafka.name(RAW))
        if epochs[RAW.name].declared != self._kafka.lanes:
            raise NotProvisioned(
                f"{self._kafka.name(RAW)} with {self._kafka.lanes} partitions (it has "
                f"{epochs[RAW.name].declared}; kafka.lanes is fixed for the life of the log)"
            )
        return epochs[RAW.name].epoch

    def leave_at_stop(self) -> None:
        """Leave the group at the stop, instead of staying a member until the session expires."""
        self._leaves_at_stop = True

    async def rejoin(self) -> None:
        """Join the group again."""
        await rejoin(self._consumer)

    async def leave(self) -> None:
        """Leave the group."""
        await leave_now(self._consumer)

    async def _notice_resets(self) -> None:
        """Log which offsets of the group an operator has moved. Positions are kept elsewhere, so such a reset has one
        effect only: the state is rebuilt from the log, or from the oldest snapshot if the log has lost its beginning.
        Nothing is repeated or skipped."""
        admin = self._kafka.admin()
        await admin.start()
        try:
            offsets = await self._group_offsets(admin)
        finally:
            await admin.close()
        for partition, offset in offsets.items():
            if offset.offset >= 0 and offset.metadata != MARK:
                _log.warning("group offset was reset by hand", lane=partition.partition, offset=offset.offset)
                self._reset.add(partition.partition)

    async def _group_offsets(self, admin: AIOKafkaAdminClient) -> dict[TopicPartition, OffsetAndMetadata]:
        deadline = time.monotonic() + COORDINATOR_SECONDS
        while True:
            try:
                offsets: dict[TopicPartition, OffsetAndMetadata]
                offsets = await admin.list_consumer_group_offsets(self.group)
                return offsets
            except GroupCoordinatorNotAvailableError:  # a broker that has just created its offsets topic
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(LANE.first)

    @property
    def has_company(self) -> bool:
        """Whether other members of the group have lanes. A worker that is alone stays a member at its stop and resumes
        at once when it is restarted; with others it leaves, because its lanes would be idle until its session
        expires."""
        return 0 < len(self._lanes) < self._kafka.lanes

    # -- lanes -------------------------------------------------------------------------------------------------

    def assign(self, partitions: Iterable[TopicPartition]) -> None:
        """The group gave these lanes to this worker."""
        kept, self._kept = self._kept, {}
        for partition in partitions:
            self._consumer.pause(partition)
            if partition.partition >= self._kafka.lanes:
                continue  # added by an operator: no lane, and no writer of ours writes there
            metrics.RESTARTS.labels(partition.partition)  # from 0 on
            settled = asyncio.Event()
            owned = _Owned(self._new_lane(partition, settled, kept.get(partition)), settled)
            self._lanes[partition] = owned
            owned.task = asyncio.create_task(self._own(partition, owned), name=f"lane-{partition.partition}")
        self._assigned.set()

    async def revoke(self, partitions: Iterable[TopicPartition]) -> None:
        """The group takes these lanes away: stop feeding, let the open commit finish, close the producers."""
        taken = [partition for partition in partitions if partition in self._lanes]
        going = [self._lanes.pop(partition) for partition in taken]
        for partition in taken:
            self._failed.pop(partition.partition, None)  # its new owner reports its health
        for owned in going:
            owned.revoked = True
            owned.lane.request_stop()
        tasks = [owned.task for owned in going if owned.task is not None]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=REVOKE_SECONDS)
        for task in late:  # aborting is as safe as committing
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for partition, owned in zip(taken, going, strict=True):
            forget(partition.partition)
            if owned.lane.kept is not None:
                self._kept[partition] = owned.lane.kept

    def _new_lane(self, partition: TopicPartition, live: asyncio.Event, kept: Kept | None = None) -> LaneWorker:
        writer = LaneWriter(self._kafka, partition.partition, self.group, self._points)
        return LaneWorker(
            self._consumer,
            partition,
            epoch=self._epoch,
            writer=writer,
            positions=self._positions,
            snapshots=self._snapshots,
            from_log=partition.partition in self._reset,
            ticker=self._ticker,
            live=live,
            kept=kept,
        )

    async def _own(self, partition: TopicPartition, owned: _Owned) -> None:
        try:
            await self._keep(partition, owned)
        finally:
            owned.settled.set()

    async def _keep(self, partition: TopicPartition, owned: _Owned) -> None:
        while not owned.revoked:
            try:
                await owned.lane.run()
                return
            except LaneLost as error:
                await self._lost(owned, error)
                return
            except RulesChanged as error:  # this program must not fold any lane of this log
                end_hard(str(error), USAGE)
            except LaneError as error:
                self._stop_for_good(error)
                return
            except (
                UNWRITABLE
            ) as error:  # also for a dead letter: it would come again forever, and block all after it
                end_hard(f"lane {partition.partition}: what it wrote is refused for good: {error!r}")
            except UnknownError as error:  # this is also the error of a second member with this instance's name
                self._taken()
                end_hard(f"lane {partition.partition}: {error!r}")
            except (KafkaError, OSError, TimeoutError) as error:
                if owned.revoked:
                    return
                if isinstance(error, REFUSED):
                    self._refused()
                if isinstance(error, UnknownTopicOrPartitionError) and await self._has_no_queue():
                    end_hard(
                        f"lane {partition.partition}: there is no {self._kafka.name(dlq_of(RAW))} for a dead letter"
                    )
                metrics.RESTARTS.labels(partition.partition).inc()
                _log.warning("lane starts again", lane=partition.partition, error=repr(error))
            except Exception as error:
                self.log.exception("lane failed")
                end_hard(f"lane {partition.partition}: {error!r}")
            await asyncio.sleep(LANE.first)
            if await self._still_member(partition, owned):
                self._consumer.pause(partition)
                owned.lane = self._new_lane(partition, owned.settled)

    async def _has_no_queue(self) -> bool:
        """True if Kafka answers, and has no dead letter queue for the change log."""
        try:
            await check_topics(self._kafka, self._consumer._client, "Write", dlq_of(RAW))
        except NotProvisioned:
            return True
        except (KafkaError, NotAllowed, OSError):
            return False
        return False

    async def _still_member(self, partition: TopicPartition, owned: _Owned) -> bool:
        """Check, before a lane is initialised again, that the group confirms that it is still ours (a process that was
        stopped and resumed would otherwise fence the new owner). Committing the lane's former offset checks exactly
        that."""
        offset = OffsetAndMetadata(owned.lane.committed_offset, MARK)
        deadline = time.monotonic() + self._patience_seconds
        while not owned.revoked:
            try:
                await self._consumer.commit({partition: offset})
                return not owned.revoked
            except (KafkaError, ValueError) as error:
                if time.monotonic() > deadline:
                    end_hard(f"lane {partition.partition}: the group does not confirm its owner: {error!r}")
                await asyncio.sleep(LANE.first)
        return False

    @property
    def _patience_seconds(self) -> float:
        """How long to wait for the group to confirm the owner. A rebalance waits for its slowest member for
        SESSIONS_TO_REJOIN; another may follow, and the machine may be busy. Meanwhile the lane writes nothing."""
        return (SESSIONS_TO_REJOIN + 1) * self._kafka.settings.session_timeout_ms / 1000 + 10

    async def _lost(self, owned: _Owned, error: LaneLost) -> None:
        _log.warning("lane lost", lane=error.lane)
        now = time.monotonic()
        self._fencings.append(now)
        if len(self._fencings) == MAX_FENCINGS and now - self._fencings[0] < FENCING_SECONDS:
            end_hard(f"fenced {MAX_FENCINGS} times in {FENCING_SECONDS:.0f} s")
        deadline = now + self._patience_seconds
        while not owned.revoked:
            if time.monotonic() > deadline:
                end_hard(f"lane {error.lane} was fenced and is still assigned here")
            await asyncio.sleep(0.1)

    def _stop_for_good(self, error: LaneError) -> None:
        _log.error("lane stopped", lane=error.lane, error=str(error))
        self._failed[error.lane] = str(error)

    def _show(self) -> None:
        for lane, progress in self.progress.items():
            progress.show(lane)

    def _problem(self) -> str | None:
        for text in self._failed.values():
            return text
        now = time.monotonic()
        for lane, progress in self.progress.items():
            stalled = progress.behind or progress.state != "live"
            if stalled and now - progress.moved_at > STALL_SECONDS:
                return f"lane {lane} ({progress.state}) has not moved for {now - progress.moved_at:.0f} s"
        return None


class _Owned:
    """A lane, its task, and whether the group has revoked it. `settled`: it is live, or will never be."""

    def __init__(self, lane: LaneWorker, settled: asyncio.Event) -> None:
        self.lane = lane
        self.settled = settled
        self.task: asyncio.Task[None] | None = None
        self.revoked = False


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    """The group's callbacks: they start and end lane tasks and do nothing else (no heartbeat runs in them)."""

    def __init__(self, service: LibraryService) -> None:
        self._service = service

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Stop these lanes."""
        await self._service.revoke(revoked)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Start these lanes."""
        self._service.assign(assigned)
