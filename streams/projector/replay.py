"""Moving the projector back by our own command, with the same effect as Kafka's reset tool.

The database's position moves first, because it decides; then the group's offset, with our mark. After a kill in between, the
next start of a projector uses the database's position and overwrites the group's offset.
"""

from __future__ import annotations

from collections.abc import Mapping

from aiokafka import TopicPartition

from runtime.kafka import Kafka
from schemas.topics import BY_NAME
from streams.projector.assigned import GROUP
from streams.projector.errors import GroupActive, NotBehind
from streams.projector.positions import Partition, PartitionPosition, mark
from streams.projector.store import PostgresStore

_EMPTY = ("Empty", "Dead")


async def reset(kafka: Kafka, database_url: str, targets: Mapping[tuple[str, int], int]) -> None:
    """Make the projector write its rows again from these offsets: (topic's declared name, partition) to the next offset
    wanted. Either all positions move or none. Raises GroupActive while projectors run, NotBehind where records would be
    skipped, StoreUnavailable, KafkaError."""
    await check_inactive(kafka)
    wanted = {Partition(topic, number): offset for (topic, number), offset in targets.items()}
    store = PostgresStore(database_url)
    try:
        kept = await store.positions()
        for partition, offset in wanted.items():
            position = kept.get(partition)
            if position is None or offset > position.next_offset or offset < 0:
                raise NotBehind(partition, None if position is None else position.next_offset, offset)
        for partition, offset in wanted.items():
            if not await store.move(partition, kept[partition].next_offset, offset):
                raise GroupActive(kafka.group(GROUP), ("a projector outside the group",))
    finally:
        await store.close()
    await _commit_group(
        kafka,
        {partition: PartitionPosition(offset, kept[partition].epoch) for partition, offset in wanted.items()},
    )


async def positions(database_url: str) -> dict[tuple[str, int], int]:
    """The projector's positions: (topic's declared name, partition) to the next offset wanted."""
    store = PostgresStore(database_url)
    try:
        kept = await store.positions()
    finally:
        await store.close()
    return {(partition.topic, partition.number): position.next_offset for partition, position in kept.items()}


async def check_inactive(kafka: Kafka) -> None:
    """Raise GroupActive with the members' names while the projector's group has any."""
    group = kafka.group(GROUP)
    admin = kafka.admin()
    await admin.start()
    try:
        responses = await admin.describe_consumer_groups([group])
    finally:
        await admin.close()
    for response in responses:
        for _error, _group, state, _type, _protocol, members, *_ in response.groups:
            if state not in _EMPTY:
                raise GroupActive(group, tuple(f"{member[1]} at {member[2]}" for member in members) or (state,))


async def _commit_group(kafka: Kafka, positions: Mapping[Partition, PartitionPosition]) -> None:
    consumer = kafka.group_consumer(kafka.group(GROUP))
    places = {
        TopicPartition(kafka.name(BY_NAME[partition.topic]), partition.number): position
        for partition, position in positions.items()
    }
    consumer.assign(list(places))
    await consumer.start()
    try:
        await consumer.commit({place: (at.next_offset, mark(at.epoch)) for place, at in places.items()})
    finally:
        await consumer.stop()
