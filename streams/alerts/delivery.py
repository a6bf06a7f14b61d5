"""Delivery of alerts to people: a reader of the log that sends each alert to each target, and moves past it when all targets
have settled it.

Every target has a task of its own, so that a slow one does not delay the others. An alert that a target has finally
refused is written to the dead letter queue, with a header that names these targets and with their answers, before the
group's offset is committed; if it is redriven, it is sent only to those targets. After a kill at any point, what was
not committed is delivered again, with the same id.

A group that has no offset yet begins with the alerts of the last `FIRST_MS`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence

from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from aiokafka.structs import ConsumerRecord, OffsetAndMetadata

from runtime import log
from runtime.errors import NotProvisioned
from runtime.kafka import Kafka
from runtime.log_reading import bounds, times
from runtime.rights import REFUSED
from runtime.waits import ALERT, EVENT, Backoff, Waits
from schemas.alerts import Alert
from schemas.errors import SchemaError
from schemas.headers import CE_ID, X_TARGETS, check_version, find
from schemas.topics import ALERTS
from streams.alerts.attempts import (
    PATIENCE_SECONDS,
    Answer,
    Delivered,
    Outgoing,
    Refused,
    RetryLater,
    Target,
    wait_seconds,
)
from streams.alerts.pending import Line, Pending, read_metadata
from streams.alerts.records import codec
from streams.errors import StreamsError
from streams.guard import Letters, Received, received_plain
from streams.member import STOP_SECONDS, Forgetting, GroupMember

GROUP = "alerts"
FETCH_MS = 200
MAX_RECORDS = 100
MAX_AHEAD = 10_000
"""Maximum alerts in memory; if a target is further behind, the others wait for it."""
FIRST_MS = 600_000

_log = log.get(__name__)

Points = Callable[[str], None]
"""Named moments, for tests that kill the process there."""


def nowhere(_point: str) -> None:
    """Does nothing; tests pass another function."""


class Undelivered(StreamsError):
    """Why an alert is in the dead letter queue. `failed`: by target, its answer."""

    def __init__(self, failed: dict[str, str]) -> None:
        self.failed = dict(sorted(failed.items()))
        super().__init__("; ".join(f"{target}: {detail}" for target, detail in self.failed.items()))


class Delivery(GroupMember):
    """A member of the group that delivers alerts. `instance`: its static name; `epoch`: of the topic of alerts, empty if it
    is not there; `wanted`: which alerts are sent at all; `waits`, `patience`: how delivery is retried."""

    def __init__(
        self, kafka: Kafka, *, instance: str, epoch: str, targets: Sequence[Target], wanted: Callable[[Alert], bool],
        letters: Letters, waits: Waits = ALERT, patience: float = PATIENCE_SECONDS, points: Points = nowhere,
    ) -> None:  # fmt: skip
        super().__init__(kafka.group(GROUP))
        self._kafka = kafka
        self._instance = instance
        self._epoch = epoch
        self._targets = {target.name: target for target in targets}
        self._wanted = wanted
        self._letters = letters
        self._waits = waits
        self._patience = patience
        self._points = points
        self._place = TopicPartition(kafka.name(ALERTS), 0)
        self._line: Line | None = None
        self._queues: dict[str, asyncio.Queue[Pending]] = {}
        self._serving: list[asyncio.Task[None]] = []
        self._one_settles = asyncio.Lock()
        self._kept: tuple[int, str] | None = None

    async def on_start(self) -> None:
        """Join the group."""
        self.consumer = self._kafka.group_consumer(
            self.group, instance=self._instance, auto_offset_reset="earliest"
        )
        await self.consumer.start()
        self.consumer.subscribe([self._kafka.name(ALERTS)], listener=Forgetting(self.forget))
        self.work_on(self._follow())

    async def on_stop(self) -> None:
        """Commit what was delivered, and end; deliveries in progress are repeated later."""
        for task in self._serving:
            task.cancel()
        with contextlib.suppress(TimeoutError, KafkaError, IllegalStateError):
            async with asyncio.timeout(STOP_SECONDS):
                await self._settle()
        await super().on_stop()
        for target in self._targets.values():
            await target.close()

    def forget(self) -> None:
        """The partition may be assigned to another member now: send nothing more from here."""
        for task in self._serving:
            task.cancel()
        self._serving, self._line = [], None

    async def _follow(self) -> None:
        backoff = Backoff(EVENT)
        while not self.should_stop:
            try:
                if self._place not in self.consumer.assignment():
                    await self.consumer.getmany(timeout_ms=FETCH_MS)
                elif self._line is None:
                    await self._begin()
                else:
                    await self._round(self._line)
            except REFUSED:  # the worker's check of its rights reports this and ends the worker
                await self.sleep(STOP_SECONDS)
            except (KafkaError, NotProvisioned, IllegalStateError, TimeoutError, OSError) as error:
                _log.warning("alerts are not delivered", error=repr(error))
                await self.sleep(backoff.next_seconds())
            else:
                backoff.reset()

    # -- reading -----------------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        """Begin at the group's position, and at each target's."""
        group = await self._group_offset()
        self._kept = None if group is None else (group.offset, group.metadata or "")
        epoch, reached = read_metadata("" if group is None else group.metadata or "")
        if self._epoch and epoch not in (None, self._epoch):
            _log.warning("the offset of alerts is of a former topic: the new one is read from its beginning")
            reached = {}
            begin: int = (await bounds(self.consumer, [self._place])).earliest[self._place]
        else:
            begin = await self._first() if group is None else group.offset
        self.consumer.seek(self._place, begin)
        self._line = Line(self._targets, begin, reached)
        self._queues = {name: asyncio.Queue() for name in self._targets}
        self._serving = [asyncio.create_task(self._serve(target)) for target in self._targets.values()]

    async def _group_offset(self) -> OffsetAndMetadata | None:
        """The group's offset with its metadata, which a consumer does not return."""
        admin = self._kafka.admin()
        await admin.start()
        try:
            found = await admin.list_consumer_group_offsets(self.group)
        finally:
            await admin.close()
        offset: OffsetAndMetadata | None = found.get(self._place)
        return None if offset is None or offset.offset < 0 else offset

    async def _first(self) -> int:
        within = await bounds(self.consumer, [self._place])
        first = (await times(self.consumer, round(time.time() * 1000) - FIRST_MS, [self._place]))[self._place]
        return within.end[self._place] if first is None else first

    async def _round(self, line: Line) -> None:
        if len(line) < MAX_AHEAD:
            self.consumer.resume(self._place)
        else:
            self.consumer.pause(self._place)
        batches = await self.consumer.getmany(timeout_ms=FETCH_MS, max_records=MAX_RECORDS)
        if self._line is not line:
            return
        for record in batches.get(self._place, ()):
            alert = self._pending(line, record)
            line.add(alert)
            for name in sorted(alert.left):
                self._queues[name].put_nowait(alert)
        line.read_to(await self.consumer.position(self._place))
        await self._settle()

    def _pending(self, line: Line, record: ConsumerRecord) -> Pending:
        plain = received_plain(record)
        try:
            check_version(plain.headers)
            alert = codec.decode(plain.value)
        except SchemaError as error:
            return Pending(plain, None, set(), poison=error)
        id_ = (find(plain.headers, CE_ID) or b"").decode("ascii", "replace")
        only = find(plain.headers, X_TARGETS)
        if only is not None:
            names = set(only.decode("utf-8", "replace").split(",")) & self._targets.keys()
        else:
            names = set(self._targets) if self._wanted(alert) else set()
        left = {name for name in names if line.takes(name, record.offset)}
        return Pending(plain, Outgoing(id_ or f"{ALERTS.name}-{record.offset}", alert), left)

    # -- sending -----------------------------------------------------------------------------------------------

    async def _serve(self, target: Target) -> None:
        """Deliver to one target, forever."""
        queue = self._queues[target.name]
        while True:
            alert = await queue.get()
            assert alert.outgoing is not None
            answer = await self._bring(target, alert.outgoing)
            subject, state = alert.outgoing.alert.subject, alert.outgoing.alert.state
            if isinstance(answer, Delivered):
                _log.info("alert delivered", target=target.name, subject=subject, state=state)
                self._points("after_send")
                alert.settled(target.name)
            else:
                _log.error(
                    "alert not delivered", target=target.name, subject=subject, state=state, detail=answer.detail
                )
                alert.settled(target.name, answer.detail)

    async def _bring(self, target: Target, outgoing: Outgoing) -> Delivered | Refused:
        """Retry until the alert is delivered or finally refused."""
        began, backoff = time.monotonic(), Backoff(self._waits)
        while True:
            answer = await _try(target, outgoing)
            if not isinstance(answer, RetryLater):
                return answer
            wait = wait_seconds(answer, backoff.next_seconds(), time.monotonic() - began, self._patience)
            if wait is None:
                return Refused(f"given up after {time.monotonic() - began:.0f} s: {answer.detail}")
            _log.warning(
                "alert not delivered yet", target=target.name, detail=answer.detail, again_in=round(wait, 1)
            )
            await asyncio.sleep(wait)

    # -- leaving -----------------------------------------------------------------------------------------------

    async def _settle(self) -> None:
        """Move past the alerts that all targets have settled: first write the dead letters, then commit the offset."""
        async with self._one_settles:
            line, left = self._line, 0
            while line is not None and (alert := line.first_settled) is not None:
                await self._put_letter(alert)
                if line is not self._line:
                    return
                line.leave_first()
                left += 1
            if left:
                self._points("before_commit")
            if line is not None:
                await self._commit(line)

    async def _put_letter(self, alert: Pending) -> None:
        record = alert.record
        if alert.poison is not None:
            await self._letters.put(record, alert.poison)
        elif alert.failed:
            names = ",".join(sorted(alert.failed))
            headers = [(name, value) for name, value in record.headers if name != X_TARGETS]
            headers.append((X_TARGETS, names.encode()))
            await self._letters.put(_with(record, tuple(headers)), Undelivered(alert.failed))

    async def _commit(self, line: Line) -> None:
        position = (line.next_offset, line.metadata(self._epoch))
        if position == self._kept:
            return
        try:
            await self.consumer.commit({self._place: OffsetAndMetadata(*position)})
        except KafkaError as error:  # they are delivered again, with the same ids
            _log.warning("offset of alerts not committed", error=repr(error))
        else:
            self._kept = position


async def _try(target: Target, outgoing: Outgoing) -> Answer:
    try:
        return await target.send(outgoing)
    except Exception as error:  # noqa: BLE001 - a target's outermost loop: anything else loses the alert
        # its text may contain a secret
        _log.error("a target failed", target=target.name, error=type(error).__name__)
        return Refused(f"{type(error).__name__} in the program")


def _with(record: Received, headers: tuple[tuple[str, bytes], ...]) -> Received:
    return Received(
        record.topic, record.partition, record.offset, record.timestamp, record.key, record.value, headers
    )
