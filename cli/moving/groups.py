"""Copies what the platform's consumer groups have committed, metadata included (it tells an operator's reset)."""

from __future__ import annotations

from collections.abc import Mapping

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import OffsetAndMetadata

from cli.moving.errors import Different
from cli.provisioning.topics import administration
from runtime.kafka import Kafka, stop_client
from schemas.topics import BY_NAME

Committed = dict[str, dict[TopicPartition, OffsetAndMetadata]]
"""By group."""


async def copy_groups(source: Kafka, target: Kafka) -> int:
    """Commit at the target what the groups of the platform have committed at the source; the number of groups. Raises
    Different, KafkaError."""
    async with administration(source) as admin:
        found = await _committed(source, admin)
    wanted = {
        _moved(source, target, group): {
            TopicPartition(_moved(source, target, p.topic), p.partition): offset for p, offset in offsets.items()
        }
        for group, offsets in found.items()
    }
    for group, offsets in wanted.items():
        await _commit(target, group, offsets)
    async with administration(target) as admin:
        there = await _committed(target, admin)
    for group, offsets in wanted.items():
        for partition, offset in offsets.items():
            if there.get(group, {}).get(partition) != offset:
                what = f"group {group} was to commit this offset and has not"
                raise Different(partition.topic, partition.partition, offset.offset, what)
    return len(wanted)


async def _committed(kafka: Kafka, admin: AIOKafkaAdminClient) -> Committed:
    groups = sorted(name for name, _ in await admin.list_consumer_groups() if name.startswith(kafka.group("")))
    found = {group: await admin.list_consumer_group_offsets(group) for group in groups}
    return {group: mine for group, offsets in found.items() if (mine := _ours(kafka, offsets))}


def _ours(
    kafka: Kafka, offsets: Mapping[TopicPartition, OffsetAndMetadata]
) -> dict[TopicPartition, OffsetAndMetadata]:
    prefix = kafka.settings.topic_prefix
    return {
        p: offset
        for p, offset in offsets.items()
        if offset.offset >= 0 and p.topic.startswith(prefix) and p.topic.removeprefix(prefix) in BY_NAME
    }


async def _commit(kafka: Kafka, group: str, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
    consumer = kafka.group_consumer(group)
    try:
        await consumer.start()
        consumer.assign(list(offsets))
        consumer.pause(*offsets)
        await consumer.commit(dict(offsets))
    finally:
        await stop_client(consumer)


def _moved(source: Kafka, target: Kafka, name: str) -> str:
    return target.settings.topic_prefix + name.removeprefix(source.settings.topic_prefix)
