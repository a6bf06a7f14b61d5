"""What an operator's tools do to the topics is noticed and reported by every process that uses them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cli.provisioning.topics import WrongPartitions, apply, plan
from runtime.epochs import read_epochs
from runtime.kafka import Kafka
from runtime.topic_watch import TopicWatch
from schemas.acls import COMPONENTS, NEEDS
from schemas.topics import CHANGES, META, RAW, REPORTS, Topic
from tests.support.kafka_tools import add_partitions, delete_records, make_anew, operate
from tests.support.topic import NewRecord, write


def problems(kafka: Kafka) -> dict[str, str | None]:
    """What each component reports about its topics."""

    async def main() -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        for component in COMPONENTS:
            watch = TopicWatch(kafka, component)
            await watch.look()
            found[component] = watch.problem()
        return found

    return asyncio.run(main())


def users(topic: Topic) -> set[str]:
    return {c for c in COMPONENTS if topic in (*NEEDS[c].reads, *NEEDS[c].writes)}


def reported(kafka: Kafka, topic: Topic, words: str) -> set[str]:
    """The components that report these words about a topic."""
    return {
        c
        for c, printed in problems(kafka).items()
        if printed is not None and f"{kafka.name(topic)} {words}" in printed
    }


def servers(kafka: Kafka) -> str:
    return kafka.settings.bootstrap_servers or ""


def test_of_topics_as_they_were_made_there_is_nothing_to_say(kafka: Kafka) -> None:
    assert problems(kafka) == dict.fromkeys(COMPONENTS)


def test_every_component_reads_what_distinguishes_the_topics() -> None:
    assert users(META) == set(COMPONENTS)


@pytest.mark.parametrize("topic", [REPORTS, CHANGES], ids=lambda topic: str(topic.name))
def test_a_topic_made_anew_by_kafka_s_own_tool_is_another_one_for_everybody(kafka: Kafka, topic: Topic) -> None:
    before = asyncio.run(read_epochs(kafka))
    make_anew(servers(kafka), kafka.name(topic), topic.partition_count(kafka.lanes))
    now = asyncio.run(read_epochs(kafka))
    assert {name for name in before if before[name] != now[name]} == {topic.name}
    assert now[topic.name].anew
    assert reported(kafka, topic, "was recreated by other means") == users(topic)

    done = [step for step in asyncio.run(apply(kafka)) if step.action == "epoch"]
    assert [step.topic for step in done] == [kafka.name(topic)]
    after = asyncio.run(read_epochs(kafka))
    assert after[topic.name].epoch == now[topic.name].epoch, "who noticed it before is not told a second time"
    assert not after[topic.name].anew
    assert asyncio.run(plan(kafka)) == []
    assert problems(kafka) == dict.fromkeys(COMPONENTS)


def test_a_topic_that_was_deleted_is_missed_by_everybody(kafka: Kafka) -> None:
    operate(servers(kafka), "topics", "--delete", "--topic", kafka.name(REPORTS))
    assert REPORTS.name not in asyncio.run(read_epochs(kafka))
    assert reported(kafka, REPORTS, "is not there: run `catalogizer topics apply`") == users(REPORTS)


@pytest.mark.parametrize("topic", [REPORTS, RAW], ids=lambda topic: str(topic.name))
def test_partitions_that_were_added_are_noticed_by_everybody(kafka: Kafka, topic: Topic) -> None:
    declared = topic.partition_count(kafka.lanes)
    add_partitions(servers(kafka), kafka.name(topic), declared + 3)
    words = f"has {declared + 3} partitions and was declared with {declared}"
    assert reported(kafka, topic, words) == users(topic)
    with pytest.raises(WrongPartitions, match=f"has {declared + 3} partitions, {declared} are required"):
        asyncio.run(apply(kafka))


def test_records_deleted_from_the_change_log_are_reported_where_the_fold_needs_them(
    kafka: Kafka, tmp_path: Path
) -> None:
    write(kafka, *[NewRecord(RAW, b"{}", key=b"home", partition=1) for _ in range(5)])
    delete_records(servers(kafka), tmp_path, kafka.name(RAW), 1, 3)
    assert [component for component, printed in problems(kafka).items() if printed] == []

    def printed(covered: int) -> str | None:
        watch = TopicWatch(kafka, "stream")
        watch.covered = lambda _lane: covered
        asyncio.run(watch.look())
        return watch.problem()

    needed = f"records of {kafka.name(RAW)} were deleted: lane 1 begins at 3, and the fold needs it from 2"
    assert needed in (printed(2) or "")
    assert printed(3) is None
