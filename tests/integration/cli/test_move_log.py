"""A moved log is the same log: each record has its offset, time, key, value and headers, each partition its beginning and
end, each topic its epoch and configuration, each group its offsets. Until a copy is complete nobody can use it."""

from __future__ import annotations

import asyncio
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from aiokafka import TopicPartition

from cli.moving.errors import Different, Disturbed, NotEmpty, OtherCopy
from cli.moving.moving import Moved, move
from cli.moving.target import prepare
from cli.moving.writing import ends_reader
from cli.progress import Stages
from cli.provisioning.topics import IncompleteCopy, administration, apply, existing_topics, plan
from cli.up.embedded.kafka import EmbeddedKafka
from cli.up.ports import free_port
from runtime.epochs import TopicLife, read_epochs
from runtime.kafka import Kafka
from runtime.log_reading import bounds
from schemas import topics
from tests.support import moving
from tests.support.committed import read_all
from tests.support.moving import LARGE, committed, invent, log_of
from tests.support.servers import clients, delete_topics
from tests.support.waiting import wait_until

SHOW = Stages(hidden=True)


@pytest.fixture(scope="module")
def both(kafka_jars: tuple[Path, ...], tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[EmbeddedKafka]]:
    """Two brokers. As the command starts the source, neither removes anything: the invented times are long ago."""
    folder = tmp_path_factory.mktemp("both")
    servers = [EmbeddedKafka(folder / name, free_port(), kafka_jars, still=True) for name in ("here", "there")]
    try:
        for server in servers:
            server.prepare()
            server.start()
        for server in servers:
            server.wait_ready()
        yield servers
    finally:
        for server in servers:
            server.kill()


@pytest.fixture
def source(both: list[EmbeddedKafka]) -> Iterator[Kafka]:
    """Clients of a log that is not made yet."""
    kafka = clients(both[0])
    yield kafka
    delete_topics(both[0], kafka.settings.topic_prefix)


@pytest.fixture
def target(both: list[EmbeddedKafka], source: Kafka) -> Iterator[Kafka]:
    """Clients of the other broker, under another prefix."""
    prefix = f"moved{secrets.token_hex(4)}."
    given = {"bootstrap_servers": both[1].bootstrap_servers, "topic_prefix": prefix}
    yield Kafka(source.settings.model_copy(update=given), "test")
    delete_topics(both[1], prefix)


def moved(source: Kafka, target: Kafka, *, again: bool = False) -> Moved:
    return asyncio.run(move(source, target, SHOW, lambda: None, again=again))


def epochs(kafka: Kafka) -> dict[str, TopicLife]:
    """Of what is copied."""
    found = asyncio.run(read_epochs(kafka))
    return {name: life for name, life in found.items() if name != topics.META.name}


async def configs(kafka: Kafka) -> dict[str, dict[str, str]]:
    async with administration(kafka) as admin:
        return {kafka.topic(name).name: t.config for name, t in (await existing_topics(kafka, admin)).items()}


def is_same(source: Kafka, target: Kafka) -> bool:
    """Whether the target is the source's log, and is used as such by the platform."""
    ours, theirs = log_of(source), log_of(target)
    assert theirs.bounds.items() ^ ours.bounds.items() == set()
    assert [name for name, records in ours.records.items() if theirs.records[name] != records] == []
    assert epochs(target) == epochs(source)
    assert asyncio.run(committed(target)) == asyncio.run(committed(source))
    assert asyncio.run(plan(target)) == []
    asyncio.run(apply(source))  # the invented histories needed other configurations
    declared, there = asyncio.run(configs(source)), asyncio.run(configs(target))
    compact = {topic.name for topic in topics.ALL_TOPICS if topic.cleanup == "compact"}
    for name in compact:
        declared[name].pop("retention.ms", None)
    assert there == declared
    return True


@pytest.mark.parametrize("seed", [1])
def test_every_kind_of_history_is_the_same_at_the_new_brokers(source: Kafka, target: Kafka, seed: int) -> None:
    asyncio.run(invent(source, seed, steps=150))
    before = log_of(source)
    written = [record for records in before.records.values() for record in records]
    assert any(len(record.value or b"") == LARGE for record in written)
    assert any(begin == end > 0 for begin, end in before.bounds.values())

    done = moved(source, target)

    assert done.compared == len(written)
    assert done.transactions > 0
    assert log_of(source) == before
    assert is_same(source, target)


