"""A lane's fold at its position, for tools: no group, no producer, and no effect on the live fold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import aclosing

from aiokafka import TopicPartition

from runtime.kafka import Kafka
from runtime.log_reading import bounds, reader, stretch
from schemas.admin import Position
from schemas.places import Offset
from schemas.topics import RAW
from streams.core.fold import Fold
from streams.core.rules import RULES, Rules
from streams.library.beginning import beginning
from streams.library.errors import RulesUnknown
from streams.library.positions import Positions
from streams.library.refold import FETCH_BYTES, MAX_RECORDS


async def positions(kafka: Kafka) -> list[Position | None]:
    """The position of each lane. Raises KafkaError."""
    found = Positions(kafka)
    await found.start()
    try:
        return [await found.read(lane) for lane in range(kafka.lanes)]
    finally:
        await found.stop()


async def fold_at(
    kafka: Kafka, position: Position, *, carried: Mapping[int, Rules] = RULES,
    folded: Callable[[int], None] = lambda _: None,
) -> Fold:  # fmt: skip
    """The fold of a lane at its position. `folded`: called with the number of records folded. Raises LogTruncated,
    RulesUnknown, KafkaError."""
    lane, target = position.lane, position.next_offset
    if position.fold_version not in carried:
        raise RulesUnknown(lane, position.fold_version, position.program)
    partition = TopicPartition(kafka.name(RAW), lane)
    async with reader(kafka, max_partition_fetch_bytes=FETCH_BYTES) as consumer:
        first = (await bounds(consumer, [partition])).earliest[partition]
        begun = await beginning(kafka, lane, first, target, carried)
        start, end = {partition: Offset(begun.next_offset)}, {partition: Offset(target)}
        async with aclosing(stretch(consumer, start, end, MAX_RECORDS)) as batches:
            async for records in batches:
                for one in records:
                    for _ in begun.fold.parts(one.offset, one.timestamp, one.key, one.value, one.headers):
                        pass
                folded(len(records))
        return begun.fold
