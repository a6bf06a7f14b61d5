"""`catalogizer replay project`: plans the projector's new positions, commits them, and reads them back."""

from __future__ import annotations

from cli.errors import BadArgument, NotConfirmed
from cli.reset_plan import FromFile, Move, Partition, Stand, Target, moves, parse_topics
from runtime.kafka import Kafka
from runtime.log_reading import bounds, partitions_of, reader, times
from schemas.places import At, AtTime, Earliest, Offset
from schemas.topics import BY_NAME, SYSTEM_UPDATES
from streams.projector import replay as projector
from streams.projector.plan import TOPICS


async def plan(kafka: Kafka, url: str, target: Target, topics: list[str]) -> list[Move]:
    """The move to `target` of each partition of `topics` (values of `--topic`; none: all). Raises
    BadArgument, NotProvisioned, StoreUnavailable, KafkaError."""
    known = {topic.name: topic.partition_count(kafka.lanes) for topic in TOPICS}
    chosen = parse_topics(topics, known, kafka.settings.topic_prefix)
    positions = await projector.positions(url)
    wanted = {partition: Offset(offset) for partition, offset in positions.items() if partition in chosen}
    if isinstance(target, FromFile):
        for topic, number in target.targets.keys() - wanted.keys():
            raise BadArgument("--from-file", f"{topic}:{number} was never projected")
    return moves(target, await _stands(kafka, {topic for topic, _ in chosen}, wanted, target))


async def _stands(
    kafka: Kafka, topics: set[str], positions: dict[Partition, Offset], target: Target
) -> dict[Partition, Stand]:
    """The state of the partitions that have a position. All topics are checked: without them, a table without rows would
    look as if there were nothing to do."""
    async with reader(kafka) as consumer:
        found = {
            (topic, place.partition): place
            for topic in sorted(topics)
            for place in await partitions_of(consumer, kafka.name(BY_NAME[topic]))
        }
        places = {partition: found[partition] for partition in positions if partition in found}
        within = await bounds(consumer, places.values())
        at_time = await times(consumer, target.at, places.values()) if isinstance(target, AtTime) else {}
        return {
            partition: Stand(within.earliest[place], within.end[place], positions[partition], at_time.get(place))
            for partition, place in places.items()
        }


def from_the_beginning(target: Target, topics: list[str], planned: list[Move]) -> bool:
    """True if everything is read again and the log still has all of it, so that new tables can be filled from it. System
    updates about roots expire from the log; those are copied from the old tables."""
    everything = not topics and target in (Earliest(), At(Offset(0)))
    return everything and all(move.target == 0 or move.topic == SYSTEM_UPDATES.name for move in planned)


async def execute(kafka: Kafka, url: str, planned: list[Move]) -> None:
    """Move, and verify that the positions are the targets. Raises NotConfirmed, GroupActive, NotBehind,
    StoreUnavailable, KafkaError."""
    targets = {(move.topic, move.partition): move.target for move in planned if move.count}
    if not targets:
        return
    await projector.reset(kafka, url, targets)
    found = await projector.positions(url)
    for partition, target in targets.items():
        if found.get(partition) != target:
            raise NotConfirmed(f"{partition[0]}:{partition[1]} stands at {found.get(partition)}, not at {target}")