def test_a_copy_that_was_killed_is_used_by_nobody_and_goes_on(source: Kafka, target: Kafka) -> None:
    asyncio.run(invent(source, 3, steps=20, transactions=150))
    before = log_of(source)
    argv = [sys.executable, "-m", moving.__name__, *(k.settings.model_dump_json() for k in (source, target))]
    for part in (0.2, 0.6):
        process = subprocess.Popen(argv)
        wait_until(partial(_has_copied, target, before, part), 60, what="a part of the copy", every=0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert 0 < _copied(target, before) < 1, "it was killed in the middle"
        assert epochs(target) == {}
        with pytest.raises(IncompleteCopy, match="incomplete copy: repeat the `catalogizer move-log`"):
            asyncio.run(apply(target))
        with pytest.raises(IncompleteCopy):
            asyncio.run(plan(target))

    done = moved(source, target)

    assert done.continued
    assert done.records < done.compared
    assert log_of(source) == before
    assert is_same(source, target)


def _has_copied(target: Kafka, log: moving.Log, part: float) -> bool:
    return _copied(target, log) > part


def _copied(target: Kafka, log: moving.Log) -> float:
    """The part of the log's offsets that the target has."""
    whole = sum(end for _, end in log.bounds.values())
    return asyncio.run(_ends(target)) / whole


async def _ends(target: Kafka) -> int:
    async with administration(target) as admin:
        found = await existing_topics(target, admin)
    partitions = [
        TopicPartition(name, n)
        for name, t in found.items()
        if not name.endswith(topics.META.name)
        for n in range(t.partitions)
    ]
    async with ends_reader(target, partitions) as consumer:
        return sum((await bounds(consumer, partitions)).end.values())


def test_a_topic_with_records_is_not_overwritten(source: Kafka, target: Kafka) -> None:
    asyncio.run(invent(source, 4, steps=5))
    moved(source, target)
    before, lives = log_of(target), epochs(target)

    for again in (False, True):
        with pytest.raises(NotEmpty, match="is not empty"):
            moved(source, target, again=again)

    assert (log_of(target), epochs(target)) == (before, lives)


def test_empty_topics_are_taken_as_they_are(source: Kafka, target: Kafka) -> None:
    asyncio.run(invent(source, 5, steps=5))
    asyncio.run(apply(target))
    others = epochs(target)

    assert not moved(source, target).continued

    assert epochs(target) != others
    assert is_same(source, target)


def test_the_copy_of_another_log_is_not_continued_but_deleted_on_request(source: Kafka, target: Kafka) -> None:
    asyncio.run(invent(source, 6, steps=5))
    asyncio.run(prepare(target, "another log", again=False))
    asyncio.run(_append(target, topics.CHANGES))
    withdrawn = {read.key for read in read_all(target.settings, target.name(topics.META), 0) if read.value is None}
    assert withdrawn == {topic.name.encode() for topic in topics.ALL_TOPICS}

    with pytest.raises(OtherCopy, match="--again"):
        moved(source, target)
    assert epochs(target) == {}

    assert not moved(source, target, again=True).continued
    assert is_same(source, target)


def test_what_else_was_written_into_a_copy_is_found(source: Kafka, target: Kafka) -> None:
    asyncio.run(invent(source, 7, steps=40))
    log = epochs(source)[topics.RAW.name].epoch
    asyncio.run(prepare(target, log, again=False))
    asyncio.run(_append(target, topics.RAW))

    with pytest.raises((Different, Disturbed, OtherCopy), match=f"topic {target.name(topics.RAW)}, partition 0"):
        moved(source, target)

    assert epochs(target) == {}
    moved(source, target, again=True)
    assert is_same(source, target)


async def _append(kafka: Kafka, topic: topics.Topic) -> None:
    producer = kafka.producer()
    await producer.start()
    await producer.send_and_wait(kafka.name(topic), b"foreign", key=b"k", partition=0)
    await producer.stop()
