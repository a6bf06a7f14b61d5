"""`catalogizer tap`: converts places to ranges of offsets, reads them, filters the records and writes them."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing

from aiokafka import AIOKafkaConsumer, ConsumerRecord

from cli.console import say
from cli.errors import BadArgument
from cli.log_reading import Offsets, newest, partitions_of, read, reader, resolve
from cli.places import At, AtEach, Last, Place
from cli.records import CSV_COLUMNS, Filter, Format, csv_line, csv_row, json_line, line
from runtime.kafka import Kafka
from schemas.topics import Topic


class Tapping:
    """One tap: which records of which topic, and how they are written."""

    def __init__(self, kafka: Kafka, topic: Topic, wanted: Filter, partition: int | None) -> None:
        self._kafka = kafka
        self._topic = kafka.name(topic)
        self._filter = wanted
        self._partition = partition

    async def records(self, begin: Place, end: Place | None) -> AsyncGenerator[ConsumerRecord, None]:
        """The records of the range that pass the filter; `end` None: without end."""
        async with reader(self._kafka) as consumer:
            beginnings, heads = await self._range(consumer)
            ends = None if end is None else await self._ends(consumer, end, beginnings, heads)
            if isinstance(begin, Last):
                for record in await newest(consumer, begin.count, beginnings, ends or heads):
                    if self._filter.passes(record):
                        yield record
                starts = heads
            else:
                starts = await resolve(consumer, begin, beginnings, heads)
                _warn(begin, beginnings)
            if ends is not None and isinstance(begin, Last):
                return
            async with aclosing(read(consumer, starts, ends)) as records:
                async for record in records:
                    if self._filter.passes(record):
                        yield record

    async def _range(self, consumer: AIOKafkaConsumer) -> tuple[Offsets, Offsets]:
        partitions = await partitions_of(consumer, self._topic)
        if self._partition is not None:
            partitions = [p for p in partitions if p.partition == self._partition]
            if not partitions:
                raise BadArgument("--partition", f"{self._topic} has no partition {self._partition}")
        consumer.assign(partitions)
        return await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)

    async def _ends(self, consumer: AIOKafkaConsumer, end: Place, beginnings: Offsets, heads: Offsets) -> Offsets:
        if isinstance(end, Last):
            raise BadArgument("--until", "last:N is a place to begin at")
        # Partitions that the place does not name get an empty range.
        return beginnings | await resolve(consumer, end, beginnings, heads)


def _warn(begin: Place, beginnings: Offsets) -> None:
    for partition, first in beginnings.items():
        match begin:
            case At(offset):
                wanted = offset
            case AtEach(offsets):
                wanted = offsets.get(partition.partition, first)
            case _:
                return
        if wanted < first:
            say(f"note: {partition.topic}:{partition.partition} begins at {first}: {wanted} and on are gone")


async def print_records(records: AsyncGenerator[ConsumerRecord, None], form: Format) -> None:
    """Write each record to standard output as it comes."""
    if form is Format.CSV:
        sys.stdout.buffer.write(csv_line(CSV_COLUMNS).encode())
    async with aclosing(records):
        async for record in records:
            _print(record, form)


def _print(record: ConsumerRecord, form: Format) -> None:
    match form:
        case Format.JSON:
            sys.stdout.buffer.write(json_line(record))
        case Format.CSV:
            sys.stdout.buffer.write(csv_line(csv_row(record)).encode())
        case Format.TEXT:
            sys.stdout.buffer.write(line(record).encode() + b"\n")
    sys.stdout.buffer.flush()
