"""The gateway's own records in the log: notifications, audit events, requests for roots and analyses, corrections, all
acknowledged before the request is answered; and heartbeats.

One idempotent producer, rebuilt after a fatal error. An id is the caller's or made here; if a record is sent again with the
same id after an unknown outcome, readers can drop the second one by it.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass, replace

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from gateway.core.about import Addressee
from gateway.errors import GatewayError
from runtime import log
from runtime.health import Health
from runtime.kafka import Kafka, stop_client
from runtime.lifecycle import Stop
from runtime.reports import Reporter, now_iso, retired_report
from runtime.waits import PUBLISHER
from schemas.acls import Component
from schemas.admin import Control, RetireRoot
from schemas.audit import AuditEvent
from schemas.codec import encode
from schemas.headers import X_TO, Headers, event_headers, raw_headers
from schemas.ids import event_id, request_id
from schemas.lanes import lane_of
from schemas.raw import AnalysisRequested, AnalysisSteered, Corrected, Protocol, RootRetired
from schemas.resuming import GatewayFloor, ResumeRecord
from schemas.system import Notification, Scalar
from schemas.topics import AUDIT, CONTROL, NOTIFICATIONS, RAW, RESUMING, Topic

COMPONENT: Component = "serve"
_SOURCE = f"urn:catalogizer:{COMPONENT}"
CONFIRM_SECONDS = 10.0
STOP_SECONDS = 2.0

_log = log.get(__name__)


class NotPublished(GatewayError):
    """No acknowledgement: the record may have been written or not. Send it again with the same id."""

    retryable = True


@dataclass(frozen=True, slots=True)
class Published:
    """The position of a published record."""

    id: str
    partition: int
    offset: int


class Publishing:
    """Owns the producer."""

    def __init__(self, kafka: Kafka, health: Health, details: Callable[[], dict[str, Scalar]]) -> None:
        self._kafka = kafka
        self._health = health
        self._details = details
        self._producer: AIOKafkaProducer | None = None
        self._reporter: Reporter | None = None
        self._broken = asyncio.Event()
        self._count = itertools.count(1)

    async def run(self, stop: Stop) -> None:
        """Keep a producer and send heartbeats until requested to stop."""
        while not stop.requested:
            try:
                await self._live(stop)
            except (KafkaError, OSError) as error:
                _log.warning("producer starts again", error=str(error))
                await stop.wait(PUBLISHER.first)

    async def notify(
        self, notification: Notification, *, id: str | None, by: str, to: Addressee | None = None
    ) -> Published:
        """Publish and wait for the acknowledgement. `to`: the addressee; None: everybody. Raises NotPublished."""
        at = now_iso()
        id = id or event_id(f"{NOTIFICATIONS.name}/{by}/{at}", 0, next(self._count), 0)
        headers = event_headers(
            id=id, type="notification", source=_SOURCE, time=at, subject=notification.type,
            extra=None if to is None else [(X_TO, to.text().encode())],
        )  # fmt: skip
        return await self._write(NOTIFICATIONS, notification.type, encode(notification), headers, id)

    async def audit(self, event: AuditEvent, *, id: str | None = None) -> Published:
        """Publish an event of the audit log; `id`: its own, if it has one. Raises NotPublished."""
        id = id or event_id(f"{AUDIT.name}/{event.by}/{event.at}", os.getpid(), next(self._count), 0)
        headers = event_headers(id=id, type=event.action, source=_SOURCE, time=event.at, subject=event.subject)
        return await self._write(AUDIT, event.subject, encode(event), headers, id)

    async def resuming(self, record: ResumeRecord) -> None:
        """Publish positions of clients for the other gateways. Raises NotPublished."""
        kind = str(record.__struct_config__.tag)
        key = record.gateway if isinstance(record, GatewayFloor) else record.session
        await self._write(RESUMING, key, encode(record), raw_headers(kind), "")

    async def send_control(self, command: Control) -> Published:
        """Publish a command for a root; returns when the log has acknowledged it. Raises NotPublished."""
        kind = str(command.__struct_config__.tag)
        headers = event_headers(id=command.id, type=kind, source=_SOURCE, time=command.at, subject=command.root)
        return await self._write(CONTROL, command.root, encode(command), headers, command.id)

    async def observe(self, record: AnalysisRequested | AnalysisSteered | Corrected, library: str) -> Published:
        """Publish an operator's request or correction to the change log; the id is that of the resulting request. Raises
        NotPublished."""
        lane, kind = lane_of(library, self._kafka.lanes), str(record.__struct_config__.tag)
        written = await self._write(RAW, library, encode(record), raw_headers(kind), "", lane)
        return replace(written, id=str(request_id(lane, written.offset)))

    async def retire(self, command: RetireRoot, library: str, protocol: Protocol, location: str) -> Published:
        """Take a root out of the catalogue; returns the position in the change log. If repeated after a failure between its
        steps, it publishes the same again. Raises NotPublished."""
        await self.send_control(command)
        lane, record = (
            lane_of(library, self._kafka.lanes),
            RootRetired(root=command.root, by=command.by, at=command.at),
        )
        written = await self._write(RAW, library, encode(record), raw_headers("root_retired"), command.id, lane)
        if self._reporter is not None:
            await self._reporter.send(retired_report(command.root, library, protocol, location))
        return written

    async def _write(
        self, topic: Topic, key: str, value: bytes, headers: Headers, id: str, partition: int = 0
    ) -> Published:
        producer = self._producer
        if producer is None:
            raise NotPublished("the log is not reachable")
        try:
            # the other topics have one partition, and readers of it: if an operator adds some, ours still go there
            name = self._kafka.name(topic)
            sent = producer.send_and_wait(name, value, key=key.encode(), partition=partition, headers=headers)
            written = await asyncio.wait_for(sent, CONFIRM_SECONDS)
        except (KafkaError, TimeoutError) as error:
            self._broken.set()  # an idempotent batch never expires by itself: the producer must be replaced
            raise NotPublished(str(error)) from error
        return Published(id, written.partition, written.offset)

    async def _live(self, stop: Stop) -> None:
        self._broken.clear()
        producer = self._kafka.producer()
        await producer.start()
        self._producer = producer
        self._reporter = reporter = Reporter(self._kafka, producer, COMPONENT)
        tasks = [
            asyncio.create_task(reporter.heartbeats(self._health, self._details)),
            asyncio.create_task(self._broken.wait()),
            asyncio.create_task(reporter.broken.wait()),
            asyncio.create_task(stop.wait()),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            if stop.requested:
                await reporter.leave()
        finally:
            self._producer = self._reporter = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await stop_client(producer, STOP_SECONDS)
