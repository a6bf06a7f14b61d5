"""The work of `catalogizer roots retire`: writes a record to the change log that removes the root's items from the
catalogue, and waits for the fold's changes about it.

If it is killed it can be run again: each step can be repeated.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer
from msgspec import convert

from cli.commanding import caller_name, drawn_id, send, writer
from cli.root_table import RootLine
from runtime.kafka import Kafka
from runtime.log_reading import Offsets, bounds, partitions_of, reader, stretch
from runtime.reports import Reporter, now_iso, retired_report
from schemas.admin import RetireRoot
from schemas.changes import Change, Deleted, RootChanged
from schemas.codec import Codec, encode
from schemas.headers import raw_headers
from schemas.lanes import lane_of
from schemas.raw import Protocol, RootRetired
from schemas.topics import CHANGES, RAW

_changes: Codec[Change] = Codec(Change)


@dataclass(slots=True)
class Retired:
    """Progress so far. `items`: removed ones; `done`: the fold has confirmed the end."""

    items: int = 0
    done: bool = False


async def retire(kafka: Kafka, root: RootLine, library: str, wait_seconds: float) -> Retired:
    """Retire the root, and wait up to `wait_seconds` for the fold. Raises NotProvisioned, KafkaError."""
    lane = lane_of(library, kafka.lanes)
    result = Retired()
    async with reader(kafka) as consumer:
        partitions = [p for p in await partitions_of(consumer, kafka.name(CHANGES)) if p.partition == lane]
        ends = dict((await bounds(consumer, partitions)).end)
        await send(kafka, RetireRoot(id=drawn_id(), root=root.name, by=caller_name(), at=now_iso()))
        await _append(kafka, root.name, library, lane)
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_seconds):
                await _follow(consumer, ends, root.name, result)
    if result.done:
        await _report(kafka, root, library)
    return result


async def _append(kafka: Kafka, root: str, library: str, lane: int) -> None:
    async with writer(kafka) as producer:
        record = RootRetired(root=root, by=caller_name(), at=now_iso())
        await producer.send_and_wait(
            kafka.name(RAW),
            encode(record),
            key=library.encode(),
            partition=lane,
            headers=raw_headers("root_retired"),
        )


async def _follow(consumer: AIOKafkaConsumer, starts: Offsets, root: str, result: Retired) -> None:
    async with aclosing(stretch(consumer, starts, None)) as stretches:
        async for records in stretches:
            for change in (_changes.decode(record.value) for record in records):
                match change:
                    case Deleted(cause="retired", media_id=int()) if change.root == root:
                        result.items += 1
                    case RootChanged(state="retired") if change.root == root:
                        result.done = True
                        return


async def _report(kafka: Kafka, root: RootLine, library: str) -> None:
    """Publish a last report of the root, so that no further ones are expected."""
    async with writer(kafka) as producer:
        protocol: Protocol = convert(root.protocol or "local", Protocol)
        await Reporter(kafka, producer, "cli").send(retired_report(root.name, library, protocol, root.path or ""))
        await producer.flush()
