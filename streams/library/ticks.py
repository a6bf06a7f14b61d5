"""Ticks: the passing of time, written to the log.

If a lane is silent and something is due in it, a tick is appended; reading it back advances lane time. So the wall clock
decides nothing: it only causes ticks, and the log decides. Each worker has one plain idempotent producer for them, never a
transaction: an open transaction would hide the lane's own input.
"""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from runtime import log
from runtime.kafka import Kafka
from schemas.codec import encode
from schemas.headers import raw_headers
from schemas.raw import Tick
from schemas.topics import RAW

MIN_INTERVAL_SECONDS = 0.05
"""At most 20 ticks per second and lane."""

_log = log.get(__name__)
_TICK = encode(Tick())
_HEADERS = raw_headers("tick")


class Ticker:
    """Appends ticks; at most one per lane is in flight."""

    def __init__(self, kafka: Kafka, producer: AIOKafkaProducer) -> None:
        self._topic = kafka.name(RAW)
        self._producer = producer

    async def append(self, lane: int) -> int | None:
        """Append a tick; returns its offset, or None when it could not be written (the lane will try again)."""
        try:
            future = await self._producer.send(self._topic, value=_TICK, partition=lane, headers=_HEADERS)
            metadata = await asyncio.wait_for(future, 5.0)
        except (KafkaError, TimeoutError) as error:
            _log.warning("tick not written", lane=lane, error=repr(error))
            return None
        offset: int = metadata.offset
        return offset


class TickTimer:
    """When a lane needs a tick: when the monotonic time since its last record exceeds the lane time left until the next
    deadline. Pure: `now` is monotonic seconds."""

    def __init__(self) -> None:
        self._received: float | None = None
        self._sent_at = -1.0
        self._awaited: int | None = None

    def received(self, now: float, next_offset: int) -> None:
        """Records up to `next_offset` (exclusive) were received."""
        self._received = now
        if self._awaited is not None and next_offset > self._awaited:
            self._awaited = None

    def sent(self, now: float, offset: int | None) -> None:
        """A tick was appended at that offset (None: it failed)."""
        self._sent_at = now
        self._awaited = offset

    def wait_seconds(self, now: float, left_ms: int | None) -> float | None:
        """Seconds until a tick is needed (0: now); None when none is needed: nothing is due, or one is in flight.
        `left_ms`: lane time until the next deadline. A lane that has just become live ticks at once."""
        if left_ms is None or self._awaited is not None:
            return None
        since = now - self._received if self._received is not None else float("inf")
        wanted = max(0.0, left_ms / 1000 - since)
        return max(wanted, self._sent_at + MIN_INTERVAL_SECONDS - now, 0.0)
