"""Reports of this process about itself (heartbeats and others), published through one idempotent Kafka producer.

Reports are telemetry: one that cannot be published is counted and not repeated, because the next one contains the whole
state. While Kafka cannot be reached a bounded number of them waits, and they never delay the work that they report on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from runtime import log, metrics
from runtime.health import Health, product_version
from runtime.kafka import Kafka
from schemas.codec import encode
from schemas.headers import event_headers
from schemas.ids import event_id
from schemas.raw import Protocol
from schemas.system import DISK, DISK_FREE, DISK_TOTAL, VERSION, Heartbeat, Report, RootReport, Scalar, ScanReport
from schemas.times import iso
from schemas.topics import REPORTS

HEARTBEAT_SECONDS = 5.0
LEAVE_SECONDS = 1.0

_log = log.get(__name__)


def now_iso() -> str:
    """The wall clock, for telemetry only."""
    return iso(time.time_ns() // 1_000_000)


def retired_report(root: str, library: str, protocol: Protocol, location: str) -> RootReport:
    """The last report of a root that an operator has retired: no further reports are expected."""
    return RootReport(
        root=root, library=library, site="", protocol=protocol, status="healthy", at=now_iso(), location=location,
        message=f"root {root} is retired: its items have left the catalogue", mode="retired",
    )  # fmt: skip


class Reporter:
    """Publishes reports. `instance` distinguishes processes of one component (default: host and pid). `broken`: set when a
    report was rejected; an idempotent producer cannot recover from a failed batch, so its owner replaces it. `state_dir`: if
    the process has one, its heartbeats report how full its disk is."""

    def __init__(
        self, kafka: Kafka, producer: AIOKafkaProducer, component: str, instance: str = "",
        state_dir: Path | None = None,
    ) -> None:  # fmt: skip
        self._kafka = kafka
        self._producer = producer
        self.component = component
        self.host = socket.gethostname()
        self.instance = instance or f"{self.host}-{os.getpid()}"
        self._state_dir = state_dir
        self._sent = 0
        self._dropped = ""
        self.broken = asyncio.Event()

    async def send(self, report: Report) -> None:
        """Publish a report without waiting for it; raises nothing."""
        self._sent += 1
        subject = _subject(report)
        headers = event_headers(
            id=event_id(f"{REPORTS.name}/{self.instance}/{report.at}", 0, self._sent, 0),
            type="system_report",
            source=f"urn:catalogizer:{self.component}:{self.instance}",
            time=report.at,
            subject=subject,
        )
        try:
            sent = await self._producer.send(
                self._kafka.name(REPORTS), encode(report), key=subject.encode(), partition=0, headers=headers
            )
        except KafkaError as error:
            self._drop(error)
        else:
            sent.add_done_callback(self._written)

    async def leave(self, details: dict[str, Scalar] | None = None) -> None:
        """Report that this process ends as requested, so that it is not reported as missing. Waits only briefly for the
        acknowledgement: if the report is lost, the process is merely reported as missing."""
        beat = Heartbeat(
            component=self.component, instance=self.instance, host=self.host, pid=os.getpid(), status="healthy",
            at=now_iso(), details=details or {}, leaving=True,
        )  # fmt: skip
        await self.send(beat)
        with contextlib.suppress(KafkaError, TimeoutError):
            await asyncio.wait_for(self._producer.flush(), LEAVE_SECONDS)

    async def heartbeats(self, health: Health, details: Callable[[], dict[str, Scalar]]) -> None:
        """Send a heartbeat every 5 s until cancelled: `error` while a health check fails; a check that is starting counts as
        healthy. The gauges are set at the same interval."""
        while True:
            health.measure()
            problems = health.problems()
            await self.send(
                Heartbeat(
                    component=self.component,
                    instance=self.instance,
                    host=self.host,
                    pid=os.getpid(),
                    status="error" if problems else "healthy",
                    at=now_iso(),
                    message="; ".join(f"{name}: {what}" for name, what in problems.items()) or None,
                    details=details()
                    | {VERSION: product_version()}
                    | disk_of(self._state_dir)
                    | _start(health.starting()),
                )
            )
            await asyncio.sleep(HEARTBEAT_SECONDS)

    def _written(self, sent: asyncio.Future[object]) -> None:
        if sent.cancelled():
            return
        if (error := sent.exception()) is not None:
            self.broken.set()
            self._drop(error)
        else:
            self._dropped = ""

    def _drop(self, error: BaseException) -> None:
        """Count the dropped report; log it if the reason differs from the previous one."""
        metrics.REPORTS_DROPPED.inc()
        if (text := repr(error)) != self._dropped:
            self._dropped = text
            _log.warning("report dropped", error=text)


def disk_of(folder: Path | None) -> dict[str, Scalar]:
    """Where the folder's file system is mounted, its free bytes (for this process) and its size. Empty if it cannot be
    queried: then the folder cannot be used either, and the health checks report that."""
    if folder is None:
        return {}
    try:
        place = folder.resolve()
        usage = shutil.disk_usage(place)
        while not place.is_mount() and place != place.parent:
            place = place.parent
    except OSError as error:
        _log.warning("the disk of the state folder cannot be queried", error=str(error))
        return {}
    return {DISK: str(place), DISK_FREE: usage.free, DISK_TOTAL: usage.total}


def _start(starting: dict[str, str]) -> dict[str, Scalar]:
    """The checks that are still starting, for the heartbeat's details."""
    return {"starting": ", ".join(starting)} if starting else {}


def _subject(report: Report) -> str:
    match report:
        case Heartbeat():
            return report.component
        case RootReport():
            return report.root
        case ScanReport():
            return report.root
