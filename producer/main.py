"""`catalogizer watch`: all roots of one producer, each with its thread and sender, and the reports about them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from producer import metrics
from producer.clock import SystemClock
from producer.control import ControlReader
from producer.core.lease import Me
from producer.declared import Declarations, resolved_paths
from producer.errors import NestedRoots, NotAcknowledged, Unencodable
from producer.hashing import Hasher
from producer.kafka_log import KafkaLog
from producer.lease_log import LeaseLog
from producer.ports import Points, no_points
from producer.real_paths import RealPaths
from producer.reporting import root_report, scan_report
from producer.root import SILENT_SECONDS
from producer.roots import Roots
from producer.settings import ProducerSettings, RootSpec
from producer.state import locked_folder, producer_id
from producer.watched import Watched
from runtime import log
from runtime.certificates import Certificates, files_of_kafka
from runtime.health import Health, HealthServer, Starting
from runtime.kafka import Kafka, stop_client
from runtime.lifecycle import Stop, announce_ready, collect_rarely
from runtime.reports import Reporter, now_iso
from runtime.topic_watch import TopicWatch
from runtime.waits import KAFKA, Backoff
from schemas.acls import Component
from schemas.system import STANDING_BY, Scalar

REPORT_SECONDS = 5.0
SCAN_REPORT_SECONDS = 2.0
COMPONENT: Component = "watch"

_log = log.get(__name__)


async def watch(
    kafka: Kafka, settings: ProducerSettings, state_dir: Path, stop: Stop, *, points: Points = no_points
) -> None:
    """Watch the roots until a stop is requested. Raises StateLocked, NestedRoots, Unencodable, OSError (the state folder,
    the health port); a root that cannot be observed is reported and does not disturb the others."""
    if sys.getfilesystemencoding() != "utf-8":
        raise Unencodable(sys.getfilesystemencoding())
    real_paths = RealPaths()
    reject_nested(settings.roots, real_paths)
    collect_rarely()
    with locked_folder(state_dir, settings.name) as folder:
        declarations = Declarations(settings, state_dir, real_paths)
        await _Producer(kafka, settings, folder, declarations, points).run(stop)


def reject_nested(roots: Sequence[RootSpec], real_paths: RealPaths) -> None:
    """Raises NestedRoots where a root is inside another one, or is the same directory. Links are followed where the file
    system answers."""
    resolved = resolved_paths(roots, real_paths)
    named = sorted((resolved[spec.name], spec.name) for spec in roots)
    for (outer, outer_name), (inner, inner_name) in pairwise(named):
        if inner.is_relative_to(outer):
            raise NestedRoots(outer_name, inner_name, inner)


class _Producer:
    def __init__(
        self, kafka: Kafka, settings: ProducerSettings, folder: Path, declarations: Declarations, points: Points
    ) -> None:
        self._kafka = kafka
        self._settings = settings
        self._folder = folder
        self._log = KafkaLog(kafka, points=points)
        self._changed = asyncio.Event()
        self._health = Health()
        self._begun = False
        self._control = ControlReader(kafka)

        rate = settings.md5_bytes_per_second
        self._hasher = Hasher(rate, SystemClock()) if rate else None

        def make(spec: RootSpec) -> Watched:
            changed = self._changed.set
            return Watched(spec, settings, folder, self._log, kafka, points, changed, hasher=self._hasher)

        self._roots = Roots(declarations, make, self._control)
        me = Me(producer_id(folder), secrets.token_hex(8), socket.gethostname(), os.getpid())
        self._leases = LeaseLog(kafka, me, self._roots.handover, self._leases_read)

    def _leases_read(self) -> None:
        for root in self._roots:
            root.leases_read()

    async def run(self, stop: Stop) -> None:
        self._health.add("start", lambda: None if self._begun else Starting("the roots are being checked"))
        self._health.add("log", self._log_problem)
        self._health.add("roots", self._roots_problem)
        self._health.add("declared", lambda: "; ".join(self._roots.faults) or None, warning=True)
        certificates = Certificates(files_of_kafka(self._kafka.settings))
        self._health.measures += (self._show, certificates.show)
        topics = TopicWatch(self._kafka, COMPONENT)
        self._health.add("topics", topics.problem, warning=True)
        self._health.add("needs", topics.unmet)
        server = HealthServer(self._settings.health, self._health)
        await server.start()
        if self._hasher is not None:
            self._hasher.start()
        try:
            async with asyncio.TaskGroup() as group:
                async with asyncio.TaskGroup() as rooms:
                    await self._roots.update(rooms, self._leases)
                    services = (self._report, self._announce, self._control.run, topics.run, self._leases.run)
                    tasks = [group.create_task(task()) for task in services]
                    following = rooms.create_task(self._roots.follow(rooms, self._leases))
                    await stop.wait()
                    following.cancel()
                    self._roots.request_end()
                for task in tasks:
                    task.cancel()
            await self._leases.leave()
        finally:
            await self._log.stop()
            await server.stop()

    async def _announce(self) -> None:
        backoff = Backoff(KAFKA)
        while True:
            try:
                await self._log.start()
                break
            except NotAcknowledged as error:
                _log.warning("Kafka cannot be reached, trying again", error=str(error))
                await asyncio.sleep(backoff.next_seconds())
        with contextlib.suppress(TimeoutError):  # a root that does not answer is reported as such
            async with asyncio.timeout(SILENT_SECONDS):
                for root in self._roots:
                    await root.begun.wait()
        self._begun = True
        announce_ready()

    async def _report(self) -> None:
        while True:
            producer = await self._reporting_producer()
            reporter = Reporter(self._kafka, producer, COMPONENT, state_dir=self._folder)
            try:
                await self._report_through(reporter)
            except asyncio.CancelledError:
                await reporter.leave()
                raise
            finally:
                await stop_client(producer)

    async def _report_through(self, reporter: Reporter) -> None:
        """Until its Kafka producer can no longer be used."""
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
            except KafkaError:  # the senders report it
                await stop_client(producer)
                await asyncio.sleep(backoff.next_seconds())

    async def _report_roots(self, reporter: Reporter) -> None:
        with contextlib.suppress(TimeoutError):  # before a root's first turn there is nothing to report
            async with asyncio.timeout(REPORT_SECONDS):
                for root in self._roots:
                    await root.begun.wait()
        while True:
            self._changed.clear()
            at = now_iso()
            for root in self._roots:
                latest = root.latest
                if latest is None:  # the producer that watches it reports it
                    continue
                summary = latest.summary
                if summary.mode != "offline":
                    root.last_connected = at
                await reporter.send(root_report(root.spec, summary, at, root.last_connected))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), REPORT_SECONDS)

    async def _report_scans(self, reporter: Reporter) -> None:
        reported: dict[str, object] = {}
        while True:
            await asyncio.sleep(SCAN_REPORT_SECONDS)
            for root in self._roots:
                condition = root.condition
                if condition is None or (condition.progress, condition.paused) == reported.get(root.spec.name):
                    continue
                reported[root.spec.name] = (condition.progress, condition.paused)
                if (report := scan_report(root.spec, condition, now_iso())) is not None:
                    await reporter.send(report)

    def _details(self) -> dict[str, Scalar]:
        waiting = [root.condition.waiting for root in self._roots if root.condition is not None]
        others = [
            f"{root.spec.name} is watched by {holder}"
            for root in self._roots
            if (holder := root.watched_by) is not None
        ]
        standing_by: dict[str, Scalar] = {STANDING_BY: ", ".join(others)} if others else {}
        return {"roots": len(self._roots), "outbox_records": sum(waiting)} | standing_by

    def _show(self) -> None:
        metrics.OUTBOX_LIMIT.set(self._settings.outbox_limit)
        metrics.show_watch_limit()
        for root in self._roots:
            root.show()

    def _log_problem(self) -> str | None:
        unavailable = (root.unavailable for root in self._roots if root.unavailable is not None)
        return next(unavailable, self._leases.problem)

    def _roots_problem(self) -> str | None:
        ended = [root.spec.name for root in self._roots if root.has_failed]
        return f"not observed: {', '.join(ended)}" if ended else None
