"""Changes of a range of the log as lines of JSON, for one client: limited in number, bytes and time. The first line has the
beginning and the end, the last one the reason for ending and where to continue. Nothing is published, and no other client is
affected.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from msgspec import Struct

from gateway.core.changes_seen import seen_as
from gateway.core.resolve import refuse
from gateway.core.rights import Rights
from gateway.log.reader import LogUnavailable
from runtime.errors import NotProvisioned
from runtime.kafka import Kafka
from runtime.log_reading import Offsets, bounds, number, partitions_of, reader, resolve, stretch
from schemas.headers import CE_ID, X_N, find
from schemas.log_record import LogRecord
from schemas.places import AtEach, Bounds, ClientPlace, next_offset
from schemas.topics import CHANGES

AT_ONCE = 3
"""Replays of changes in a gateway at once."""
OPEN_SECONDS = 10.0
MAX_SECONDS = 60.0
MAX_BYTES = 64 * 1_048_576
FETCH_BYTES = 1_048_576
FETCH_RECORDS = 500

Why = Literal["complete", "limit", "bytes", "time", "unavailable"]


class ReplayBegins(Struct, frozen=True, tag_field="replay", tag="begins"):
    """The first line. By partition: the first offset, and the one before which it ends."""

    start: dict[int, int]
    until: dict[int, int]


class ReplayEnds(Struct, frozen=True, tag_field="replay", tag="ends"):
    """The last line. `reason`: why it ended there; `count`: changes before it; `next`: by partition, where to go on."""

    reason: Why
    count: int
    next: dict[int, int]


_decode = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """Which changes: from a place to before another, of a library, of a root (where the item is or was; None: any), and how
    many at most, as far as these rights may see them."""

    begin: ClientPlace
    until: ClientPlace
    library: str | None
    root: str | None
    limit: int
    rights: Rights

    def shown(self, record: LogRecord) -> bytes | None:
        """The record as it is shown; None if it is not requested, or not a change."""
        try:
            change = _decode(record.value or b"")
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        wanted = self.library in (None, change.get("library")) and self.root in (
            None, change.get("root"), change.get("from_root"),
        )  # fmt: skip
        shown = seen_as(change, self.rights) if wanted else None
        if shown is None:
            return None
        return record.value if shown is change else msgspec.json.encode(shown)


class ChangeReplay:
    """One replay; must be closed by its owner."""

    def __init__(self, request: ReplayRequest) -> None:
        self._request = request
        self._open = AsyncExitStack()
        self._next: dict[int, int] = {}
        self._count = self._size = 0

    async def open(self, kafka: Kafka, free: asyncio.Semaphore) -> None:
        """Find both ends. Raises BadOption for offsets that the log does not have, LogUnavailable."""
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                await self._open.enter_async_context(free)
                self._consumer: AIOKafkaConsumer = await self._open.enter_async_context(
                    reader(kafka, max_partition_fetch_bytes=FETCH_BYTES)
                )
                await self._resolve(kafka)
        except (KafkaError, OSError, NotProvisioned, TimeoutError) as error:
            raise LogUnavailable(str(error)) from error

    async def close(self) -> None:
        """Release everything."""
        await self._open.aclose()

    async def lines(self) -> AsyncGenerator[bytes, None]:
        """Lines of JSON, as they are read."""
        until = {number(partition): int(offset) for partition, offset in self._ends.items()}
        yield _json(ReplayBegins(dict(self._next), until))
        why: Why = "complete"
        deadline = time.monotonic() + MAX_SECONDS
        async with aclosing(stretch(self._consumer, self._starts, self._ends, FETCH_RECORDS)) as batches:
            while True:
                try:
                    async with asyncio.timeout(deadline - time.monotonic()):
                        records = await anext(batches, None)
                except (TimeoutError, KafkaError) as error:
                    why = "time" if isinstance(error, TimeoutError) else "unavailable"
                    break
                if records is None:
                    self._next = until
                    break
                text, full = self._some(records)
                if text:
                    yield text
                if full is not None:
                    why = full
                    break
        yield _json(ReplayEnds(why, self._count, self._next))

    async def _resolve(self, kafka: Kafka) -> None:
        consumer, request = self._consumer, self._request
        within = await bounds(consumer, await partitions_of(consumer, kafka.name(CHANGES)))
        here = Bounds(
            {number(p): offset for p, offset in within.earliest.items()},
            {number(p): offset for p, offset in within.end.items()},
        )
        for name, place in (("from", request.begin), ("until", request.until)):
            if isinstance(place, AtEach):
                refuse(place, here, f"body.{name}.offsets")
        self._starts = await resolve(consumer, request.begin, within)
        ends = await resolve(consumer, request.until, within)
        self._ends: Offsets = {p: max(start, ends.get(p, start)) for p, start in self._starts.items()}
        self._next = {number(p): int(offset) for p, offset in self._starts.items()}

    def _some(self, records: list[LogRecord]) -> tuple[bytes, Why | None]:
        """The requested ones of these records, up to a limit."""
        lines: list[bytes] = []
        for record in records:
            if (value := self._request.shown(record)) is not None:
                line = _line(record, value)
                if self._count >= self._request.limit or self._size + len(line) > MAX_BYTES:
                    return b"".join(lines), "limit" if self._count >= self._request.limit else "bytes"
                self._count += 1
                self._size += len(line)
                lines.append(line)
            self._next[record.partition] = next_offset(record.offset)
        return b"".join(lines), None


class ChangesLog:
    """Opens replays, a few at once."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._free = asyncio.Semaphore(AT_ONCE)

    async def replay(self, request: ReplayRequest) -> ChangeReplay:
        """An open replay. Raises BadOption, LogUnavailable."""
        replay = ChangeReplay(request)
        try:
            await replay.open(self._kafka, self._free)
        except BaseException:
            await replay.close()
            raise
        return replay


def _line(record: LogRecord, value: bytes) -> bytes:
    """The change as it is shown, after its position."""
    place = {
        "event_id": (find(record.headers, CE_ID) or b"").decode("ascii", "replace"),
        "n": int(find(record.headers, X_N) or 0),
        "partition": record.partition,
        "offset": record.offset,
    }
    return msgspec.json.encode(place)[:-1] + b"," + value.lstrip()[1:] + b"\n"


def _json(line: ReplayBegins | ReplayEnds) -> bytes:
    return msgspec.json.encode(line) + b"\n"
