"""One root of this process: observed by a thread and sent by a sender while this process has its lease, left alone while
another producer has it.

The log of leases decides who has it (`producer.core.lease`). A root that was ours when that was last known is observed at
once, and its records are sent when it is confirmed that it still is ours. A root that another producer has had in between
starts over: the records in its outbox belong to an epoch that is over, and the baseline of the next one covers the disk."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path

from msgspec import structs

from producer import metrics, tenure
from producer.backends.table import backend_of
from producer.clock import SystemClock
from producer.condition import Condition, show
from producer.core.lease import Holder, LeaseState, step
from producer.database import Database
from producer.hashing import Hasher
from producer.kafka_log import KafkaLog
from producer.lease_log import LeaseLog
from producer.memory import commands_read, paused
from producer.orders import Order
from producer.outbox import Unsent
from producer.ports import Points
from producer.root import Latest, RootThread
from producer.sender import Sender
from producer.settings import ProducerSettings, RootSpec
from producer.state import open_unsent
from producer.world import Pacing, World
from runtime import log
from runtime.kafka import Kafka
from runtime.waits import ROOT, Backoff
from schemas.lanes import lane_of
from schemas.leases import Holding

CLAIM_SECONDS = 3.0
"""A claim that has not been read back by then is sent again."""

JOIN_SECONDS = 2.0
DRAIN_SECONDS = 2.0

_log = log.get(__name__)


class Watched:
    """Its thread while it is observed, its sender, and the state of its lease. `begun`: its first condition is known, or
    another producer has it. `last_connected`: when it could last be observed. Raises sqlite3.Error where its state cannot
    be opened."""

    def __init__(
        self, spec: RootSpec, settings: ProducerSettings, folder: Path, target: KafkaLog, kafka: Kafka,
        points: Points, changed: Callable[[], None], *, hasher: Hasher | None = None,
    ) -> None:  # fmt: skip
        self.spec = spec
        self.thread: RootThread | None = None
        self.last_connected: str | None = None
        self.begun = asyncio.Event()
        self._changed = changed
        self._points = points
        self._loop = asyncio.get_running_loop()
        self._path = folder / f"{spec.name}.sqlite"
        self._database = open_unsent(self._path)
        self._tenure = Database(self._path, points=points)
        self._reading = Database(self._path)  # never waits for writers, so it does not block the loop
        self._orders: deque[Order] = deque()
        self._lane = lane_of(spec.library, kafka.lanes)
        self._lease_state: LeaseState = "doubtful" if tenure.is_ours(self._tenure) else "outside"
        self._is_settled = False
        self._is_ending = False
        self._for_good = False
        self._last_holding: Holding | None = None
        self._end_requested = asyncio.Event()
        self._claimed_at = float("-inf")
        self._leases_read = asyncio.Event()
        self._leases: LeaseLog | None = None
        self._pacing = Pacing(settings.identity_seconds, settings.reconcile_seconds, settings.outbox_limit)
        self.sender = Sender(
            spec.name, Unsent(self._database), target, self._lane, spec.library.encode(), points=points,
            allowed=self.may_send,
        )  # fmt: skip
        self._world = World(
            backend=backend_of(spec),
            clock=SystemClock(),
            points=points,
            written=partial(self._soon, self.sender.wake),
            hasher=hasher,
        )

    @property
    def commands_read(self) -> int | None:
        """The next offset of the control topic for it."""
        return commands_read(self._reading)

    def handover(self, term: int) -> Holding:
        """What its next holder needs to know; after its end, as it was then."""
        if self._last_holding is not None:
            return structs.replace(self._last_holding, term=term)
        return Holding(term=term, commands_read=commands_read(self._reading), paused=paused(self._reading))

    @property
    def latest(self) -> Latest | None:
        """The last report of its thread; None while it is not observed here."""
        return None if self.thread is None else self.thread.latest

    @property
    def condition(self) -> Condition | None:
        """Its condition; None while it is not observed here, or its thread has failed or not begun."""
        return None if self.thread is None else self.thread.latest.condition

    def show(self) -> None:
        """Set its gauges."""
        since = self.sender.trying_since
        show(self.spec.name, self.condition, 0.0 if since is None else time.monotonic() - since)

    @property
    def is_ending(self) -> bool:
        """Its end was requested."""
        return self._end_requested.is_set()

    @property
    def has_failed(self) -> bool:
        """It should be observed, but its thread has ended."""
        thread = self.thread
        return thread is not None and not self._is_ending and thread.has_begun and not thread.is_alive

    @property
    def unavailable(self) -> str | None:
        """Why the log does not accept its records."""
        return None if self._lease_state == "outside" else self.sender.unavailable

    @property
    def watched_by(self) -> Holder | None:
        """The other producer that has its lease, if so."""
        return (
            self._leases.leases.holder(self.spec.name) if self._leases and self._lease_state == "outside" else None
        )

    def may_send(self) -> bool:
        """True while its lease is certainly ours."""
        leases = self._leases
        return (
            self._lease_state == "holding" and self._is_settled and leases is not None
            and leases.leases.held_by(self.spec.name, time.monotonic()) == "me"
        )  # fmt: skip

    def leases_read(self) -> None:
        """The log of leases was read."""
        self._leases_read.set()

    def order(self, order: Order) -> None:
        """Hand it an order; while another producer has the root, that one carries it out."""
        self._orders.append(order)
        if self.thread is not None:
            self.thread.wake()

    async def live(self, leases: LeaseLog) -> None:
        """Watch it until its end is requested; then send what is left for a moment, and close. Raises nothing unless
        cancelled."""
        self._leases = leases
        log.bind(root=self.spec.name, library=self.spec.library)
        if self._lease_state == "doubtful":
            self._observe()
        try:
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(self.sender.run())
                following = group.create_task(self._follow_lease())
                await self._end_requested.wait()
                following.cancel()
                await self._end_thread()
                await self._drain()
                sending.cancel()
        finally:
            self._request_thread_end()
            metrics.forget(self.spec.name)
            self._last_holding = self.handover(0)
            for database in (self._database, self._tenure, self._reading):
                database.close()

    def request_end(self, *, for_good: bool = False) -> None:
        """Stop watching it, and end. `for_good`: wait as long as that takes, because its state will be opened again in this
        process."""
        self._for_good = for_good
        self._end_requested.set()

    async def _end_thread(self) -> None:
        while not await self._joined():
            _log.warning("a root's thread is still at work", root=self.spec.name)
            if not self._for_good:  # the next process continues on its state
                return

    async def _drain(self) -> None:
        with contextlib.suppress(TimeoutError):  # what is left is sent after the next start
            async with asyncio.timeout(DRAIN_SECONDS):
                if self.may_send():
                    await self.sender.emptied()

    async def _follow_lease(self) -> None:
        """Follow the log of leases, for ever; to be cancelled."""
        backoff = Backoff(ROOT)
        while True:
            await self._leases_read.wait()
            self._leases_read.clear()
            try:
                await self._apply_lease()
            except sqlite3.Error as error:  # nothing was changed: try again after the next read of the log
                _log.error("state cannot be written", root=self.spec.name, path=str(self._path), error=str(error))
                await asyncio.sleep(backoff.next_seconds())
            else:
                backoff.reset()

    def _request_thread_end(self) -> None:
        self._is_ending = True
        if self.thread is not None:
            self.thread.request_stop()

    async def _joined(self) -> bool:
        self._request_thread_end()
        return self.thread is None or await asyncio.to_thread(self.thread.join, JOIN_SECONDS)

    async def _apply_lease(self) -> None:
        assert self._leases is not None
        leases, name = self._leases.leases, self.spec.name
        held_by = leases.held_by(name, time.monotonic())
        state, action = step(self._lease_state, held_by)
        match action:
            case "claim":
                await self._claim(self._leases)
            case "begin":
                await self._begin(leases.mine()[name], leases.handed_over.get(name))
            case "give_up":
                await self._give_up(leases.holder(name))
            case None:
                pass
        self._lease_state = state
        if self._lease_state == "outside" and held_by == "living":
            self._carried_out(leases.handed_over.get(name))
            if not self.begun.is_set():
                _log.info("standing by", root=name, watched_by=str(leases.holder(name)))
            self.begun.set()
        if self.sender.is_held_back and self.may_send():
            self.sender.wake()

    async def _claim(self, leases: LeaseLog) -> None:
        if time.monotonic() < self._claimed_at + CLAIM_SECONDS:
            return
        self._claimed_at = time.monotonic()
        before = leases.leases.holder(self.spec.name)
        claim = await leases.draft(self.spec.name, self._lane)
        if claim is not None:
            await asyncio.to_thread(tenure.record_claim, self._tenure, claim, before)
            await leases.send_claim(claim)
            self._points("after_claim")

    async def _begin(self, holder: Holder, handed_over: Holding | None) -> None:
        if not tenure.may_continue(self._tenure, holder):
            await self._end_for_good()
            self._carried_out(handed_over)
        continues = await asyncio.to_thread(tenure.begin, self._tenure, holder, handed_over)
        if self.thread is None:
            self._observe()
        self._is_settled = True
        _log.info("watching", root=self.spec.name, term=holder.term, anew=not continues)

    async def _give_up(self, holder: Holder | None) -> None:
        _log.warning("another producer has claimed the root, standing by", root=self.spec.name, by=str(holder))
        self._is_settled = False
        await self._end_for_good()
        await asyncio.to_thread(tenure.give_up, self._tenure)

    async def _end_for_good(self) -> None:
        while not await self._joined():
            _log.warning("a root's thread is still at work", root=self.spec.name)
        self.thread = None

    def _observe(self) -> None:
        self._is_ending = False
        self.thread = RootThread(
            self.spec, self._path, self._world, self._pacing, partial(self._soon, self._has_changed),
            orders=self._orders,
        )  # fmt: skip
        self.thread.start()

    def _carried_out(self, handed_over: Holding | None) -> None:
        """Drop the orders that its holder has handled; only while nothing is observed here."""
        read = None if handed_over is None else handed_over.commands_read
        while read is not None and self._orders and self._orders[0].next_offset <= read:
            self._orders.popleft()

    def _has_changed(self) -> None:
        self.begun.set()
        self._changed()

    def _soon(self, callback: Callable[[], None]) -> None:
        self._loop.call_soon_threadsafe(callback)
