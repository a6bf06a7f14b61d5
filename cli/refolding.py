"""`catalogizer replay fold`: folds a range of the change log and writes the outputs to a file, which is renamed into place
when it is complete."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from aiokafka import AIOKafkaConsumer, TopicPartition

from cli.beyond import note_of_time, notes_of_end, notes_of_start
from cli.console import print_note
from cli.errors import BadArgument, UnknownLibrary
from cli.records import json_output
from runtime.kafka import Kafka
from runtime.log_reading import LogBounds, bounds, newest, number, partitions_of, reader, resolve, stretch
from schemas.lanes import lane_of
from schemas.places import AtTime, Bounds, Last, Offset, Place
from schemas.topics import RAW
from streams.library.refold import refold

RECENT = 1_000
"""How many of each lane's newest records are searched for other libraries, to name them."""


@dataclass(frozen=True, slots=True)
class Lanes:
    """Selects lanes: that of a library, one by its number, or all."""

    library: str | None = None
    lane: int | None = None

    def numbers(self, lanes: int) -> list[int]:
        """The selected numbers; `lanes`: how many lanes there are. Raises BadArgument."""
        if self.library is not None and self.lane is not None:
            raise BadArgument("--lane", "cannot be used with --library")
        if self.library is not None:
            return [lane_of(self.library, lanes)]
        if self.lane is None:
            return list(range(lanes))
        if self.lane >= lanes:
            raise BadArgument("--lane", f"there are {lanes} lanes, from 0")
        return [self.lane]


async def fold(kafka: Kafka, of: Lanes, begin: Place, end: Place, path: Path | None) -> int:
    """Write the outputs of the range, lane after lane, to `path` (None: standard output); returns their number. Raises
    BadArgument, UnknownLibrary, NotProvisioned, LogTruncated, KafkaError; then nothing is written."""
    ranges = await _ranges(kafka, of, begin, end)
    with _writing(path) as file:
        return await _fold(kafka, ranges, file)


async def _fold(kafka: Kafka, ranges: dict[int, tuple[Offset, Offset]], file: BinaryIO) -> int:
    count = 0
    for lane, (start, end) in ranges.items():
        if start >= end:
            continue
        async with aclosing(refold(kafka, lane, start, end)) as outputs:
            async for output in outputs:
                file.write(json_output(kafka.name(output.topic), output))
                count += 1
    return count


async def _ranges(kafka: Kafka, of: Lanes, begin: Place, end: Place) -> dict[int, tuple[Offset, Offset]]:
    topic = kafka.name(RAW)
    async with reader(kafka) as consumer:
        whole = await bounds(consumer, await partitions_of(consumer, topic))
        if of.library is not None:
            await _check_library(
                consumer, of.library, TopicPartition(topic, lane_of(of.library, kafka.lanes)), whole
            )
        lanes = [TopicPartition(topic, lane) for lane in of.numbers(kafka.lanes)]
        within = Bounds({p: whole.earliest[p] for p in lanes}, {p: whole.end[p] for p in lanes})
        for place, argument in ((begin, "--from"), (end, "--to")):
            if isinstance(place, Last):
                raise BadArgument(argument, "last:N is no place of a fold")
        notes = notes_of_start(begin, "--from", topic, within) + notes_of_end(end, "--to", topic, within)
        starts, ends = await resolve(consumer, begin, within), await resolve(consumer, end, within)
        if isinstance(begin, AtTime) and starts == within.end:
            notes.append(note_of_time(begin, topic, follow=False))
        for note in notes:
            print_note(f"note: {note}")
    # A place that leaves a lane out gives an empty range.
    return {number(p): (starts[p], ends[p]) for p in lanes if p in starts and p in ends}


async def _check_library(
    consumer: AIOKafkaConsumer, library: str, lane: TopicPartition, within: LogBounds
) -> None:
    """Raise UnknownLibrary if the change log has no record of the library. An existing library is found within the first
    records of its lane; only for a missing one the lane is read to its end, without folding. This is done before the fold,
    so that nothing is written for a lane that was not meant."""
    key = library.encode()
    async with aclosing(stretch(consumer, {lane: within.earliest[lane]}, {lane: within.end[lane]})) as batches:
        async for records in batches:
            if any(record.key == key for record in records):
                return
    recent = [r for p in within.end for r in await newest(consumer, RECENT, _only(p, within))]
    raise UnknownLibrary(library, {record.key.decode(errors="replace") for record in recent if record.key})


def _only(partition: TopicPartition, within: LogBounds) -> LogBounds:
    return Bounds({partition: within.earliest[partition]}, {partition: within.end[partition]})


@contextlib.contextmanager
def _writing(path: Path | None) -> Iterator[BinaryIO]:
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
