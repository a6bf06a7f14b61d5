"""`catalogizer tap`: converts places to ranges of offsets, reads them, filters the records and writes them."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from aiokafka import AIOKafkaConsumer, TopicPartition

from cli.beyond import note_of_time, notes_of_end, notes_of_start
from cli.console import print_note
from cli.errors import BadArgument
from cli.records import CSV_COLUMNS, Filter, Format, csv_line, csv_row, json_line, line
from runtime.kafka import Kafka
from runtime.log_reading import LogBounds, Offsets, bounds, newest, number, partitions_of, reader, resolve, stretch
from schemas.log_record import LogRecord
from schemas.places import At, AtEach, AtTime, Bounds, Head, Last, Place
from schemas.topics import Topic


class Tapping:
    """One tap: selects records of a topic."""

    def __init__(self, kafka: Kafka, topic: Topic, wanted: Filter, partition: int | None) -> None:
        self._kafka = kafka
        self._topic = kafka.name(topic)
        self._filter = wanted
        self._partition = partition

    async def records(self, begin: Place, end: Place | None) -> AsyncGenerator[LogRecord, None]:
        """The selected records; `end` None: without end."""
        async with reader(self._kafka) as consumer:
            within = await bounds(consumer, await self._partitions(consumer))
            ends = None if end is None else await self._ends(consumer, end, within)
            if isinstance(begin, Last):
                upto = within if ends is None else Bounds(within.earliest, ends)
                for record in filter(self._filter.passes, await newest(consumer, begin.count, upto)):
                    yield record
                if ends is not None:
                    return
                begin = Head()
            starts, wanted = await self._starts(consumer, begin, within, follow=ends is None)
            async with aclosing(stretch(consumer, starts, ends)) as batches:
                async for records in batches:
                    for record in records:
                        if wanted(record) and self._filter.passes(record):
                            yield record

    async def _partitions(self, consumer: AIOKafkaConsumer) -> list[TopicPartition]:
        partitions = await partitions_of(consumer, self._topic)
        if self._partition is None:
            return partitions
        if self._partition not in map(number, partitions):
            raise BadArgument("--partition", f"{self._topic} has no partition {self._partition}")
        return [TopicPartition(self._topic, self._partition)]

    async def _starts(
        self, consumer: AIOKafkaConsumer, begin: Place, within: LogBounds, *, follow: bool
    ) -> tuple[Offsets, Callable[[LogRecord], bool]]:
        """Where to begin, and a filter for the records from there on: a place that does not exist yet is waited for."""
        _note(notes_of_start(begin, "--from", self._topic, within, follow=follow))
        starts = await resolve(consumer, begin, within)
        match begin:
            case At(offset):
                return starts, lambda record: record.offset >= offset
            case AtEach(offsets):
                return starts, lambda record: record.offset >= offsets[record.partition]
            case AtTime(at) if starts == within.end:
                _note([note_of_time(begin, self._topic, follow=follow)])
                return starts, lambda record: record.timestamp >= at
            case _:
                return starts, lambda record: True

    async def _ends(self, consumer: AIOKafkaConsumer, end: Place, within: LogBounds) -> Offsets:
        if isinstance(end, Last):
            raise BadArgument("--until", "last:N is a place to begin at")
        _note(notes_of_end(end, "--until", self._topic, within))
        ends = await resolve(consumer, end, within)
        if isinstance(end, AtTime) and ends == within.end:
            _note([f"--until: {note_of_time(end, self._topic, follow=False)}; it ends where the log does"])
        # Partitions that the place leaves out end where they begin: nothing of them is read.
        return dict(within.earliest) | ends


def _note(notes: list[str]) -> None:
    for note in notes:
        print_note(f"note: {note}")


async def print_records(records: AsyncGenerator[LogRecord, None], form: Format) -> None:
    """Write each record to standard output as it comes."""
    if form is Format.CSV:
        sys.stdout.buffer.write(csv_line(CSV_COLUMNS).encode())
    async with aclosing(records):
        async for record in records:
            _print(record, form)


def _print(record: LogRecord, form: Format) -> None:
    match form:
        case Format.JSON:
            sys.stdout.buffer.write(json_line(record))
        case Format.CSV:
            sys.stdout.buffer.write(csv_line(csv_row(record)).encode())
        case Format.TEXT:
            sys.stdout.buffer.write(line(record).encode() + b"\n")
    sys.stdout.buffer.flush()
