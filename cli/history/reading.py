"""Reads the changes of a time span, lane by lane in the log's order."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from cli.answering import answering
from cli.beyond import notes_of_end, notes_of_start
from cli.console import print_note
from cli.errors import UnknownLibrary
from cli.progress import Stages
from runtime.kafka import Kafka
from runtime.log_reading import LogBounds, Offsets, bounds, newest, partitions_of, reader, resolve, stretch
from runtime.rights import check_topics
from schemas.changes import Change
from schemas.codec import Codec
from schemas.errors import SchemaError
from schemas.headers import check_version
from schemas.lanes import lane_of
from schemas.log_record import LogRecord
from schemas.places import Place
from schemas.topics import CHANGES

RECENT = 200
"""How many of the lane's newest changes are searched for other libraries, to name them."""
_changes: Codec[Change] = Codec(Change)


@dataclass(frozen=True, slots=True)
class Span:
    """From a place to before another one. `to_head`: also read what comes after it."""

    since: Place
    until: Place
    to_head: bool = False


@dataclass(frozen=True, slots=True)
class Of:
    """A filter by root and library; None: all."""

    root: str | None = None
    library: str | None = None

    def admits(self, change: Change) -> bool:
        """Whether the change matches. A move out of the root does."""
        if self.library is not None and change.library != self.library:
            return False
        return self.root in (None, change.root, getattr(change, "from_root", None))


@dataclass(frozen=True, slots=True)
class ReadChange:
    """One change. `counts`: it lies in the span."""

    record: LogRecord
    change: Change
    counts: bool


async def read_changes(kafka: Kafka, of: Of, span: Span, stages: Stages) -> AsyncGenerator[ReadChange, None]:
    """The changes, in each lane in their order. Raises BadArgument, UnknownLibrary, LogSilent, NotAllowed,
    NotProvisioned, KafkaError."""
    topic = kafka.name(CHANGES)
    async with reader(kafka) as consumer:
        await check_topics(kafka, consumer._client, "Read", CHANGES)
        partitions = await partitions_of(consumer, topic)
        if of.library is not None:
            partitions = [TopicPartition(topic, lane_of(of.library, kafka.lanes))]
        within = await bounds(consumer, partitions)
        starts, ends, stops = await _ranges(consumer, span, within, topic)
        total = sum(max(0, stops[partition] - start) for partition, start in starts.items())
        is_known = of.library is None
        with stages.stage("reading the changes", total) as advance:
            async with aclosing(answering(stretch(consumer, starts, stops))) as batches:
                async for records in batches:
                    advance(len(records))
                    for record in records:
                        change = _change(record)
                        if change is None:
                            continue
                        is_known = is_known or change.library == of.library
                        if of.admits(change):
                            end = ends.get(TopicPartition(topic, record.partition))
                            yield ReadChange(record, change, end is not None and record.offset < end)
        if not is_known and of.library is not None:
            await _check_library(consumer, of.library, within)


async def _ranges(
    consumer: AIOKafkaConsumer, span: Span, within: LogBounds, topic: str
) -> tuple[Offsets, Offsets, Offsets]:
    """Where the span begins, where it ends, and up to where to read. Partitions that a place leaves out are not read."""
    notes = notes_of_start(span.since, "--since", topic, within) + notes_of_end(
        span.until, "--until", topic, within
    )
    for note in notes:
        print_note(f"note: {note}")
    starts, ends = await resolve(consumer, span.since, within), await resolve(consumer, span.until, within)
    stops = dict(within.end) if span.to_head else ends
    return {partition: start for partition, start in starts.items() if partition in stops}, ends, stops


def _change(record: LogRecord) -> Change | None:
    """The change; None for a record of another version or program, which becomes a dead letter elsewhere."""
    try:
        check_version(record.headers)
        return _changes.decode(record.value)
    except SchemaError:
        return None


async def _check_library(consumer: AIOKafkaConsumer, library: str, within: LogBounds) -> None:
    """The library has no change in this time: raise UnknownLibrary if its lane has recent changes of others only."""
    recent = await newest(consumer, RECENT, within)
    known = {record.key.decode(errors="replace") for record in recent if record.key}
    if library not in known:
        raise UnknownLibrary(library, known)
