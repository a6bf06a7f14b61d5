"""Copies partitions record by record and hole by hole, all of them in rounds.

In a round each partition gets its next records up to a hole or to a limit, and then all partitions that are at a hole get
one transaction together: so the number of transactions is that of the partition with the most holes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from cli.moving.errors import OtherCopy
from cli.moving.feed import Feed
from cli.moving.writing import FILLERS, Writer
from cli.progress import Advance
from runtime.log_reading import LogBounds
from schemas.log_record import LogRecord
from schemas.places import Offset

ROUND_BYTES = 2_097_152
"""The most that a partition gets in a round."""
RECORD_BYTES = 64
"""Added to the size of each record, so that a round of tiny ones has an end, too."""


@dataclass(slots=True)
class Copied:
    """What was written. `transactions`: one of them leaves holes in many partitions."""

    records: int = 0
    transactions: int = 0


@dataclass(slots=True)
class _Partition:
    """`to`: at the target; `next`: the offset it ends at; `at`: the time of the last record."""

    to: TopicPartition
    next: int
    end: int
    at: int = 0


async def copy(
    source: AIOKafkaConsumer,
    writer: Writer,
    within: LogBounds,
    ends: Mapping[TopicPartition, int],
    to: Callable[[TopicPartition], TopicPartition],
    advance: Advance,
) -> Copied:
    """Write everything in these bounds of the source to the target, whose partitions end at `ends` (by source partition).
    `to`: the target's partition of a source's; `advance`: called with offsets done. Raises MoveError, KafkaError,
    TimeoutError."""
    for partition, end in ends.items():
        if end > within.end[partition]:
            raise OtherCopy(
                f"topic {to(partition).topic}, partition {partition.partition} at the new brokers ends at offset {end},"
                f" beyond the log's end {within.end[partition]}"
            )
    left = {p: _Partition(to(p), ends[p], within.end[p]) for p in within.end if ends[p] < within.end[p]}
    starts = {p: Offset(max(within.earliest[p], ends[p])) for p in left}
    if not left:
        return Copied()
    feed, done, waiting = Feed(source, starts, dict(within.end)), Copied(), True
    while left:
        await feed.fill(wait=waiting)
        stretches = {p: _stretch(feed, p, of) for p, of in left.items()}
        stretches = {p: records for p, records in stretches.items() if records}
        await writer.append({left[p].to: records for p, records in stretches.items()})
        for partition, records in stretches.items():
            left[partition].next, left[partition].at = records[-1].offset + 1, records[-1].timestamp
            done.records += len(records)
            advance(len(records))
        holes = {p: hole for p, of in left.items() if (hole := _hole(feed, p, of))}
        if holes:
            await writer.leave_holes({left[p].to: (left[p].next, hole, left[p].at) for p, hole in holes.items()})
            done.transactions += 1
        for partition, hole in holes.items():
            left[partition].next += hole
            advance(hole)
        left = {p: of for p, of in left.items() if of.next < of.end}
        waiting = not stretches and not holes
    return done


def _stretch(feed: Feed, partition: TopicPartition, of: _Partition) -> list[LogRecord]:
    """Take the records that follow without a hole, up to the limit of a round."""
    buffer, taken, size, offset = feed.buffers[partition], [], 0, of.next
    while buffer and buffer[0].offset == offset and size < ROUND_BYTES:
        record = buffer.popleft()
        size += RECORD_BYTES + len(record.key or b"") + len(record.value or b"")
        offset += 1
        taken.append(record)
    return taken


def _hole(feed: Feed, partition: TopicPartition, of: _Partition) -> int:
    """How many offsets to leave out next; 0: a record follows, or it is not known yet what does."""
    buffer = feed.buffers[partition]
    if buffer:
        if not of.at:
            of.at = buffer[0].timestamp
        return min(FILLERS, buffer[0].offset - of.next)
    return min(FILLERS, of.end - of.next) if feed.exhausted(partition) else 0
