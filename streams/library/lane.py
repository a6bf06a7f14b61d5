"""The lifecycle of a lane: start, live, stop.

Start: initialise the lane's producer (fences the former owner), read the position, restore the newest snapshot at or
below it, fold silently from there, or from 0, up to it, check that the rebuilt fold agrees with the position. Live:
fold a batch, commit its outputs and the position in one transaction, tick when the lane is silent and something is due;
now and then a snapshot is written, a few chunks in each transaction. On any error the producer is closed and the lane
starts again from the first step; a fold with uncommitted records is never continued.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import NoOffsetForPartitionError

from runtime import log, traces
from runtime.log_reading import bounds
from schemas import __version__
from schemas.admin import Position
from schemas.ids import MAX_SAFE
from schemas.log_record import LogRecord
from schemas.places import next_offset
from schemas.times import iso
from streams import metrics
from streams.core.emit import Output
from streams.core.fold import Fold
from streams.core.rules import RULES, Rules, UnknownRules
from streams.library import spans
from streams.library.agreeing import check_fold, check_rules
from streams.library.beginning import Beginning
from streams.library.errors import (
    ChangeLogReplaced,
    FoldDiverged,
    LogTruncated,
    RulesUnknown,
)
from streams.library.kept import Kept
from streams.library.positions import Positions
from streams.library.progress import LaneProgress
from streams.library.snapshots import SLOTS, Saving, Snapshots, due_records, is_due
from streams.library.ticks import Ticker, TickTimer
from streams.library.writer import LaneWriter

MAX_RECORDS = 2_000
"""Records folded at once, at most: limits the outputs in memory and how long the event loop is blocked."""
COMMIT_INTERVAL_SECONDS = 0.02
"""Least time between two commits of a lane."""
MAX_OUTPUTS = 4_000
"""Approximate outputs per transaction: when there are so many they are committed at once, also in the middle of a
record that makes more. So a transaction takes far less than its time-out (10 s), whatever has happened to the files."""
BARE_POSITION_SECONDS = 1.0
"""A position without outputs is committed at most this often."""
IDLE_COMMIT_SECONDS = 43_200.0
"""A lane without outputs commits twice a day, because idle transactional ids expire (after 7 d by default)."""
YIELD_SECONDS = 0.05
"""How often folding yields to other tasks, among them the group's heartbeats."""
POLL_SECONDS = 0.2

_log = log.get(__name__)


