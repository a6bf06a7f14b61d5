"""`catalogizer replay project`: plans the projector's new positions, commits them, and reads them back."""

from __future__ import annotations

from cli.errors import BadArgument, NotAsAsked
from cli.log_reading import partitions_of, reader
from cli.reset_plan import FromFile, Move, Partition, Stand, Target, ToTime, moves, parse_topics
from runtime.kafka import Kafka
from schemas.topics import BY_NAME
from streams.projector import replay as projector
from streams.projector.plan import TOPICS


async def plan(kafka: Kafka, url: str, target: Target, topics: list[str]) -> list[Move]:
    """The move to `target` of each partition of `topics` (values of `--topic`; none: all). Raises
    BadArgument, NotProvisioned, StoreUnavailable, KafkaError."""
    known = {topic.name: topic.partition_count(kafka.lanes) for topic in TOPICS}
    chosen = parse_topics(topics, known, kafka.settings.topic_prefix)
    positions = await projector.positions(url)
    wanted = {partition: offset for partition, offset in positions.items() if partition in chosen}
    if isinstance(target, FromFile):
        for topic, number in target.targets.keys() - wanted.keys():
            raise BadArgument("--from-file", f"{topic}:{number} was never projected")
    return moves(target, await _stands(kafka, wanted, target))


async def _stands(kafka: Kafka, positions: dict[Partition, int], target: Target) -> dict[Partition, Stand]:
    async with reader(kafka) as consumer:
        places = {
            partition: place
            for topic in sorted({topic for topic, _ in positions})
            for place in await partitions_of(consumer, kafka.name(BY_NAME[topic]))
            if (partition := (topic, place.partition)) in positions
        }
        beginnings = await consumer.beginning_offsets(list(places.values()))
        heads = await consumer.end_offsets(list(places.values()))
        times = {}
        if isinstance(target, ToTime) and places:
            times = await consumer.offsets_for_times(dict.fromkeys(places.values(), target.at))
        return {
            partition: Stand(
                beginnings[place],
                heads[place],
                positions[partition],
                None if times.get(place) is None else times[place].offset,
            )
            for partition, place in places.items()
        }


async def execute(kafka: Kafka, url: str, planned: list[Move]) -> None:
    """Move, and verify that the positions are the targets. Raises NotAsAsked, GroupActive, NotBehind,
    StoreUnavailable, KafkaError."""
    targets = {(move.topic, move.partition): move.target for move in planned if move.count}
    if not targets:
        return
    await projector.reset(kafka, url, targets)
    found = await projector.positions(url)
    for partition, target in targets.items():
        if found.get(partition) != target:
            raise NotAsAsked(f"{partition[0]}:{partition[1]} stands at {found.get(partition)}, not at {target}")
