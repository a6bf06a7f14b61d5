"""Gaps of the roots: a reader of the changes, separate from the agents, because it skips nearly all changes and Faust
would take longer for each than the fold did.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from runtime import log
from runtime.errors import NotProvisioned
from runtime.kafka import Kafka
from runtime.rights import REFUSED
from schemas.changes import Change, GapChanged
from schemas.codec import Codec
from schemas.headers import CE_TYPE, check_version, find
from schemas.topics import CHANGES
from streams import metrics
from streams.confirmed import Confirmed
from streams.group_offsets import GroupOffsets
from streams.guard import Guard, Received, received_plain
from streams.member import STOP_SECONDS, Beginning, PlainMember
from streams.status.open_gaps import OpenGaps
from streams.status.publishing import GAPS_SUFFIX, UpdatePublisher, read_states

GROUP = "gaps"
FETCH_MS = 500

_log = log.get(__name__)
_changes: Codec[Change] = Codec(Change)


class GapService(PlainMember):
    """Reads the changes of the lanes that its group assigns to this worker. `instance`: its static name."""

    def __init__(
        self, kafka: Kafka, *, instance: str, confirmed: Confirmed, guard: Guard, offsets: GroupOffsets
    ) -> None:
        super().__init__(kafka.group(GROUP), offsets)
        self._kafka = kafka
        self._instance = instance
        self._guard = guard
        self._publisher = UpdatePublisher(kafka, confirmed, CHANGES)
        self._known: _Known | None = None
        self._assignments = 0

    async def on_start(self) -> None:
        """Join the group."""
        self.consumer = self._kafka.group_consumer(
            self.group, instance=self._instance, auto_offset_reset="earliest"
        )
        await self.consumer.start()
        self.consumer.subscribe([self._kafka.name(CHANGES)], listener=Beginning(self._assigned))
        self.work_on(self._follow())

    def forget(self) -> None:
        """Other lanes than before may be assigned to us: read again what was published of their roots."""
        metrics.GAPS.clear()
        self._known = None
        self._assignments += 1

    async def _assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self.forget()
        await self.begin(assigned)

    async def _follow(self) -> None:
        while not self.should_stop:
            try:
                batches = await self.consumer.getmany(timeout_ms=FETCH_MS, max_records=2_000)
            except REFUSED:  # the worker's check of its rights reports this and ends the worker
                await self.sleep(STOP_SECONDS)
                continue
            if not batches and self._known is None and self.consumer.assignment():
                await self._restore()
            for partition, records in batches.items():
                for record in records:
                    if find(record.headers, CE_TYPE) == b"gap_changed":
                        await self._guard.run(
                            received_plain(record), partial(self._change, received_plain(record))
                        )
                self.times[partition] = records[-1].timestamp
            await self.commit_processed()

    async def _restore(self) -> None:
        """Restore at the start, without waiting for a change, so that open gaps are counted at once."""
        try:
            await self._restored()
        except (KafkaError, NotProvisioned, TimeoutError) as error:
            _log.warning("open gaps not known, trying again", error=repr(error))
            await self.sleep(STOP_SECONDS)

    async def _change(self, record: Received) -> None:
        check_version(record.headers)
        change = _changes.decode(record.value)
        known = self._known or await self._restored()
        if not isinstance(change, GapChanged) or record.offset <= known.published.get(record.partition, -1):
            return
        update = known.gaps.change(change)
        await self._publisher.publish(record, 0, update, key=change.root + GAPS_SUFFIX)
        metrics.GAPS.labels(change.root).set(known.gaps.count(change.root))

    async def _restored(self) -> _Known:
        """The updates published last. They are read again if other lanes were assigned to us: their former owner may
        have published more."""
        while True:
            before = self._assignments
            states = await read_states(self._kafka)
            if before == self._assignments:
                break
        known = _Known(OpenGaps(), {})
        lanes = {partition.partition for partition in self.consumer.assignment()}
        for state in states.values():
            if state.key.endswith(GAPS_SUFFIX):
                known.gaps.restore(state.update)
                lane, offset = state.source
                known.published[lane] = max(offset, known.published.get(lane, -1))
                if lane in lanes:
                    root = state.update.component
                    metrics.GAPS.labels(root).set(known.gaps.count(root))
        self._known = known
        return known


@dataclass(frozen=True, slots=True)
class _Known:
    """Open gaps, and by lane the offset of the last change that was published."""

    gaps: OpenGaps
    published: dict[int, int]
