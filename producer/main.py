"""`catalogizer watch`: all roots of one producer, each with its thread and sender, and what is said of them."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from producer.backends.table import backend_of
from producer.backoff import KAFKA, Backoff
from producer.clock import SystemClock
from producer.control import ControlReader
from producer.errors import NestedRoots, NotAcknowledged, Unencodable
from producer.kafka_log import KafkaLog
from producer.memory import commands_read
from producer.outbox import Unsent
from producer.ports import Points, no_points
from producer.reporting import root_report, scan_report
from producer.root import RootThread
from producer.sender import Sender
from producer.settings import ProducerSettings, RootSpec
from producer.state import locked_folder, open_unsent
from producer.world import Pacing, World
from runtime import log
from runtime.health import Health, HealthServer, Starting
from runtime.kafka import Kafka, stop_client
from runtime.lifecycle import Stop, announce_ready
from runtime.reports import Reporter, now_iso
from runtime.topic_watch import TopicWatch
from schemas.acls import Component
from schemas.lanes import lane_of
from schemas.system import Scalar

REPORT_SECONDS = 5.0
SCAN_REPORT_SECONDS = 2.0
DRAIN_SECONDS = 2.0
COMPONENT: Component = "watch"

_log = log.get(__name__)


class Watched:
    """One root of this process: thread and sender."""

    def __init__(
        self, spec: RootSpec, settings: ProducerSettings, folder: Path, target: KafkaLog, kafka: Kafka,
        points: Points, changed: Callable[[], None],
    ) -> None:  # fmt: skip
        self.spec = spec
        self.last_connected: str | None = None
        self.begun = asyncio.Event()
        self._changed = changed
        loop = asyncio.get_running_loop()
        path = folder / f"{spec.name}.sqlite"
        self._database = open_unsent(path)
        self.commands_read = commands_read(self._database)
        lane = lane_of(spec.library, kafka.lanes)
        self.sender = Sender(spec.name, Unsent(self._database), target, lane, spec.library.encode(), points=points)
        pacing = Pacing(settings.identity_seconds, settings.reconcile_seconds, settings.outbox_limit)
        world = World(
            backend=backend_of(spec),
            clock=SystemClock(),
            points=points,
            written=partial(_soon, loop, self.sender.wake),
        )
        self.thread = RootThread(spec, path, world, pacing, partial(_soon, loop, self._has_changed))

    def _has_changed(self) -> None:
        self.begun.set()
        self._changed()

    def close(self) -> None:
        """Close the sender's connection."""
        self._database.close()