class LaneWorker:
    """Folds a lane that this process owns. `run` returns after `request_stop`, and raises any error that ended it.
    `from_log`: its state is to be made from the log, or if that has lost its beginning, from the oldest snapshot that
    covers it; `carried`: the rules that this program has; `live`: set when its state is restored; `kept`: its state
    from before, if it was here."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        partition: TopicPartition,
        *,
        epoch: str,
        writer: LaneWriter,
        positions: Positions,
        snapshots: Snapshots,
        ticker: Ticker,
        from_log: bool = False,
        carried: Mapping[int, Rules] = RULES,
        live: asyncio.Event | None = None,
        kept: Kept | None = None,
    ) -> None:
        self._consumer = consumer
        self._partition = partition
        self.lane: int = partition.partition
        self._epoch = epoch
        self._writer = writer
        self._positions = positions
        self._beginning = Beginning(snapshots, self.lane, epoch, carried=carried, from_log=from_log)
        self._saving: Saving | None = None
        self._since = 0
        self._slot = 0
        self._ticker = ticker
        self._carried = carried
        self._fold: Fold
        self._timer = TickTimer()
        self._next = 0
        self._written = 0
        self._leave_out = 0
        self._yielded = 0.0
        self._position: Position | None = None
        self._outputs: list[Output] = []
        self._at = 0
        self._committed_at = 0.0
        self._stopping = asyncio.Event()
        self._live = live or asyncio.Event()
        self.kept = kept
        self.progress = LaneProgress()

    @property
    def committed_offset(self) -> int:
        """The offset to commit for the group: the position, as far as it is known."""
        return 0 if self._position is None else self._position.next_offset

    def request_stop(self) -> None:
        """Stop reading; what was folded is committed."""
        self._stopping.set()

    async def run(self) -> None:
        """Start, then live until a stop is requested."""
        self._stop_waiter = asyncio.ensure_future(self._stopping.wait())
        try:
            await self._writer.start()
            if await self._start():
                while not self._stopping.is_set():
                    await self._step()
                self._save_no_longer()
                await self._commit()
                self._keep()
        finally:
            self._save_no_longer()
            self.progress.state = "stopped"
            self._stop_waiter.cancel()
            await self._writer.stop()

    # -- start -------------------------------------------------------------------------------------------------

    async def _start(self) -> bool:
        """Restore the state of the position. False when a stop was requested meanwhile: then the fold is before the
        position and must not commit."""
        position = self._position = await self._positions.read(self.lane)
        target = 0 if position is None else position.next_offset
        within = await bounds(self._consumer, [self._partition])
        first, end = within.earliest[self._partition], within.end[self._partition]
        if position is not None and position.epoch != self._epoch:
            raise ChangeLogReplaced(
                self.lane, f"the log's epoch is {self._epoch}, the position's {position.epoch}"
            )
        if position is not None:
            check_rules(self.lane, position, self._carried)
        if target > end:
            raise ChangeLogReplaced(self.lane, f"the log ends at {end}, the position is {target}")
        self.progress.state = "restoring"
        kept, self.kept = self.kept, None
        if kept is not None and kept.position != position:
            kept = None
        if kept is not None:
            self._fold, self._next, self._slot = kept.fold, target, kept.slot
            self._since = self.progress.covered = kept.since
        else:
            while not await self._restore(position, first):
                if self._stopping.is_set():
                    return False
        self._consumer.seek(self._partition, self._next)
        self._consumer.resume(self._partition)
        self._leave_out = 0 if position is None else position.written
        self._committed_at = time.monotonic()
        self.progress.state = "live"
        self._live.set()
        _log.info(
            "lane live",
            lane=self.lane,
            offset=self._next,
            known=self._fold.known_paths,
            since=self._since,
            kept=kept is not None,
        )
        return True

    def _keep(self) -> None:
        """Keep the state in case the lane comes back to this process, unless it ended in the middle of a record."""
        if self._position is not None and (self._next, self._written) == (self._position.next_offset, 0):
            self.kept = Kept(self._fold, self._position, slot=self._slot, since=self._since)

    async def _restore(self, position: Position | None, first: int) -> bool:
        """Restore from a snapshot, or from offset 0. False if that failed and another attempt may succeed."""
        target = 0 if position is None else position.next_offset
        begun = await self._beginning.find(first, target, self._go_on)
        if begun is None:
            return False
        self._fold, self._next = begun.fold, begun.next_offset
        self._since = self.progress.covered = begun.next_offset
        if begun.saved is not None:
            self._slot = begun.saved.manifest.slot
        if first > self._next:
            raise LogTruncated(self.lane, first)
        self._consumer.seek(self._partition, self._next)
        self._consumer.resume(self._partition)
        await self._fold_silently(target)
        if self._next < target:
            return False
        try:
            if position is not None:
                check_fold(self.lane, position, self._fold)
        except FoldDiverged as error:
            if begun.saved is None:
                raise
            self._beginning.pass_over(begun.saved, str(error))
            return False
        return True

    async def _go_on(self) -> bool:
        await self._let_others_run()
        return not self._stopping.is_set()

    async def _fold_silently(self, target: int) -> None:
        """Fold up to the target without outputs. This does not use `runtime.log_reading`: the consumer is the group's,
        whose lanes are paused and sought one by one, and the loop must end when a stop is requested, and let heartbeats
        run in the middle of a batch."""
        while self._next < target and not self._stopping.is_set():
            for record in await self._fetch(1.0, min(MAX_RECORDS, target - self._next)):
                if record.offset >= target:
                    break
                for _part in self._parts(record):
                    if time.monotonic() - self._yielded > YIELD_SECONDS:
                        await self._let_others_run()
            self._moved()

    # -- live --------------------------------------------------------------------------------------------------

    async def _step(self) -> None:
        records = await self._fetch(self._wait_seconds(), MAX_RECORDS)
        stops = False
        for record in records:
            for part in self._parts(record):
                self._outputs += part
                if stops:
                    return  # in the middle of a record of many parts: its state is not kept
                if len(self._outputs) >= MAX_OUTPUTS:
                    await self._commit()
                if time.monotonic() - self._yielded > YIELD_SECONDS:
                    await self._let_others_run()
                    stops = self._stopping.is_set()
            if stops:
                return
        now = time.monotonic()
        if records:
            self._timer.received(now, self._next)
            self._moved()
        if self._leave_out:
            return  # it began in the middle of a record: until that record comes, the fold is before the position
        self._save_if_due()
        if self._commit_due(now):
            await self._commit()
        if not records:
            await self._tick()

    def _wait_seconds(self) -> float:
        """Seconds until something other than a record: a commit that is due, a tick, or the next check."""
        now = time.monotonic()
        if self._outputs or self._saving is not None:
            return max(0.0, self._committed_at + COMMIT_INTERVAL_SECONDS - now)
        tick = self._timer.wait_seconds(now, self._left())
        return POLL_SECONDS if tick is None else min(tick, POLL_SECONDS)

    def _left(self) -> int | None:
        due = self._fold.next_due
        return None if due is None else due - self._fold.now

    def _commit_due(self, now: float) -> bool:
        since = now - self._committed_at
        if self._outputs or self._saving is not None:
            return since >= COMMIT_INTERVAL_SECONDS
        return (
            self._next > self.committed_offset and since >= BARE_POSITION_SECONDS
        ) or since >= IDLE_COMMIT_SECONDS

    async def _commit(self) -> None:
        if not self._outputs and self._next == self.committed_offset and self._stopping.is_set():
            return
        before = self._position
        if before is not None and (self._next, self._written) < (before.next_offset, before.written):
            raise AssertionError(f"position {self._next} after {before.next_offset}: all between would be twice")
        position = Position(
            lane=self.lane,
            epoch=self._epoch,
            next_offset=self._next,
            counters=self._fold.counters_before if self._written else self._fold.counters,
            fold_version=self._fold.rules.version,
            at=iso(self._at),
            written=self._written,
            rules=self._fold.rules.digest,
            program=__version__,
        )
        outputs, self._outputs = self._outputs, []
        saving = self._saving
        with metrics.TRANSACTIONS.time():
            offsets = await self._writer.commit(outputs, position, [] if saving is None else saving.take())
        if (exporter := traces.exporter()) is not None:
            spans.folded(exporter, outputs)
        self._position = position
        self._committed_at = time.monotonic()
        self.progress.committed += len(outputs)
        self.progress.transactions += 1
        if saving is not None:
            saving.written(offsets)
            if saving.is_complete:
                self._since = self.progress.covered = saving.next_offset
                self.progress.snapshots += 1
                self._slot = saving.slot
                self._save_no_longer()

    def _save_if_due(self) -> None:
        """Begin a snapshot, between two records."""
        if self._saving is None and is_due(self._next - self._since, self._fold.known_paths):
            self._saving = Saving(
                self.lane, self._epoch, self._fold.rules, self._fold.state,
                next_offset=self._next, slot=(self._slot + 1) % SLOTS, at=iso(self._at),
            )  # fmt: skip

    def _save_no_longer(self) -> None:
        if self._saving is not None:
            self._saving.close()
            self._saving = None

    async def _tick(self) -> None:
        now = time.monotonic()
        if self._timer.wait_seconds(now, self._left()) != 0.0:
            return
        offset = await self._ticker.append(self.lane)
        self._timer.sent(time.monotonic(), offset)

    # -- both --------------------------------------------------------------------------------------------------

    async def _fetch(self, seconds: float, most: int) -> list[LogRecord]:
        """Records, or none after `seconds`. After a stop request it does not wait: while the group rebalances,
        aiokafka's own wait ends only with the next assignment."""
        timeout = int(seconds * 1000 + 0.999)
        fetching = asyncio.ensure_future(
            self._consumer.getmany(self._partition, timeout_ms=timeout, max_records=most)
        )
        try:
            await asyncio.wait((fetching, self._stop_waiter), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not fetching.done():
                fetching.cancel()
        if fetching.cancelled() or not fetching.done():
            return []
        try:
            records: list[LogRecord] = fetching.result().get(self._partition, [])
        except NoOffsetForPartitionError:
            # aiokafka looked for a group offset before the seek; this lane decides where to read
            self._consumer.seek(self._partition, self._next)
            return []
        return records

    def _parts(self, record: LogRecord) -> Iterator[list[Output]]:
        """The outputs of a record, without those that were written before this lane started."""
        offset = record.offset
        if offset < self._next or offset >= MAX_SAFE:
            raise AssertionError(f"offset {offset} after {self._next - 1}")
        self._next = offset
        self._at = record.timestamp
        try:
            parts = self._fold.parts(offset, record.timestamp, record.key, record.value, record.headers)
        except UnknownRules as error:
            raise RulesUnknown(self.lane, error.version, error.program) from error
        for part in parts:
            self._written += len(part)
            if self._leave_out:
                self._leave_out -= (there := min(self._leave_out, len(part)))
                part = part[there:]
            yield part
        if self._leave_out:
            raise FoldDiverged(
                self.lane, f"{self._written + self._leave_out} outputs of {offset}", f"{self._written}"
            )
        self._next, self._written = next_offset(offset), 0

    async def _let_others_run(self) -> None:
        self.progress.moved_at = time.monotonic()
        await asyncio.sleep(0)
        self._yielded = time.monotonic()

    def _moved(self) -> None:
        progress = self.progress
        progress.folded += self._next - progress.next_offset
        progress.next_offset, progress.requested = self._next, self._fold.requested
        progress.at, progress.due = self._at or None, due_records(self._fold.known_paths)
        progress.moved_at = time.monotonic()
        highwater = self._consumer.highwater(self._partition)
        progress.behind = highwater is not None and self._next < highwater
