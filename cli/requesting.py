"""The work of `catalogizer analysis`: counts matching items, writes a record to the change log, and waits for the fold's
changes about it.

Nothing is written if, according to the catalogue, the root does not exist or nothing matches.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

import psycopg
from aiokafka import AIOKafkaConsumer
from msgspec import Struct

from cli.commanding import caller_name, writer
from cli.errors import BadArgument, DatabaseUnreadable
from cli.progress import Advance
from gateway.core.rights import EVERYTHING
from gateway.tables.analysing import RootPlace, Wanted, matching, places
from gateway.tables.database import reason_of
from runtime.database import OPTIONS
from runtime.kafka import Kafka
from runtime.log_reading import Offsets, bounds, partitions_of, reader, stretch
from runtime.reports import now_iso
from schemas.changes import AnalysisRequestChanged, Change
from schemas.codec import Codec, encode
from schemas.found import ANALYSED
from schemas.headers import CE_TYPE, X_SOURCE, find, raw_headers
from schemas.ids import request_id
from schemas.lanes import lane_of
from schemas.paths import to_wire
from schemas.raw import AnalysisRequested, AnalysisSteered
from schemas.topics import CHANGES, RAW

_changes: Codec[Change] = Codec(Change)
CONNECT_SECONDS = 10
ENDED = ("finished", "cancelled")
Action = Literal["pause", "resume", "cancel"]


class Matched(Struct, frozen=True):
    """What a request would match. `waits`: why its analysis would not begin now (paused, lost)."""

    root: str
    library: str
    items: int
    waits: str | None


async def look(url: str, wanted: Wanted) -> Matched:
    """Count the matching items. Raises BadArgument for an unknown root or type, DatabaseUnreadable."""
    for name in wanted.media_types:
        if name not in ANALYSED:
            raise BadArgument("--type", f"files of type {name} are not analysed; known: {', '.join(ANALYSED)}")
    async with _tables(url) as connection:
        roots = await places(connection, EVERYTHING)
        place = _root(wanted.root, roots)
        items = await matching(connection, wanted)
    return Matched(wanted.root, place.library, items, place.waits)


async def libraries(url: str, library: str | None) -> list[str]:
    """The given library, or all of them. Raises BadArgument, DatabaseUnreadable."""
    async with _tables(url) as connection:
        known = sorted({place.library for place in (await places(connection, EVERYTHING)).values()})
    if library is not None and library not in known:
        raise BadArgument("--library", f"no such library; known: {', '.join(known) or 'none'}")
    return known if library is None else [library]


@dataclass(frozen=True, slots=True)
class SentRequest:
    """A request that was written to the log. `changes`: the changes about it so far, or about an earlier request that is
    still under way and equal to it."""

    id: int
    changes: list[AnalysisRequestChanged] = field(default_factory=list)


async def request(
    kafka: Kafka, wanted: Wanted, library: str, reason: str, wait_seconds: float | None, come_on: Advance
) -> SentRequest:
    """Write the request and wait up to `wait_seconds` for its end (None: no limit); `come_on` is called with the number of
    further items analysed. Raises KafkaError, NotProvisioned."""
    shown, b64 = to_wire(wanted.subtree)
    record = AnalysisRequested(
        root=wanted.root, subtree=shown, subtree_b64=b64, media_types=wanted.media_types, statuses=wanted.statuses,
        reason=reason, by=caller_name(), at=now_iso(),
    )  # fmt: skip
    lane = lane_of(library, kafka.lanes)
    async with reader(kafka) as consumer:
        partitions = [p for p in await partitions_of(consumer, kafka.name(CHANGES)) if p.partition == lane]
        ends = dict((await bounds(consumer, partitions)).end)
        offset = await _append(kafka, record, library)
        sent, source = SentRequest(request_id(lane, offset)), f"{RAW.name}:{lane}:{offset}".encode()
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_seconds), aclosing(_follow(consumer, ends, source)) as changes:
                async for change in changes:
                    come_on(change.processed - (sent.changes[-1].processed if sent.changes else 0))
                    sent.changes.append(change)
        return sent


async def steer(kafka: Kafka, action: Action, of: list[str], reason: str, id_: int | None) -> None:
    """Write the action for each of these libraries. Raises KafkaError."""
    record = AnalysisSteered(action=action, reason=reason, by=caller_name(), at=now_iso(), request=id_)
    for library in of:
        await _append(kafka, record, library)


async def _append(kafka: Kafka, record: AnalysisRequested | AnalysisSteered, library: str) -> int:
    async with writer(kafka) as producer:
        written = await producer.send_and_wait(
            kafka.name(RAW), encode(record), key=library.encode(), partition=lane_of(library, kafka.lanes),
            headers=raw_headers(str(record.__struct_config__.tag)),
        )  # fmt: skip
        return int(written.offset)


async def _follow(
    consumer: AIOKafkaConsumer, starts: Offsets, source: bytes
) -> AsyncGenerator[AnalysisRequestChanged, None]:
    """The changes of the request that the record at `source` began, or of the equal one already under way, to its end."""
    followed: int | None = None
    async with aclosing(stretch(consumer, starts, None)) as stretches:
        async for records in stretches:
            for record in records:
                if find(record.headers, CE_TYPE) != b"analysis_request_changed":
                    continue
                change = _changes.decode(record.value)
                assert isinstance(change, AnalysisRequestChanged)
                if followed is None and find(record.headers, X_SOURCE) == source:
                    followed = change.request
                if change.request == followed:
                    yield change
                    if change.state in ENDED:
                        return


def _root(root: str, roots: dict[str, RootPlace]) -> RootPlace:
    if root not in roots:
        raise BadArgument("ROOT", f"no root {root} is in the catalogue; known: {', '.join(roots) or 'none'}")
    return roots[root]


@asynccontextmanager
async def _tables(url: str) -> AsyncIterator[psycopg.AsyncConnection]:
    try:
        connecting = psycopg.AsyncConnection.connect(
            url, connect_timeout=CONNECT_SECONDS, application_name="catalogizer analysis", **OPTIONS
        )
        async with await connecting as connection:
            await connection.set_read_only(True)
            yield connection
    except psycopg.Error as error:
        raise DatabaseUnreadable(reason_of(error)) from error
