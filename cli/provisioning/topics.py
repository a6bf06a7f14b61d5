"""The topics of an installation, made as `schemas.topics` declares them: a plan, and its execution.

A topic without an epoch record is one that nobody has used yet, so each gets its epoch before `apply` returns,
and the epoch of a topic that has vanished is withdrawn before the topic is made anew: killed at any point, the
next run ends in the same state. Epochs are written under one transactional id. Of several provisioners at once
one therefore decides, and no topic ever gets two.

    ProvisionError        (a `CommandError`)
    ├── WrongPartitions   a topic has another number of partitions than the log's lanes ask for
    ├── Refused           the brokers would not do a step
    ├── NotVisible        a topic that was made did not appear in time
    └── Contended         other provisioners kept taking over
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    InvalidProducerEpoch,
    InvalidReplicationFactorError,
    ProducerFenced,
    TopicAlreadyExistsError,
    for_code,
)

from cli.errors import CommandError
from runtime.epochs import read_epochs
from runtime.kafka import Kafka
from schemas.admin import TopicEpoch
from schemas.codec import encode
from schemas.times import iso
from schemas.topics import ALL_TOPICS, META, Topic

REPLICATION = 3
"""Copies of each partition on brokers that are not ours to start; two of them must have a record."""

ATTEMPTS = 10
VISIBLE_SECONDS = 30.0
LOOK_SECONDS = 0.05
_DYNAMIC = 1
"""DescribeConfigs: the entry was set on the topic itself (KIP-226)."""


class ProvisionError(CommandError):
    """Root of the tree. `topic`: its name on this installation."""

    def __init__(self, topic: str, what: str) -> None:
        self.topic = topic
        super().__init__(f"topic {topic}: {what}")


class WrongPartitions(ProvisionError):
    """Partitions cannot be changed: a library's place is computed from their number."""

    def __init__(self, topic: str, found: int, wanted: int) -> None:
        self.found = found
        self.wanted = wanted
        super().__init__(
            topic,
            f"has {found} partitions, these settings ask for {wanted}; the number of lanes is fixed for the life"
            f" of a log: set CATALOGIZER_KAFKA__LANES to the log's own, or use another topic prefix",
        )


class Refused(ProvisionError):
    """The brokers refused; `reason` is theirs."""

    def __init__(self, topic: str, reason: str) -> None:
        self.reason = reason
        super().__init__(topic, f"refused by the broker: {reason}")


class NotVisible(ProvisionError):
    """Made, but not in the metadata yet."""

    retryable = True

    def __init__(self, topic: str) -> None:
        super().__init__(topic, f"has no leader for all partitions after {VISIBLE_SECONDS:g} s")


