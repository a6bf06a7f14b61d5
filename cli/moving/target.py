"""The topics at the new brokers: created, marked as an incomplete copy, configured for the copy, and released at its end.

The mark is the record COPYING in `catalog.meta.v1`. It is written before the first record and withdrawn by the last step,
in the transaction that writes the epochs: those of the source, with the ids of the new topics. Meanwhile no topic has an
epoch, so no process of the platform uses them, and `topics apply` refuses to write any.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import DescribeConfigsRequest

from cli.moving.errors import NotEmpty, OtherCopy
from cli.moving.writing import LARGER_BYTES, ends_reader
from cli.provisioning.topics import (
    ExistingTopic,
    NotVisible,
    TopicRefused,
    administration,
    apply,
    epoch_writer,
    existing_topics,
    set_configs,
    topic_ids,
    whole_config,
    write_epochs,
)
from runtime.epochs import COPYING, TopicLife, recorded_epochs
from runtime.kafka import Kafka
from runtime.log_reading import bounds
from schemas.admin import TopicEpoch
from schemas.times import iso
from schemas.topics import ALL_TOPICS, META, Topic

COPIED: tuple[Topic, ...] = tuple(topic for topic in ALL_TOPICS if topic is not META)
"""META is not copied: its records contain the ids of topics."""
TIME_TYPE = "message.timestamp.type"
_LONGEST = str(2**63 - 1)
_MEANWHILE = {
    TIME_TYPE: "CreateTime",
    "message.timestamp.before.max.ms": _LONGEST,
    "message.timestamp.after.max.ms": _LONGEST,
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
}
"""Set during the copy: records keep their times, however old, and nothing is removed before it was compared."""
VISIBLE_SECONDS = 30.0
LOOK_SECONDS = 0.1
_TOPIC_RESOURCE = 2


async def prepare(kafka: Kafka, log: str, *, again: bool) -> bool:
    """Make the topics ready for a copy of the log whose epoch is `log`; True: one was begun before, and can be
    continued. `again`: such a copy is deleted first. Raises NotEmpty, OtherCopy, ProvisionError, KafkaError."""
    async with administration(kafka) as admin:
        begun = await _begun(kafka, admin)
        if begun is not None and again:
            await _delete(kafka, admin)
            begun = None
        if begun is None:
            await _check_empty(kafka, await existing_topics(kafka, admin))
            await apply(kafka)
            await _mark(kafka, log)
        elif begun.epoch != log:
            raise OtherCopy("the incomplete copy at the new brokers is that of another log")
        found = await existing_topics(kafka, admin)
        if missing := [kafka.name(topic) for topic in COPIED if kafka.name(topic) not in found]:
            raise OtherCopy(f"topic {missing[0]} of the incomplete copy was deleted")
        await _set(admin, {name: _meanwhile(kafka, name, found[name]) for name in map(kafka.name, COPIED)})
    return begun is not None


async def release(kafka: Kafka, lives: Mapping[str, TopicLife]) -> None:
    """Configure the topics as declared, and then write the epochs of the source (by declared names): from here on the copy
    is the log. Raises ProvisionError, KafkaError."""
    async with administration(kafka) as admin:
        found = await existing_topics(kafka, admin)
        await _set(admin, {name: _declared(kafka, name, found[name]) for name in map(kafka.name, COPIED)})
        ids = await topic_ids(admin, [kafka.name(topic) for topic in ALL_TOPICS])
    at = iso(time.time_ns() // 1_000_000)
    records: dict[str, TopicEpoch | None] = {COPYING: None}
    for topic in ALL_TOPICS:
        id_, life = ids.get(kafka.name(topic), ""), lives.get(topic.name) if topic in COPIED else None
        records[topic.name] = TopicEpoch(
            topic=topic.name,
            epoch=life.epoch if life is not None else id_ or secrets.token_hex(8),
            partitions=topic.partition_count(kafka.lanes),
            at=at,
            topic_id=id_,
        )
    await _write(kafka, records)


async def _begun(kafka: Kafka, admin: AIOKafkaAdminClient) -> TopicEpoch | None:
    """The mark of an incomplete copy."""
    if kafka.name(META) not in await existing_topics(kafka, admin):
        return None
    return (await recorded_epochs(kafka)).get(COPYING)


async def _mark(kafka: Kafka, log: str) -> None:
    at = iso(time.time_ns() // 1_000_000)
    mark = TopicEpoch(topic=COPYING, epoch=log, partitions=0, at=at)
    # of every topic: epochs written just now may not be readable yet
    withdrawn = dict.fromkeys(topic.name for topic in ALL_TOPICS)
    await _write(kafka, {**withdrawn, COPYING: mark})


async def _write(kafka: Kafka, records: Mapping[str, TopicEpoch | None]) -> None:
    """Write records of `catalog.meta.v1`."""
    async with epoch_writer(kafka) as writer:
        await write_epochs(kafka, writer, records)


async def _delete(kafka: Kafka, admin: AIOKafkaAdminClient) -> None:
    """Delete the topics of an incomplete copy, and then its mark: everything in them was written by the copy."""
    names = [name for name in await existing_topics(kafka, admin) if name != kafka.name(META)]
    if names:
        for name, code, *_ in (await admin.delete_topics(names)).topic_error_codes:
            if code:
                raise TopicRefused(name, f"it cannot be deleted (error {code})")
    deadline = time.monotonic() + VISIBLE_SECONDS
    while left := set(names) & {topic["topic"] for topic in await admin.describe_topics()}:
        if time.monotonic() > deadline:
            raise TopicRefused(min(left), f"it was not deleted within {VISIBLE_SECONDS:g} s")
        await asyncio.sleep(LOOK_SECONDS)
    await _write(kafka, {COPYING: None})


async def _check_empty(kafka: Kafka, found: Mapping[str, ExistingTopic]) -> None:
    names = [name for name in map(kafka.name, COPIED) if name in found]
    partitions = [TopicPartition(name, number) for name in names for number in range(found[name].partitions)]
    if not partitions:
        return
    async with ends_reader(kafka, partitions) as consumer:
        for partition, end in (await bounds(consumer, partitions)).end.items():
            if end:
                raise NotEmpty(partition.topic, end)


def _meanwhile(kafka: Kafka, name: str, there: ExistingTopic) -> dict[str, str]:
    larger = {"max.message.bytes": str(kafka.topic(name).max_message_bytes + LARGER_BYTES)}
    return whole_config(kafka.topic(name), there) | _MEANWHILE | larger


def _declared(kafka: Kafka, name: str, there: ExistingTopic) -> dict[str, str]:
    declared = kafka.topic(name).config()
    return {
        key: value
        for key, value in whole_config(kafka.topic(name), there).items()
        if key in declared or key not in _MEANWHILE
    }


async def _set(admin: AIOKafkaAdminClient, configs: Mapping[str, Mapping[str, str]]) -> None:
    """Configure topics, and return when every broker uses the configuration: a record written too early would get
    another time."""
    await set_configs(admin, configs)
    brokers = [broker["node_id"] for broker in (await admin.describe_cluster())["brokers"]]
    deadline = time.monotonic() + VISIBLE_SECONDS
    for broker in brokers:
        while waiting := await _not_yet(admin, broker, configs):
            if time.monotonic() > deadline:
                raise NotVisible(waiting, "a broker does not use its new configuration")
            await asyncio.sleep(LOOK_SECONDS)
    await asyncio.sleep(LOOK_SECONDS)  # a broker shows it just before it uses it


async def _not_yet(
    admin: AIOKafkaAdminClient, broker: int, configs: Mapping[str, Mapping[str, str]]
) -> str | None:
    """A topic whose configuration this broker does not have yet."""
    request = DescribeConfigsRequest([(_TOPIC_RESOURCE, name, [TIME_TYPE]) for name in configs], False)
    answer = await admin._send_request_to_node(broker, request)
    for code, _reason, _type, name, entries in answer.resources:
        if code or [entry[1] for entry in entries] != [configs[name][TIME_TYPE]]:
            return str(name)
    return None
