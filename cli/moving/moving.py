"""Moves a log: prepare the target, copy, compare, release. Whatever fails or is killed before the release leaves a target
that no process uses, and a source that is as it was."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import RecordsToDelete

from cli.moving.comparing import compare
from cli.moving.copying import copy
from cli.moving.errors import Unsettled
from cli.moving.feed import FETCH_WAIT_MS
from cli.moving.groups import copy_groups
from cli.moving.target import COPIED, prepare, release
from cli.moving.writing import ends_reader, writer
from cli.progress import Stages
from cli.provisioning.topics import WrongPartitions, administration, existing_topics
from runtime.epochs import read_epochs
from runtime.errors import NotProvisioned
from runtime.kafka import Kafka
from runtime.log_reading import LogBounds, bounds, reader
from schemas.topics import RAW

SETTLED_SECONDS = 60.0
"""The longest wait for the end of a transaction that a killed process left: its time-out (10 s unless it is set), and the
brokers look for such every 10 s."""
_LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Moved:
    """A completed move. `continued`: an earlier attempt had copied a part; `records`, `transactions` and `seconds` are what
    this one wrote, and its time; `compared`: all records of the log, which are equal on both sides; `offsets`: of all
    partitions, holes included."""

    topics: int
    partitions: int
    groups: int
    continued: bool
    records: int
    transactions: int
    seconds: float
    offsets: int
    compared: int


async def move(
    source: Kafka, target: Kafka, show: Stages, leave: Callable[[], None], *, again: bool = False
) -> Moved:
    """Copy the whole log, at rest, to the target, which has as many lanes. `leave`: called just before the copy can be
    used, to see that nobody uses the source any more; `again`: an incomplete copy is deleted first. Raises MoveError,
    ProvisionError, NotProvisioned, KafkaError, TimeoutError, OSError."""
    lives = await read_epochs(source)
    if RAW.name not in lives:
        raise NotProvisioned(source.name(RAW))
    partitions = await _partitions(source)
    to = _renamed(source, target)
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(reader(source, fetch_max_wait_ms=FETCH_WAIT_MS))
        within = await _settled(source, here, partitions)
        continued = await prepare(target, lives[RAW.name].epoch, again=again)
        began = time.monotonic()
        size = sum(within.end.values())
        async with writer(target, [to(p) for p in partitions]) as out:
            found = await out.ends(to(p) for p in partitions)
            ends = {p: found[to(p)] for p in partitions}
            with show.stage("copying", size - sum(ends.values())) as advance:
                copied = await copy(here, out, within, ends, to, advance)
        seconds = time.monotonic() - began
        await _cut(target, within, to)
        groups = await copy_groups(source, target)
        there = await stack.enter_async_context(reader(target, fetch_max_wait_ms=FETCH_WAIT_MS))
        async with ends_reader(target, [to(p) for p in partitions]) as ends_there:
            written = await bounds(ends_there, [to(p) for p in partitions])
        with show.stage("comparing") as advance:
            compared = await compare(here, there, within, written, to, advance)
    leave()
    await release(target, lives)
    return Moved(
        topics=len({p.topic for p in partitions}),
        partitions=len(partitions),
        groups=groups,
        continued=continued,
        records=copied.records,
        transactions=copied.transactions,
        seconds=seconds,
        offsets=size,
        compared=compared,
    )


async def _partitions(kafka: Kafka) -> list[TopicPartition]:
    """Of all topics that are copied, as far as they exist. Raises WrongPartitions, KafkaError."""
    async with administration(kafka) as admin:
        found = await existing_topics(kafka, admin)
    counts = {name: found[name].partitions for name in map(kafka.name, COPIED) if name in found}
    for name, count in counts.items():
        if count != (wanted := kafka.topic(name).partition_count(kafka.lanes)):
            raise WrongPartitions(name, count, wanted)
    return [TopicPartition(name, number) for name, count in counts.items() for number in range(count)]


async def _settled(kafka: Kafka, committed: AIOKafkaConsumer, partitions: list[TopicPartition]) -> LogBounds:
    """The bounds of the log, once no transaction is open in it."""
    deadline = time.monotonic() + SETTLED_SECONDS
    async with ends_reader(kafka, partitions) as every:
        committed.assign(partitions)
        committed.pause(*partitions)
        while True:
            stable, whole = await bounds(committed, partitions), await bounds(every, partitions)
            pending = [p for p in partitions if stable.end[p] < whole.end[p]]
            if not pending:
                return whole
            if time.monotonic() > deadline:
                raise Unsettled(pending[0].topic, pending[0].partition, SETTLED_SECONDS)
            await asyncio.sleep(_LOOK_SECONDS)


async def _cut(target: Kafka, within: LogBounds, to: Callable[[TopicPartition], TopicPartition]) -> None:
    """Delete what the copy has before the log's earliest offsets: fillers, or records that were removed from the log after
    an earlier attempt had copied them."""
    begins = {to(p): RecordsToDelete(earliest) for p, earliest in within.earliest.items() if earliest > 0}
    if begins:
        async with administration(target) as admin:
            await admin.delete_records(begins)


def _renamed(source: Kafka, target: Kafka) -> Callable[[TopicPartition], TopicPartition]:
    before, after = source.settings.topic_prefix, target.settings.topic_prefix

    def to(partition: TopicPartition) -> TopicPartition:
        return TopicPartition(after + partition.topic.removeprefix(before), partition.partition)

    return to
