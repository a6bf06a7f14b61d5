"""Creates the topics of an installation as `schemas.topics` declares them: a plan, and its execution.

Every topic has an epoch record before `apply` returns, and no process uses a topic without one. The epoch of a deleted
topic is withdrawn before the topic is created again. A topic that was recreated by other means, which its id in Kafka shows,
gets a new epoch. So after a kill at any point the next run ends in the same state.
All provisioners write epochs under the same transactional id: if several run at once, Kafka fences all but one, and no
topic gets two epochs.

    ProvisionError        (a `CommandError`)
    ├── WrongPartitions   a topic has another number of partitions than the log's lanes require
    ├── TopicRefused      the brokers refused a step
    ├── IncompleteCopy    the log there is a copy that `catalogizer move-log` has not completed
    ├── NotVisible        a created topic, or what was written to it, did not appear in time
    └── Contended         other provisioners kept fencing this one
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from aiokafka import AIOKafkaProducer, TopicPartition
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
from runtime.epochs import COPYING, recorded_epochs
from runtime.kafka import Kafka
from runtime.log_reading import bounds, reader
from runtime.topic_ids import look
from runtime.waits import PROVISIONER, PROVISIONERS_APART_SECONDS, Backoff
from schemas.admin import TopicEpoch
from schemas.codec import encode
from schemas.times import iso
from schemas.topics import ALL_TOPICS, META, Topic

REPLICATION = 3
"""Copies of each partition on external brokers; at least two must have a record before it is acknowledged."""

ATTEMPTS = 10
VISIBLE_SECONDS = 30.0
LOOK_SECONDS = 0.05
_DYNAMIC = 1
"""DescribeConfigs: the entry was set on the topic itself (KIP-226)."""


class ProvisionError(CommandError):
    """Base of these errors. `topic`: its name on this installation."""

    def __init__(self, topic: str, what: str) -> None:
        self.topic = topic
        super().__init__(f"topic {topic}: {what}")


class WrongPartitions(ProvisionError):
    """The number of partitions cannot be changed: a library's lane is computed from it."""

    def __init__(self, topic: str, found: int, wanted: int) -> None:
        self.found = found
        self.wanted = wanted
        super().__init__(
            topic,
            f"has {found} partitions, {wanted} are required; their number is fixed for the life of a log: set"
            f" CATALOGIZER_KAFKA__LANES to the log's own, or use another topic prefix",
        )


class TopicRefused(ProvisionError):
    """The brokers refused; `reason` is theirs."""

    def __init__(self, topic: str, reason: str) -> None:
        self.reason = reason
        super().__init__(topic, f"refused by the broker: {reason}")


class IncompleteCopy(ProvisionError):
    """`move-log` has begun a copy there, and was interrupted or is at work."""

    def __init__(self, topic: str) -> None:
        super().__init__(
            topic,
            "this log is an incomplete copy: repeat the `catalogizer move-log` that was interrupted, and it continues; to"
            " begin an empty log instead, delete all topics of the platform here",
        )


class NotVisible(ProvisionError):
    """Done, but not visible to everybody yet."""

    retryable = True

    def __init__(self, topic: str, what: str) -> None:
        super().__init__(topic, f"{what} after {VISIBLE_SECONDS:g} s")


class Contended(ProvisionError):
    """Other provisioners fenced this one each time."""

    retryable = True

    def __init__(self, topic: str) -> None:
        super().__init__(topic, "other provisioners are at work; run this again")


@dataclass(frozen=True, slots=True)
class ProvisionStep:
    """One step, planned or carried out. `topic`: the name on this installation; `detail`: for people."""

    action: Literal["create", "epoch", "configure"]
    topic: str
    detail: str


@dataclass(frozen=True, slots=True)
class ExistingTopic:
    """A topic as the brokers describe it. `replication`: of its first partition; `config`: what is set on the topic
    itself; `id`: Kafka's own, empty where it has none."""

    partitions: int
    replication: int
    config: dict[str, str]
    id: str = ""


async def plan(kafka: Kafka) -> list[ProvisionStep]:
    """The steps that `apply` would carry out; empty if there are none. Changes nothing. Raises ProvisionError,
    KafkaError."""
    async with administration(kafka) as admin:
        found = await existing_topics(kafka, admin)
    return steps(kafka, found, await _epochs(kafka, found))


async def apply(kafka: Kafka) -> list[ProvisionStep]:
    """Create every topic, its configuration and its epoch as declared; returns the steps carried out. Afterwards each
    topic is in the metadata with leaders and has exactly one epoch. Raises ProvisionError, KafkaError."""
    if not await plan(kafka):
        return []
    backoff = Backoff(PROVISIONER)
    for _ in range(ATTEMPTS):
        try:
            return await _apply(kafka)
        except (ProducerFenced, InvalidProducerEpoch):  # another provisioner took over; let it finish
            apart = secrets.randbelow(int(PROVISIONERS_APART_SECONDS * 1_000)) / 1_000
            await asyncio.sleep(backoff.next_seconds() + apart)
    raise Contended(kafka.name(META))


