"""The audit log in pages, the newest first: limited in events and in time, a few at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from gateway.log.reader import LogUnavailable
from runtime.errors import NotProvisioned
from runtime.kafka import Kafka
from runtime.log_reading import bounds, partitions_of, reader, stretch
from schemas.audit import AuditEvent
from schemas.headers import CE_ID, find
from schemas.log_record import LogRecord
from schemas.places import Offset
from schemas.topics import AUDIT

AT_ONCE = 2
SECONDS = 10.0
FIRST_REACH = 16
"""Offsets that are read beyond those that a page needs: some have no event."""

_decode = msgspec.json.Decoder(AuditEvent).decode


@dataclass(frozen=True, slots=True)
class Audited:
    """An event of the audit log with its offset and append time (ms). `event` None: not in our format."""

    offset: int
    at: int
    id: str
    event: AuditEvent | None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """`next`: the offset before which the next page begins; None: this is the last page."""

    events: list[Audited]
    next: int | None


class AuditPages:
    """Makes pages. Keeps nothing between two of them."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._free = asyncio.Semaphore(AT_ONCE)

    async def page(self, before: int | None, limit: int) -> AuditPage:
        """The newest `limit` events before an offset; None: before the end. Raises LogUnavailable."""
        try:
            async with asyncio.timeout(SECONDS), self._free, reader(self._kafka) as consumer:
                return await self._page(consumer, before, limit)
        except (KafkaError, OSError, NotProvisioned, TimeoutError) as error:
            raise LogUnavailable(str(error)) from error

    async def _page(self, consumer: AIOKafkaConsumer, before: int | None, limit: int) -> AuditPage:
        # only partition 0: the gateway writes there, even if an operator adds partitions
        (place, *_) = await partitions_of(consumer, self._kafka.name(AUDIT))
        within = await bounds(consumer, [place])
        earliest, end = within.earliest[place], within.end[place]
        end = end if before is None else Offset(min(before, end))
        reach = limit + FIRST_REACH
        while True:
            begin = Offset(max(earliest, end - reach))
            found = await _read(consumer, place, begin, end)
            if len(found) >= limit or begin <= earliest:
                break
            reach *= 4
        more = len(found) > limit or begin > earliest
        events = [_audited(record) for record in reversed(found[-limit:])]
        return AuditPage(events, events[-1].offset if more and events else None)


async def _read(consumer: AIOKafkaConsumer, place: TopicPartition, begin: Offset, end: Offset) -> list[LogRecord]:
    return [record async for batch in stretch(consumer, {place: begin}, {place: end}) for record in batch]


def _audited(record: LogRecord) -> Audited:
    try:
        event = _decode(record.value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError):
        event = None
    id_ = (find(record.headers, CE_ID) or b"").decode("ascii", "replace")
    return Audited(record.offset, record.timestamp, id_, event)
