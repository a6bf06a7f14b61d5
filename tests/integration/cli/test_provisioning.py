"""`topics apply`: whatever was there before, whoever does it and whenever it is killed, every topic ends as
declared and with exactly one epoch."""

from __future__ import annotations

import asyncio

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType

from cli.provisioning.topics import WrongPartitions, apply, epoch_writer, plan, write_epochs
from cli.up.embedded.kafka import EmbeddedKafka
from runtime.epochs import read_epochs, recorded_epochs
from runtime.kafka import Kafka
from schemas.admin import TopicEpoch
from schemas.times import iso
from schemas.topics import ALL_TOPICS, MEDIA_UPDATES, META, RAW, SYSTEM_UPDATES, Topic
from tests.support.command import Command
from tests.support.servers import clients
from tests.support.topic import decoded, read
from tests.support.waiting import wait_until


@pytest.fixture
def bare(broker: EmbeddedKafka) -> Kafka:
    """Clients of the session's broker under a prefix with no topics yet."""
    return clients(broker)


def admin(kafka: Kafka) -> AdminClient:
    """An administrator that is not ours."""
    return AdminClient({"bootstrap.servers": kafka.settings.bootstrap_servers or ""})


def partitions(kafka: Kafka) -> dict[str, int]:
    """Partitions by name of the topics of this prefix."""
    topics = admin(kafka).list_topics(timeout=10).topics
    return {name: len(t.partitions) for name, t in topics.items() if name.startswith(kafka.settings.topic_prefix)}


def config(kafka: Kafka, topic: Topic) -> dict[str, str]:
    """A topic's whole configuration."""
    resource = ConfigResource(ResourceType.TOPIC, kafka.name(topic))
    client = admin(kafka)  # an unnamed one would be gone before it has answered
    (future,) = client.describe_configs([resource]).values()
    return {name: entry.value for name, entry in future.result(10).items()}


def delete(kafka: Kafka, topic: Topic) -> None:
    """Delete a topic and wait until it is gone."""
    client = admin(kafka)
    (future,) = client.delete_topics([kafka.name(topic)]).values()
    future.result(10)
    wait_until(lambda: kafka.name(topic) not in partitions(kafka), 10, what="the topic to be gone")


def epoch_records(kafka: Kafka) -> list[str]:
    """The topics of all epoch records ever written, in order."""
    return [str(record["topic"]) for record in decoded(read(kafka, META))]


def test_every_topic_is_made_as_declared(bare: Kafka) -> None:
    asyncio.run(apply(bare))
    assert partitions(bare) == {bare.name(topic): topic.partition_count(bare.lanes) for topic in ALL_TOPICS}
    for topic in ALL_TOPICS:
        assert topic.config().items() <= config(bare, topic).items()
    assert sorted(epoch_records(bare)) == sorted(topic.name for topic in ALL_TOPICS)


def test_what_is_planned_is_what_is_done_and_then_nothing_is_left(bare: Kafka) -> None:
    planned = asyncio.run(plan(bare))
    assert partitions(bare) == {}
    done = asyncio.run(apply(bare))
    assert {(step.action, step.topic) for step in done} == {(step.action, step.topic) for step in planned}
    assert asyncio.run(plan(bare)) == []
    assert asyncio.run(apply(bare)) == []


def test_whoever_looks_next_sees_every_epoch(bare: Kafka) -> None:
    """A commit is acknowledged before its records can be read: some readers saw no topic at all, and stream ended."""

    async def again_and_again() -> list[set[str]]:
        await apply(bare)
        seen = []
        async with epoch_writer(bare) as writer:
            for number in range(40):
                epoch = f"epoch {number}"
                await write_epochs(
                    bare, writer, {"a": TopicEpoch(topic="a", epoch=epoch, partitions=1, at=iso(0))}
                )
                seen.append({epoch, (await recorded_epochs(bare))["a"].epoch})
        return seen

    assert [seen for seen in asyncio.run(again_and_again()) if len(seen) > 1] == []


def test_several_at_once_give_each_topic_one_epoch(bare: Kafka) -> None:
    async def all_at_once() -> None:
        await asyncio.gather(*(apply(bare) for _ in range(4)))

    asyncio.run(all_at_once())
    assert sorted(epoch_records(bare)) == sorted(topic.name for topic in ALL_TOPICS)


def test_killed_on_the_way_the_next_run_ends_in_the_same_state(bare: Kafka) -> None:
    for made in (1, 2, len(ALL_TOPICS)):
        process = Command(bare).process("topics", "apply")
        with process:
            wait_until(
                lambda: len(partitions(bare)) >= made or process.poll() is not None,  # noqa: B023
                30,
                what="topics to be made",
                every=0.005,
            )
            process.kill()
    asyncio.run(apply(bare))
    assert asyncio.run(plan(bare)) == []
    assert sorted(epoch_records(bare)) == sorted(topic.name for topic in ALL_TOPICS)


def test_a_recreated_topic_is_distinguished_from_the_old_one(kafka: Kafka) -> None:
    before = asyncio.run(read_epochs(kafka))
    delete(kafka, MEDIA_UPDATES)
    assert {step.action for step in asyncio.run(apply(kafka))} == {"create", "epoch"}
    after = asyncio.run(read_epochs(kafka))
    assert {name for name in before if before[name] != after[name]} == {MEDIA_UPDATES.name}


def test_configuration_that_drifted_is_set_back_and_what_others_set_is_kept(kafka: Kafka) -> None:
    entries = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        for name, value in (("retention.ms", "1000"), ("segment.ms", "7654321"))
    ]
    resource = ConfigResource(ResourceType.TOPIC, kafka.name(RAW), incremental_configs=entries)
    client = admin(kafka)
    (future,) = client.incremental_alter_configs([resource]).values()
    future.result(10)
    wait_until(lambda: config(kafka, RAW)["retention.ms"] == "1000", 10, what="the change to be seen")
    (step,) = asyncio.run(apply(kafka))
    assert (step.action, step.topic, step.detail) == ("configure", kafka.name(RAW), "retention.ms=-1")
    wait_until(lambda: config(kafka, RAW)["retention.ms"] == "-1", 10, what="the change to be seen")
    assert config(kafka, RAW)["segment.ms"] == "7654321"
    assert asyncio.run(plan(kafka)) == []


def test_another_number_of_lanes_is_refused_and_changes_nothing(kafka: Kafka) -> None:
    other = Kafka(kafka.settings.model_copy(update={"lanes": kafka.lanes + 1}), "test")
    delete(kafka, SYSTEM_UPDATES)
    with pytest.raises(WrongPartitions):
        asyncio.run(apply(other))
    assert kafka.name(SYSTEM_UPDATES) not in partitions(kafka)
    assert asyncio.run(recorded_epochs(kafka))[SYSTEM_UPDATES.name]


def test_the_command_reports_what_it_does(bare: Kafka) -> None:
    command = Command(bare)
    planned = command.json("topics", "plan")
    assert {step["action"] for step in planned} == {"create", "epoch"}
    assert command.json("topics", "apply", "--dry-run") == planned
    assert len(command.json("topics", "apply")) == len(planned)
    assert command.output("topics", "plan") == "nothing to do: every topic is as declared\n"