def steps(
    kafka: Kafka, found: Mapping[str, ExistingTopic], epochs: Mapping[str, TopicEpoch]
) -> list[ProvisionStep]:
    """The steps that are missing on an installation with these topics (by their name there) and epochs (by declared name).
    Raises WrongPartitions."""
    needed: list[ProvisionStep] = []
    for topic in ALL_TOPICS:
        name, count = kafka.name(topic), topic.partition_count(kafka.lanes)
        there = found.get(name)
        if there is None:
            config = _config(topic, _replication(kafka))
            needed.append(ProvisionStep("create", name, f"{count} partitions, {_as_text(config)}"))
        elif there.partitions != count:
            raise WrongPartitions(name, there.partitions, count)
        elif drift := _drift(topic, there):
            needed.append(ProvisionStep("configure", name, _as_text(drift)))
        if lacks := _lacks(there, epochs.get(topic.name)):
            needed.append(ProvisionStep("epoch", name, lacks))
    return needed


def _lacks(there: ExistingTopic | None, epoch: TopicEpoch | None) -> str | None:
    """Why a topic needs an epoch record."""
    if there is None or epoch is None:
        return "a new epoch record"
    if not there.id or there.id == epoch.topic_id:
        return None
    return "a new epoch record: the topic was recreated by other means" if epoch.topic_id else "its id in Kafka"


async def _apply(kafka: Kafka) -> list[ProvisionStep]:
    done: list[ProvisionStep] = []
    async with administration(kafka) as admin:
        if kafka.name(META) not in await existing_topics(kafka, admin):
            done += await _create(kafka, admin, [META])
        async with epoch_writer(kafka) as writer:  # from here on every other provisioner is fenced
            found = await existing_topics(kafka, admin)
            epochs = await _epochs(kafka, found)
            needed = steps(kafka, found, epochs)
            missing = [topic for topic in ALL_TOPICS if kafka.name(topic) not in found]
            await _withdraw(kafka, writer, [topic for topic in missing if topic.name in epochs])
            done += await _create(kafka, admin, missing)
            without = [kafka.topic(step.topic) for step in needed if step.action == "epoch"]
            there = {t.name: epochs[t.name] for t in without if t not in missing and t.name in epochs}
            known = {name: epoch for name, epoch in there.items() if not epoch.topic_id}
            done += await _give_epochs(kafka, admin, writer, without, known)
        done += await _configure(kafka, admin, found, [step for step in needed if step.action == "configure"])
    return done


async def _create(kafka: Kafka, admin: AIOKafkaAdminClient, topics: list[Topic]) -> list[ProvisionStep]:
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
    made: list[ProvisionStep] = []
    for name, code, reason in response.topic_errors:
        if code == TopicAlreadyExistsError.errno:
            continue
        if code:
            raise TopicRefused(name, _reason(code, reason))
        made.append(ProvisionStep("create", name, f"replication {replication}"))
    await _visible(kafka, admin, topics)
    return made


async def _visible(kafka: Kafka, admin: AIOKafkaAdminClient, topics: list[Topic]) -> None:
    deadline = time.monotonic() + VISIBLE_SECONDS
    while waiting := await _leaderless(kafka, admin, topics):
        if time.monotonic() > deadline:
            raise NotVisible(waiting[0], "has no leader for all partitions")
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
    await write_epochs(kafka, writer, {topic.name: None for topic in topics})


