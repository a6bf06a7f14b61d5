"""Compares a copy with its source, record by record: offset, time, key, value and headers."""

from __future__ import annotations

from collections.abc import Callable

from aiokafka import AIOKafkaConsumer, TopicPartition

from cli.moving.errors import Different
from cli.moving.feed import Feed
from cli.progress import Advance
from runtime.log_reading import LogBounds
from schemas.log_record import LogRecord

PARTS = ("timestamp", "key", "value", "headers")


async def compare(
    source: AIOKafkaConsumer,
    target: AIOKafkaConsumer,
    within: LogBounds,
    found: LogBounds,
    to: Callable[[TopicPartition], TopicPartition],
    advance: Advance,
) -> int:
    """The number of records, which are equal on both sides. `within`, `found`: the bounds of source and target. Raises
    Different, KafkaError."""
    for partition, there in ((p, to(p)) for p in within.end):
        for what, ours, theirs in (("first", within.earliest, found.earliest), ("end", within.end, found.end)):
            if theirs[there] != ours[partition]:
                raise Different(
                    there.topic, there.partition, theirs[there],
                    f"is the {what} offset of the copy, the log's is {ours[partition]}",
                )  # fmt: skip
    records = 0
    left = {p: to(p) for p in within.end if within.earliest[p] < within.end[p]}
    if not left:
        return 0
    here = Feed(source, {p: within.earliest[p] for p in left}, dict(within.end))
    there_ = Feed(target, {p: found.earliest[p] for p in left.values()}, dict(found.end))
    waiting = True
    while left:
        await here.fill(wait=waiting)
        await there_.fill(wait=waiting)
        before = records
        for partition, there in list(left.items()):
            one, other = here.buffers[partition], there_.buffers[there]
            while one and other:
                _compare(there, one.popleft(), other.popleft())
                records += 1
            if here.exhausted(partition) and not one and other:
                raise Different(there.topic, there.partition, other[0].offset, "is only in the copy")
            if there_.exhausted(there) and not other and one:
                raise Different(there.topic, there.partition, one[0].offset, "is missing in the copy")
            if here.exhausted(partition) and there_.exhausted(there) and not one and not other:
                del left[partition]
        advance(records - before)
        waiting = records == before
    return records


def _compare(where: TopicPartition, one: LogRecord, other: LogRecord) -> None:
    if one.offset < other.offset:
        raise Different(where.topic, where.partition, one.offset, "is missing in the copy")
    if one.offset > other.offset:
        raise Different(where.topic, where.partition, other.offset, "is only in the copy")
    for part in PARTS:
        if getattr(one, part) != getattr(other, part):
            raise Different(where.topic, where.partition, one.offset, f"another {part}")
