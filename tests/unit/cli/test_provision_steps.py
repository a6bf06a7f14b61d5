"""What the provisioner finds missing, as a function of what there is."""

from __future__ import annotations

import pytest

from cli.provisioning.topics import ExistingTopic, ProvisionStep, WrongPartitions, steps
from runtime.kafka import Kafka
from runtime.settings import KafkaSettings
from schemas.admin import TopicEpoch
from schemas.topics import ALL_TOPICS, RAW, SYSTEM_UPDATES, Topic

LANES = 3
KAFKA = Kafka(KafkaSettings(bootstrap_servers="k:9092", topic_prefix="p.", lanes=LANES, replication_factor=1), "t")


def complete(topic: Topic, replication: int = 1) -> ExistingTopic:
    in_sync = "2" if replication >= 3 else "1"
    return ExistingTopic(
        topic.partition_count(LANES), replication, topic.config() | {"min.insync.replicas": in_sync}
    )


WHOLE = {KAFKA.name(topic): complete(topic) for topic in ALL_TOPICS}
EPOCHS = {topic.name: TopicEpoch(topic=topic.name, epoch="e", partitions=1, at="") for topic in ALL_TOPICS}


def test_nothing_is_missing_from_what_is_as_declared() -> None:
    assert steps(KAFKA, WHOLE, EPOCHS) == []


def test_an_empty_installation_needs_every_topic_and_every_epoch() -> None:
    needed = steps(KAFKA, {}, {})
    assert [step.action for step in needed] == ["create", "epoch"] * len(ALL_TOPICS)
    assert {step.topic for step in needed} == {KAFKA.name(topic) for topic in ALL_TOPICS}


def test_a_topic_without_its_epoch_gets_one() -> None:
    epochs = {name: epoch for name, epoch in EPOCHS.items() if name != RAW.name}
    assert steps(KAFKA, WHOLE, epochs) == [ProvisionStep("epoch", "p." + RAW.name, "a new epoch record")]


def test_a_topic_that_has_vanished_gets_a_new_epoch_with_its_new_life() -> None:
    found = {name: there for name, there in WHOLE.items() if name != "p." + RAW.name}
    assert [step.action for step in steps(KAFKA, found, EPOCHS)] == ["create", "epoch"]


def test_only_configuration_that_differs_is_set() -> None:
    shorter = ExistingTopic(1, 1, complete(SYSTEM_UPDATES).config | {"retention.ms": "5", "segment.bytes": "7"})
    assert steps(KAFKA, WHOLE | {"p." + SYSTEM_UPDATES.name: shorter}, EPOCHS) == [
        ProvisionStep("configure", "p." + SYSTEM_UPDATES.name, "retention.ms=2592000000")
    ]


def test_copies_in_sync_go_by_the_copies_that_there_are() -> None:
    three = {KAFKA.name(topic): complete(topic, replication=3) for topic in ALL_TOPICS}
    assert steps(KAFKA, three, EPOCHS) == []


@pytest.mark.parametrize(("topic", "count"), [(RAW, 4), (RAW, 2), (SYSTEM_UPDATES, 2)])
def test_another_number_of_partitions_is_refused(topic: Topic, count: int) -> None:
    found = WHOLE | {KAFKA.name(topic): ExistingTopic(count, 1, {})}
    with pytest.raises(WrongPartitions, match="fixed for the life") as caught:
        steps(KAFKA, found, EPOCHS)
    assert caught.value.found == count
