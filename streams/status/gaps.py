"""Gaps of the roots: a reader of the changes beside the agents, for it passes over nearly all of them and Faust
would take longer over each than the fold did.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata

from runtime import log
from runtime.kafka import ConsumerRebalanceListener, Kafka
from runtime.rights import REFUSED
from schemas.changes import Change, GapChanged
from schemas.codec import Codec
from schemas.headers import CE_TYPE, check_version, find
from schemas.places import Offset, next_offset
from schemas.topics import CHANGES
from streams.confirmed import Confirmed
from streams.guard import Guard, Received, received_plain
from streams.member import STOP_SECONDS, GroupMember
from streams.status.open_gaps import OpenGaps
from streams.status.telling import GAPS_SUFFIX, Teller, read_states

GROUP = "gaps"
FETCH_MS = 500

_log = log.get(__name__)
_changes: Codec[Change] = Codec(Change)


class GapService(GroupMember):
    """Follows the changes of the lanes that its group gives to this worker. `instance`: its static name."""

    def __init__(self, kafka: Kafka, *, instance: str, confirmed: Confirmed, guard: Guard) -> None:
        super().__init__()
        self._kafka = kafka
        self._instance = instance
        self._guard = guard
        self._teller = Teller(kafka, confirmed, CHANGES)
        self._gaps: OpenGaps | None = None
        self._told: dict[int, int] = {}

    async def on_start(self) -> None:
        """Join the group."""
        self.consumer = self._kafka.group_consumer(
            self._kafka.group(GROUP), instance=self._instance, auto_offset_reset="earliest"
        )
        await self.consumer.start()
        self.consumer.subscribe([self._kafka.name(CHANGES)], listener=_Listener(self))
        self.work_on(self._follow())

    def forget(self) -> None:
        """Other lanes than before may be ours: what was told of their roots is read again."""
        self._gaps = None

    async def _follow(self) -> None:
        while not self.should_stop:
            try:
                batches = await self.consumer.getmany(timeout_ms=FETCH_MS, max_records=2_000)
            except REFUSED:  # the worker's look at its rights says so, and ends it
                await self.sleep(STOP_SECONDS)
                continue
            if not batches:
                continue
            for records in batches.values():
                for record in records:
                    if find(record.headers, CE_TYPE) == b"gap_changed":
                        await self._guard.run(
                            received_plain(record), partial(self._change, received_plain(record))
                        )
            await self._commit(
                {partition: next_offset(records[-1].offset) for partition, records in batches.items()}
            )

    async def _change(self, record: Received) -> None:
        check_version(record.headers)
        change = _changes.decode(record.value)
        if self._gaps is None:
            self._gaps = await self._restored()
        if not isinstance(change, GapChanged) or record.offset <= self._told.get(record.partition, -1):
            return
        update = self._gaps.change(change)
        await self._teller.tell(record, 0, update, key=change.root + GAPS_SUFFIX)

    async def _restored(self) -> OpenGaps:
        gaps = OpenGaps()
        self._told = {}
        for state in (await read_states(self._kafka)).values():
            if state.key.endswith(GAPS_SUFFIX):
                gaps.restore(state.update)
                partition, offset = state.source
                self._told[partition] = max(offset, self._told.get(partition, -1))
        return gaps

    async def _commit(self, next_offsets: dict[TopicPartition, Offset]) -> None:
        offsets = {partition: OffsetAndMetadata(offset, "") for partition, offset in next_offsets.items()}
        try:
            await self.consumer.commit(offsets)
        except KafkaError as error:  # they come again, to the same ids, and are passed over
            _log.warning("offsets of gaps not committed", error=repr(error))


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, service: GapService) -> None:
        self._service = service

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Nothing: what is in work ends in a confirmed write."""

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Begin from what was told last."""
        self._service.forget()