async def _give_epochs(
    kafka: Kafka,
    admin: AIOKafkaAdminClient,
    writer: AIOKafkaProducer,
    topics: list[Topic],
    without_id: Mapping[str, TopicEpoch],
) -> list[ProvisionStep]:
    """Write epoch records. `without_id`: older records that have no topic id; their epochs stay."""
    at = iso(time.time_ns() // 1_000_000)
    ids = await topic_ids(admin, [kafka.name(topic) for topic in topics])
    epochs = {}
    for topic in topics:
        id_, count = ids.get(kafka.name(topic), ""), topic.partition_count(kafka.lanes)
        before = without_id.get(topic.name)
        epoch = before.epoch if before is not None else id_ or secrets.token_hex(8)
        epochs[topic.name] = TopicEpoch(topic=topic.name, epoch=epoch, partitions=count, at=at, topic_id=id_)
    await write_epochs(kafka, writer, epochs)
    return [ProvisionStep("epoch", kafka.name(topic), epochs[topic.name].epoch) for topic in topics]


async def topic_ids(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, str]:
    """Kafka's ids of these topics, as far as it has some. Raises KafkaError."""
    seen = await look(admin._client, names)
    return {name: there.id for name, there in seen.topics.items() if there is not None}


async def write_epochs(kafka: Kafka, writer: AIOKafkaProducer, records: Mapping[str, TopicEpoch | None]) -> None:
    """Write all records as one batch in one transaction; afterwards every reader sees them. Its future is awaited before the
    commit, because aiokafka commits even after a failed send. Raises NotVisible, KafkaError."""
    if not records:
        return
    batch = writer.create_batch()
    for name, record in records.items():
        value = None if record is None else encode(record)
        batch.append(key=name.encode(), value=value, timestamp=None)
    async with writer.transaction():
        sent = await (await writer.send_batch(batch, kafka.name(META), partition=0))
    await _committed(kafka, sent.offset + len(records))


async def _committed(kafka: Kafka, end: int) -> None:
    """Wait until readers of what is committed reach `end` in the topic of epochs. A commit is acknowledged once its
    coordinator has decided it; its marker is written after that, and until then a process that starts sees no topic."""
    place, deadline = TopicPartition(kafka.name(META), 0), time.monotonic() + VISIBLE_SECONDS
    async with reader(kafka) as consumer:
        while (await bounds(consumer, [place])).end[place] < end:
            if time.monotonic() > deadline:
                raise NotVisible(place.topic, "the commit of its epochs is not visible")
            await asyncio.sleep(LOOK_SECONDS)


async def _configure(
    kafka: Kafka, admin: AIOKafkaAdminClient, found: Mapping[str, ExistingTopic], wanted: list[ProvisionStep]
) -> list[ProvisionStep]:
    # AlterConfigs replaces the whole set, so it must include what others have set.
    names = sorted({step.topic for step in wanted})
    await set_configs(admin, {name: whole_config(kafka.topic(name), found[name]) for name in names})
    return wanted


async def set_configs(admin: AIOKafkaAdminClient, configs: Mapping[str, Mapping[str, str]]) -> None:
    """Replace everything that is set on these topics (by their names there). Raises TopicRefused, KafkaError."""
    resources = [ConfigResource(ConfigResourceType.TOPIC, name, dict(config)) for name, config in configs.items()]
    for response in await admin.alter_configs(resources) if resources else ():
        for code, reason, _type, name in response.resources:
            if code:
                raise TopicRefused(name, _reason(code, reason))


async def existing_topics(kafka: Kafka, admin: AIOKafkaAdminClient) -> dict[str, ExistingTopic]:
    """The platform's topics that exist, by their names there. Raises TopicRefused, KafkaError."""
    ours = {kafka.name(topic) for topic in ALL_TOPICS}
    # All topics are requested: a request by name would create the topic if auto-creation is on.
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
                raise TopicRefused(name, _reason(code, reason))
            configs[name] = {entry[0]: entry[1] for entry in entries if entry[3] == _DYNAMIC}
    ids = await topic_ids(admin, list(there))
    return {
        name: ExistingTopic(len(partitions), len(partitions[0]["replicas"]), configs[name], ids.get(name, ""))
        for name, partitions in there.items()
    }


async def _epochs(kafka: Kafka, found: Mapping[str, ExistingTopic]) -> dict[str, TopicEpoch]:
    epochs = await recorded_epochs(kafka) if kafka.name(META) in found else {}
    if COPYING in epochs:
        raise IncompleteCopy(kafka.name(META))
    return epochs


def _replication(kafka: Kafka) -> int:
    return kafka.settings.replication_factor or (1 if kafka.settings.embedded else REPLICATION)


def _config(topic: Topic, replication: int) -> dict[str, str]:
    # From the topic's own number of copies, not the settings: with one copy, two in sync would refuse every write.
    return topic.config() | {"min.insync.replicas": "2" if replication >= REPLICATION else "1"}


def whole_config(topic: Topic, there: ExistingTopic) -> dict[str, str]:
    """What is set on an existing topic once it is configured as declared."""
    return there.config | _config(topic, there.replication)


def _drift(topic: Topic, there: ExistingTopic) -> dict[str, str]:
    wanted = _config(topic, there.replication)
    return {key: value for key, value in wanted.items() if there.config.get(key) != value}


def _as_text(config: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(config.items()))


def _reason(code: int, message: str | None) -> str:
    name = for_code(code).__name__
    hint = (
        "; set CATALOGIZER_KAFKA__REPLICATION_FACTOR (move-log: --replication-factor)"
        if code == InvalidReplicationFactorError.errno
        else ""
    )
    return f"{name}: {message}{hint}" if message else name + hint


@asynccontextmanager
async def administration(kafka: Kafka) -> AsyncIterator[AIOKafkaAdminClient]:
    """An administrative client for the block. Raises KafkaError."""
    admin = kafka.admin()
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


@asynccontextmanager
async def epoch_writer(kafka: Kafka) -> AsyncIterator[AIOKafkaProducer]:
    """Writes epochs during the block, and fences every other provisioner. Raises KafkaError."""
    writer = kafka.transactional_producer("provisioner")
    try:
        await writer.start()
        yield writer
    finally:
        await writer.stop()
