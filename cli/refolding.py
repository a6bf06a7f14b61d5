"""`catalogizer replay fold`: folds a range of the change log and writes the outputs to a file, which appears only when
it is complete."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import BinaryIO

from cli.errors import BadArgument
from cli.log_reading import partitions_of, reader, resolve
from cli.places import Last, Place
from cli.records import json_output
from runtime.kafka import Kafka
from schemas.topics import RAW
from streams.library.refold import refold


async def fold(kafka: Kafka, lane: int | None, begin: Place, end: Place, path: Path | None) -> int:
    """Write the outputs of the range, of one lane or of all in turn, to `path` (None: standard output); returns how
    many there are. Raises BadArgument, NotProvisioned, LogTruncated, KafkaError."""
    with _writing(path) as file:
        return await _fold(kafka, lane, (begin, end), file)


async def _fold(kafka: Kafka, lane: int | None, places: tuple[Place, Place], file: BinaryIO) -> int:
    count = 0
    for number in range(kafka.lanes) if lane is None else [lane]:
        start, end = await _range(kafka, number, places)
        async for written in _outputs(kafka, number, start, end):
            file.write(written)
            count += 1
    return count


async def _outputs(kafka: Kafka, lane: int, start: int, end: int) -> AsyncIterator[bytes]:
    if start >= end:
        return
    async for output in refold(kafka, lane, start, end):
        yield json_output(kafka.name(output.topic), output)


async def _range(kafka: Kafka, lane: int, places: tuple[Place, Place]) -> tuple[int, int]:
    async with reader(kafka) as consumer:
        partitions = [p for p in await partitions_of(consumer, kafka.name(RAW)) if p.partition == lane]
        beginnings = await consumer.beginning_offsets(partitions)
        heads = await consumer.end_offsets(partitions)
        ends = []
        for place in places:
            if isinstance(place, Last):
                raise BadArgument("--from, --to", "last:N is no place of a fold")
            # A place that does not name this lane gives an empty range.
            ends.append((await resolve(consumer, place, beginnings, heads)).get(partitions[0], 0))
        return ends[0], ends[1]


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