class Contended(ProvisionError):
    """Other provisioners fenced this one each time."""

    retryable = True

    def __init__(self, topic: str) -> None:
        super().__init__(topic, "other provisioners are at work; run this again")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, or done. `topic`: the name on this installation; `detail`: for people."""

    action: Literal["create", "epoch", "configure"]
    topic: str
    detail: str


@dataclass(frozen=True, slots=True)
class Found:
    """A topic as the brokers have it. `replication`: of its first partition; `config`: what is set on the topic
    itself."""

    partitions: int
    replication: int
    config: dict[str, str]


async def plan(kafka: Kafka) -> list[Step]:
    """What `apply` would do; empty when nothing is left to do. Changes nothing. Raises ProvisionError,
    KafkaError."""
    async with administration(kafka) as admin:
        found = await _look(kafka, admin)
    return steps(kafka, found, await _epochs(kafka, found))


async def apply(kafka: Kafka) -> list[Step]:
    """Make every topic, its configuration and its epoch as declared; returns what was done here. When it returns
    each topic is in the metadata with leaders and has exactly one epoch. Raises ProvisionError, KafkaError."""
    if not await plan(kafka):
        return []
    for attempt in range(ATTEMPTS):
        try:
            return await _apply(kafka)
        except (ProducerFenced, InvalidProducerEpoch):  # another provisioner took over; let it finish
            await asyncio.sleep(attempt * 0.1 + secrets.randbelow(200) / 1000)
    raise Contended(kafka.name(META))


def steps(kafka: Kafka, found: Mapping[str, Found], epochs: Mapping[str, TopicEpoch]) -> list[Step]:
    """What is missing on an installation with these topics (by name there) and epochs (by declared name).
    Raises WrongPartitions."""
    needed: list[Step] = []
    for topic in ALL_TOPICS:
        name, count = kafka.name(topic), topic.partition_count(kafka.lanes)
        there = found.get(name)
        if there is None:
            config = _config(topic, _replication(kafka))
            needed.append(Step("create", name, f"{count} partitions, {_spoken(config)}"))
        elif there.partitions != count:
            raise WrongPartitions(name, there.partitions, count)
        elif drift := _drift(topic, there):
            needed.append(Step("configure", name, _spoken(drift)))
        if there is None or topic.name not in epochs:
            needed.append(Step("epoch", name, "a new epoch record"))
    return needed


async def _apply(kafka: Kafka) -> list[Step]:
    done: list[Step] = []
    async with administration(kafka) as admin:
        if kafka.name(META) not in await _look(kafka, admin):
            done += await _create(kafka, admin, [META])
        async with _writer(kafka) as writer:  # from here on every other provisioner is fenced
            found = await _look(kafka, admin)
            epochs = await _epochs(kafka, found)
            needed = steps(kafka, found, epochs)
            missing = [topic for topic in ALL_TOPICS if kafka.name(topic) not in found]
            await _withdraw(kafka, writer, [topic for topic in missing if topic.name in epochs])
            done += await _create(kafka, admin, missing)
            without = [topic for topic in ALL_TOPICS if topic in missing or topic.name not in epochs]
            done += await _give_epochs(kafka, writer, without)
        done += await _configure(kafka, admin, found, [step for step in needed if step.action == "configure"])
    return done


async def _create(kafka: Kafka, admin: AIOKafkaAdminClient, topics: list[Topic]) -> list[Step]:
    if not topics:
        return []
    replication = _replication(kafka)
    wanted = [
        NewTopic(
            kafka.name(topic),
            topic.partition_count(kafka.lanes),
            replication,
            topic_configs=_config(topic, replication),
        )
        for topic in topics
    ]
    response = await admin.create_topics(wanted)
    made: list[Step] = []
    for name, code, reason in response.topic_errors:
        if code == TopicAlreadyExistsError.errno:
            continue
        if code:
            raise Refused(name, _reason(code, reason))
        made.append(Step("create", name, f"replication {replication}"))
    await _visible(kafka, admin, topics)
    return made


async def _visible(kafka: Kafka, admin: AIOKafkaAdminClient, topics: list[Topic]) -> None:
    deadline = time.monotonic() + VISIBLE_SECONDS
    while waiting := await _leaderless(kafka, admin, topics):
        if time.monotonic() > deadline:
            raise NotVisible(waiting[0])
        await asyncio.sleep(LOOK_SECONDS)


async def _leaderless(kafka: Kafka, admin: AIOKafkaAdminClient, topics: list[Topic]) -> list[str]:
    led = {
        described["topic"]: sum(1 for partition in described["partitions"] if partition["leader"] >= 0)
        for described in await admin.describe_topics()
    }
    return [
        kafka.name(topic) for topic in topics if led.get(kafka.name(topic), 0) < topic.partition_count(kafka.lanes)
    ]


async def _withdraw(kafka: Kafka, writer: AIOKafkaProducer, topics: list[Topic]) -> None:
    await _write(kafka, writer, {topic.name: None for topic in topics})


async def _give_epochs(kafka: Kafka, writer: AIOKafkaProducer, topics: list[Topic]) -> list[Step]:
    at = iso(time.time_ns() // 1_000_000)
    epochs = {
        topic.name: TopicEpoch(
            topic=topic.name,
            epoch=secrets.token_hex(8),
            partitions=topic.partition_count(kafka.lanes),
            at=at,
        )
        for topic in topics
    }
    await _write(kafka, writer, epochs)
    return [Step("epoch", kafka.name(topic), epochs[topic.name].epoch) for topic in topics]


async def _write(kafka: Kafka, writer: AIOKafkaProducer, records: Mapping[str, TopicEpoch | None]) -> None:
    """One transaction of one batch, whose future is awaited before the commit: aiokafka commits in spite of a
    failed send."""
    if not records:
        return
    batch = writer.create_batch()
    for name, record in records.items():
        value = None if record is None else encode(record)
        batch.append(key=name.encode(), value=value, timestamp=None)
    async with writer.transaction():
        await (await writer.send_batch(batch, kafka.name(META), partition=0))


async def _configure(
    kafka: Kafka, admin: AIOKafkaAdminClient, found: Mapping[str, Found], wanted: list[Step]
) -> list[Step]:
    names = {step.topic for step in wanted}
    # AlterConfigs replaces the whole set, so what others have set beside ours is said again.
    resources = [
        ConfigResource(ConfigResourceType.TOPIC, name, _whole_config(kafka.topic(name), found[name]))
        for name in sorted(names)
    ]
    if resources:
        for response in await admin.alter_configs(resources):
            for code, reason, _type, name in response.resources:
                if code:
                    raise Refused(name, _reason(code, reason))
    return wanted


async def _look(kafka: Kafka, admin: AIOKafkaAdminClient) -> dict[str, Found]:
    ours = {kafka.name(topic) for topic in ALL_TOPICS}
    # All topics are asked for: a request by name would make the topic where auto-creation is on.
    there = {
        described["topic"]: described["partitions"]
        for described in await admin.describe_topics()
        if described["topic"] in ours and not described["error_code"]
    }
    if not there:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in there]
    configs: dict[str, dict[str, str]] = {}
    for response in await admin.describe_configs(resources):
        for code, reason, _type, name, entries in response.resources:
            if code:
                raise Refused(name, _reason(code, reason))
            configs[name] = {entry[0]: entry[1] for entry in entries if entry[3] == _DYNAMIC}
    return {
        name: Found(len(partitions), len(partitions[0]["replicas"]), configs[name])
        for name, partitions in there.items()
    }


async def _epochs(kafka: Kafka, found: Mapping[str, Found]) -> dict[str, TopicEpoch]:
    return await read_epochs(kafka) if kafka.name(META) in found else {}


def _replication(kafka: Kafka) -> int:
    return kafka.settings.replication_factor or (1 if kafka.settings.embedded else REPLICATION)


def _config(topic: Topic, replication: int) -> dict[str, str]:
    # By the copies that the topic has, not by the settings: two in sync of one would refuse every write.
    return topic.config() | {"min.insync.replicas": "2" if replication >= REPLICATION else "1"}


def _whole_config(topic: Topic, there: Found) -> dict[str, str]:
    return there.config | _config(topic, there.replication)


def _drift(topic: Topic, there: Found) -> dict[str, str]:
    wanted = _config(topic, there.replication)
    return {key: value for key, value in wanted.items() if there.config.get(key) != value}


def _spoken(config: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(config.items()))


def _reason(code: int, said: str | None) -> str:
    name = for_code(code).__name__
    hint = "; set CATALOGIZER_KAFKA__REPLICATION_FACTOR" if code == InvalidReplicationFactorError.errno else ""
    return f"{name}: {said}{hint}" if said else name + hint


@asynccontextmanager
async def administration(kafka: Kafka) -> AsyncIterator[AIOKafkaAdminClient]:
    """An administrative client for a while. Raises KafkaError."""
    admin = kafka.admin()
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


@asynccontextmanager
async def _writer(kafka: Kafka) -> AsyncIterator[AIOKafkaProducer]:
    writer = kafka.transactional_producer("provisioner")
    try:
        await writer.start()
        yield writer
    finally:
        await writer.stop()