def _soon(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    loop.call_soon_threadsafe(callback)


async def watch(
    kafka: Kafka, settings: ProducerSettings, state_dir: Path, stop: Stop, *, points: Points = no_points
) -> None:
    """Watch the roots until asked to stop. Raises StateLocked, NestedRoots, Unencodable, OSError (the state folder, the
    health port); a root that cannot be observed is reported and does not disturb the others."""
    if sys.getfilesystemencoding() != "utf-8":
        raise Unencodable(sys.getfilesystemencoding())
    refuse_nested(settings.roots)
    with locked_folder(state_dir, settings.name) as folder:
        await _Producer(kafka, settings, folder, points).run(stop)


def refuse_nested(roots: Sequence[RootSpec]) -> None:
    """No root may lie inside another one, or be the same directory, links followed. Raises NestedRoots."""
    places = sorted((spec.path.resolve(), spec.name) for spec in roots)
    for (outer, outer_name), (inner, inner_name) in pairwise(places):
        if inner.is_relative_to(outer):
            raise NestedRoots(outer_name, inner_name, inner)


class _Producer:
    def __init__(self, kafka: Kafka, settings: ProducerSettings, folder: Path, points: Points) -> None:
        self._kafka = kafka
        self._settings = settings
        self._log = KafkaLog(kafka, points=points)
        self._changed = asyncio.Event()
        self._health = Health()
        self._begun = False
        self._roots = [
            Watched(spec, settings, folder, self._log, kafka, points, self._changed.set) for spec in settings.roots
        ]

    async def run(self, stop: Stop) -> None:
        self._health.add("start", lambda: None if self._begun else Starting("the roots are being looked at"))
        self._health.add("log", self._log_problem)
        self._health.add("roots", self._roots_problem)
        topics = TopicWatch(self._kafka, COMPONENT)
        self._health.add("topics", topics.problem, warning=True)
        self._health.add("needs", topics.unmet)
        server = HealthServer(self._settings.health, self._health)
        await server.start()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(root.sender.run()) for root in self._roots]
                besides = (self._report, self._announce, self._control, topics.run)
                tasks += [group.create_task(task()) for task in besides]
                for root in self._roots:
                    root.thread.start()
                await stop.wait()
                await self._end_threads()
                await self._drain()
                for task in tasks:
                    task.cancel()
        finally:
            await self._end_threads()
            await self._log.stop()
            await server.stop()
            for root in self._roots:
                root.close()

    async def _end_threads(self) -> None:
        for root in self._roots:
            root.thread.ask_stop()
        for root in self._roots:
            if not await asyncio.to_thread(root.thread.join, DRAIN_SECONDS):
                _log.warning("a root's thread is still at work, its next start goes on", root=root.spec.name)

    async def _drain(self) -> None:
        with contextlib.suppress(TimeoutError):  # what is left is sent after the next start
            async with asyncio.timeout(DRAIN_SECONDS):
                for root in self._roots:
                    await root.sender.emptied()

    async def _announce(self) -> None:
        backoff = Backoff(KAFKA)
        while True:
            try:
                await self._log.start()
                break
            except NotAcknowledged as error:
                _log.warning("Kafka cannot be reached, trying again", error=str(error))
                await asyncio.sleep(backoff.next_seconds())
        for root in self._roots:
            await root.begun.wait()
        self._begun = True
        announce_ready()

    async def _control(self) -> None:
        threads = {root.spec.name: root.thread for root in self._roots}
        positions = {root.spec.name: root.commands_read for root in self._roots}
        await ControlReader(self._kafka, positions, lambda root, order: threads[root].order(order)).run()

    async def _report(self) -> None:
        while True:
            producer = await self._reporting_producer()
            reporter = Reporter(self._kafka, producer, COMPONENT)
            try:
                await self._report_through(reporter)
            except asyncio.CancelledError:
                await reporter.leave()
                raise
            finally:
                await stop_client(producer)

    async def _report_through(self, reporter: Reporter) -> None:
        """Until its producer is past helping."""
        async with asyncio.TaskGroup() as group:
            reporting = (
                reporter.heartbeats(self._health, self._details),
                self._report_roots(reporter),
                self._report_scans(reporter),
            )
            tasks = [group.create_task(each) for each in reporting]
            await reporter.broken.wait()
            for task in tasks:
                task.cancel()

    async def _reporting_producer(self) -> AIOKafkaProducer:
        backoff = Backoff(KAFKA)
        while True:
            producer = self._kafka.producer()
            try:
                await producer.start()
                return producer
            except KafkaError:  # the senders tell of it
                await stop_client(producer)
                await asyncio.sleep(backoff.next_seconds())

    async def _report_roots(self, reporter: Reporter) -> None:
        with contextlib.suppress(TimeoutError):  # of one that nobody has looked at yet there is nothing to say
            async with asyncio.timeout(REPORT_SECONDS):
                for root in self._roots:
                    await root.begun.wait()
        while True:
            self._changed.clear()
            at = now_iso()
            for root in self._roots:
                told = root.thread.latest.told
                if told.mode != "offline":
                    root.last_connected = at
                await reporter.send(root_report(root.spec, told, at, root.last_connected))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), REPORT_SECONDS)

    async def _report_scans(self, reporter: Reporter) -> None:
        reported: dict[str, object] = {}
        while True:
            await asyncio.sleep(SCAN_REPORT_SECONDS)
            for root in self._roots:
                condition = root.thread.latest.condition
                if condition is None or condition.progress == reported.get(root.spec.name):
                    continue
                reported[root.spec.name] = condition.progress
                if (report := scan_report(root.spec, condition, now_iso())) is not None:
                    await reporter.send(report)

    def _details(self) -> dict[str, Scalar]:
        waiting = [r.thread.latest.condition.waiting for r in self._roots if r.thread.latest.condition is not None]
        return {"roots": len(self._roots), "outbox_records": sum(waiting)}

    def _log_problem(self) -> str | None:
        return next((root.sender.unavailable for root in self._roots if root.sender.unavailable is not None), None)

    def _roots_problem(self) -> str | None:
        ended = [root.spec.name for root in self._roots if root.thread.has_begun and not root.thread.is_alive]
        return f"not observed: {', '.join(ended)}" if ended else None
