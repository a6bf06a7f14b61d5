"""Reads the records from which alerts are decided, in one worker at a time, and writes the alerts: first the alerts, each
confirmed, then the group's offsets.

Offsets stay where the rules need the log again after a restart (`keep_from`). A record that cannot be decoded is
skipped: the stage that processes it writes its dead letter. The reports, one every few seconds, advance time for the
rules, but only when all that was in all partitions at the start has been read: else records still to be read would
count as missing.

A group that has no offset yet begins with the last `FIRST_MS`: problems that persist are reported again within that
time, and alerts about old problems are of no use.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from heapq import merge

from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from aiokafka.structs import ConsumerRecord
from msgspec import Struct

from runtime import log
from runtime.errors import NotProvisioned
from runtime.kafka import Kafka
from runtime.log_reading import bounds, times
from runtime.rights import REFUSED
from runtime.waits import EVENT, Backoff
from schemas.alerts import Alert
from schemas.codec import Codec
from schemas.dead_letters import parse
from schemas.errors import SchemaError
from schemas.headers import CE_TYPE, check_version, find
from schemas.places import Offset
from schemas.system import Report, SystemUpdate
from schemas.topics import ALERTS, CHANGES, DLQ_SUFFIX, GUARDED, REPORTS, SYSTEM_UPDATES, dlq_of
from streams.alerts.deletions import Limits
from streams.alerts.owner import OneOwner
from streams.alerts.records import headers, read_alerts, value
from streams.alerts.rules import AlertRules
from streams.alerts.verdict import Cause
from streams.confirmed import Confirmed, NotConfirmed
from streams.group_offsets import GroupOffsets
from streams.member import STOP_SECONDS, Forgetting, GroupMember

GROUP = "alerting"
READ = (SYSTEM_UPDATES, REPORTS, CHANGES, *map(dlq_of, GUARDED))
FETCH_MS = 500
MAX_RECORDS = 2_000
FIRST_MS = 600_000
RETIRED = "retired"

_log = log.get(__name__)


class _Deleted(Struct, frozen=True):
    """The needed fields of a `deleted` change."""

    library: str
    root: str
    cause: str | None = None


_updates: Codec[SystemUpdate] = Codec(SystemUpdate)
_reports: Codec[Report] = Codec(Report)
_deleted: Codec[_Deleted] = Codec(_Deleted)


class AlertingService(GroupMember):
    """A member of the group; its one owner decides alerts. `instance`: its static name."""

    def __init__(
        self, kafka: Kafka, *, instance: str, confirmed: Confirmed, limits: Limits, offsets: GroupOffsets
    ) -> None:
        super().__init__(kafka.group(GROUP))
        self._offsets = offsets
        self._kafka = kafka
        self._instance = instance
        self._confirmed = confirmed
        self._limits = limits
        self._rules: AlertRules | None = None
        self._next: dict[TopicPartition, Offset] = {}
        self._to_catch_up: dict[TopicPartition, Offset] = {}

    async def on_start(self) -> None:
        """Join the group."""
        self.consumer = self._kafka.group_consumer(
            self.group, instance=self._instance, assignor=OneOwner, auto_offset_reset="earliest"
        )
        await self.consumer.start()
        self.consumer.subscribe([self._kafka.name(topic) for topic in READ], listener=Forgetting(self.forget))
        self.work_on(self._follow())

    def forget(self) -> None:
        """Another worker may have decided alerts since: begin from the alerts in the log."""
        self._rules = None

    async def _follow(self) -> None:
        backoff = Backoff(EVENT)
        while not self.should_stop:
            try:
                # it must poll all the same: the group removes a member that does not
                if not self.consumer.assignment():
                    await self.consumer.getmany(timeout_ms=FETCH_MS)
                elif self._rules is None:
                    await self._begin()
                else:
                    await self._round(self._rules)
            except REFUSED:  # the worker's check of its rights reports this and ends the worker
                await self.sleep(STOP_SECONDS)
            except (KafkaError, NotProvisioned, IllegalStateError, TimeoutError, OSError) as error:
                _log.warning("alerts are not decided", error=repr(error))
                self.forget()
                await self.sleep(backoff.next_seconds())
            else:
                backoff.reset()

    # -- start -------------------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        """Restore the recorded alerts from the log, and the positions from the group."""
        ours = self.consumer.assignment()
        rules = AlertRules(self._limits)
        for found in await read_alerts(self._kafka):
            rules.recorded(found.alert, found.cause)
        committed = await self._offsets.committed(self.consumer, ours)
        new = [place for place, offset in committed.items() if offset is None]
        within = await bounds(self.consumer, ours)
        starts = {place: Offset(offset) for place, offset in committed.items() if offset is not None}
        starts |= await self._first(new, within.end)
        self._next = {place: Offset(max(start, within.earliest[place])) for place, start in starts.items()}
        for place, start in self._next.items():
            self.consumer.seek(place, start)
        self._committed = {place: offset for place, offset in committed.items() if offset is not None}
        self._to_catch_up = {place: end for place, end in within.end.items() if self._next[place] < end}
        if ours == self.consumer.assignment():
            self._rules = rules

    async def _first(
        self, new: Sequence[TopicPartition], ends: Mapping[TopicPartition, Offset]
    ) -> dict[TopicPartition, Offset]:
        """Where to begin in partitions for which the group has no offset."""
        if not new:
            return {}
        found = await times(self.consumer, round(time.time() * 1000) - FIRST_MS, new)
        return {place: ends[place] if (first := found[place]) is None else first for place in new}

    # -- work --------------------------------------------------------------------------------------------------

    async def _round(self, rules: AlertRules) -> None:
        batches = await self.consumer.getmany(timeout_ms=FETCH_MS, max_records=MAX_RECORDS)
        for record in merge(*batches.values(), key=lambda record: record.timestamp):
            if self._rules is not rules:  # the partitions were assigned elsewhere meanwhile, or came back
                return
            cause = Cause(self._kafka.topic(record.topic).name, record.partition, record.offset, record.timestamp)
            await self._write(rules, self._decide(rules, record, cause), cause)
        # positions and not records: the log may end with entries that readers never receive
        for place in self._next:
            self._next[place] = Offset(await self.consumer.position(place))
        for place in [place for place, end in self._to_catch_up.items() if self._next[place] >= end]:
            del self._to_catch_up[place]
        if self._rules is rules:
            await self._commit(rules)

    def _decide(self, rules: AlertRules, record: ConsumerRecord, cause: Cause) -> list[Alert]:
        topic = cause.topic
        if topic.endswith(DLQ_SUFFIX):
            return rules.letter(topic.removesuffix(DLQ_SUFFIX), parse(record), cause)
        if topic == CHANGES.name and find(record.headers, CE_TYPE) != b"deleted":
            return []
        try:
            check_version(record.headers)
            if topic == SYSTEM_UPDATES.name:
                return rules.update(_updates.decode(record.value), cause)
            if topic == REPORTS.name:
                found = rules.report(_reports.decode(record.value), cause)
                return found if self._to_catch_up else [*found, *rules.passed(cause)]
            change = _deleted.decode(record.value)
        except SchemaError as error:
            _log.warning("no alert comes of a record", topic=topic, offset=cause.offset, error=str(error))
            return []
        return [] if change.cause == RETIRED else rules.deleted(change.root, change.library, cause)

    async def _write(self, rules: AlertRules, alerts: Iterable[Alert], cause: Cause) -> None:
        """Write every alert, in order, with retries without limit. Raises NotConfirmed if the broker rejects one
        permanently."""
        for alert in alerts:
            backoff = Backoff(EVENT)
            while True:
                try:
                    await self._confirmed.put(
                        ALERTS, value(alert), key=alert.subject.encode("utf-8", "replace"), partition=0,
                        headers=headers(alert, cause),
                    )  # fmt: skip
                    break
                except NotConfirmed as error:
                    if not (error.retryable or error.refused):
                        raise
                    _log.warning("alert not written yet", subject=alert.subject, error=str(error))
                    await self.sleep(backoff.next_seconds())
            rules.recorded(alert, cause)
            _log.info("alert", subject=alert.subject, state=alert.state, severity=alert.severity)

    async def _commit(self, rules: AlertRules) -> None:
        offsets: dict[TopicPartition, Offset] = {}
        for place, reached in self._next.items():
            kept = rules.keep_from(self._kafka.topic(place.topic).name, place.partition)
            offset = reached if kept is None else Offset(min(kept, reached))
            if self._committed.get(place) != offset:
                offsets[place] = offset
        if not offsets:
            return
        try:
            await self.consumer.commit({p: self._offsets.at(p, offset) for p, offset in offsets.items()})
        except KafkaError as error:  # the records are read again, and their alerts are known to be in the log
            _log.warning("offsets of alerting not committed", error=repr(error))
        else:
            self._committed |= offsets
