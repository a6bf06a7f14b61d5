"""Whatever an operator does to the fold's group with Kafka's own tool: nothing is twice, nothing is skipped, and
it goes on. A change log that is not the one the position belongs to stops the lane instead of being folded."""

from __future__ import annotations

import asyncio
import json

from confluent_kafka import ConsumerGroupState
from confluent_kafka.admin import AdminClient

from runtime.kafka import Kafka
from runtime.lifecycle import USAGE
from schemas import topics
from schemas.codec import encode
from schemas.headers import MAX_DEAD_BYTES
from streams.library.service import GROUP
from tests.support.committed import read_all
from tests.support.fold_run import Feeder, Workers, drained, verdict, wait_live
from tests.support.kafka_tools import kafka_tool
from tests.support.waiting import wait_until


def reset_words(how: str, kafka: Kafka) -> tuple[str, ...]:
    """The words of kafka-consumer-groups."""
    group = ("--group", kafka.group(GROUP))
    if how == "delete":
        return (*group, "--delete")
    return (*group, "--topic", kafka.name(topics.RAW), "--reset-offsets", how, "--execute")


def test_resets_of_the_group_repeat_nothing_and_skip_nothing(kafka: Kafka, workers: Workers) -> None:
    bootstrap = kafka.settings.bootstrap_servers or ""
    feeder = Feeder(kafka, seed=3)
    total = 0
    for how in (None, "--to-earliest", "--to-latest", "delete"):
        if how is not None:
            done = kafka_tool("consumer-groups", "--bootstrap-server", bootstrap, *reset_words(how, kafka))
            assert done.returncode == 0, done.stdout + done.stderr
        worker = workers("a")
        asyncio.run(feeder.run(150))
        drained(kafka, bootstrap, [worker])
        assert worker.end() == 0
        before, total = total, verdict(kafka, bootstrap)
        assert total > before
        wait_until(lambda: _is_empty(kafka), 15, what="the group to be empty")


def _is_empty(kafka: Kafka) -> bool:
    admin = AdminClient({"bootstrap.servers": kafka.settings.bootstrap_servers or ""})
    told = admin.describe_consumer_groups([kafka.group(GROUP)])[kafka.group(GROUP)].result(10)
    return bool(told.state == ConsumerGroupState.EMPTY)


def test_a_position_of_another_log_stops_the_lane(kafka: Kafka, workers: Workers) -> None:
    counters = {"changes": 0, "media_updates": 0, "analysis_updates": 0}
    foreign = {"epoch": "of-another-log", "next_offset": 0, "fold_version": 1, "at": "x", "counters": counters}
    put_positions(kafka, {lane: {"lane": lane, **foreign} for lane in range(kafka.lanes)})
    worker = workers("a")
    wait_until(
        lambda: [state for state, _ in worker.lanes.values()] == ["stopped"] * kafka.lanes,
        20,
        what="the lanes to stop",
    )
    asyncio.run(Feeder(kafka, seed=4).run(50))
    assert worker.end() == 0
    for lane in range(kafka.lanes):
        assert read_all(kafka.settings.bootstrap_servers or "", kafka.name(topics.CHANGES), lane) == []


def test_an_undecodable_record_goes_to_the_queue_in_the_same_transaction(kafka: Kafka, workers: Workers) -> None:
    bootstrap = kafka.settings.bootstrap_servers or ""
    worker = workers("a")
    wait_live([worker], kafka.lanes)
    poison = [
        b"not json",
        b'{"kind":"observed"}',
        b"\xff\xfe",
        b'{"kind":"tick"}' + b" " * 70_000,
        b"x" * 1_000_000,
    ]

    async def write() -> None:
        producer = kafka.producer()
        await producer.start()
        for value in poison:
            await producer.send_and_wait(kafka.name(topics.RAW), value, key=b"home", partition=0)
        await producer.stop()

    asyncio.run(write())
    asyncio.run(Feeder(kafka, seed=5).run(50))
    drained(kafka, bootstrap, [worker])
    assert worker.end() == 0
    assert verdict(kafka, bootstrap) > 50
    letters = read_all(bootstrap, kafka.name(topics.dlq_of(topics.RAW)), 0)
    assert [letter.value for letter in letters] == [*poison[:4], poison[4][:MAX_DEAD_BYTES]]
    assert [dict(letter.headers)["x-original-offset"] for letter in letters] == [b"%d" % n for n in range(5)]
    assert dict(letters[4].headers)["x-original-size"] == b"1000000"


def test_a_log_that_other_rules_have_folded_is_refused_by_the_whole_worker_and_nothing_is_written(
    kafka: Kafka, workers: Workers
) -> None:
    bootstrap = kafka.settings.bootstrap_servers or ""
    worker = workers("a")
    asyncio.run(Feeder(kafka, seed=6).run(50))
    drained(kafka, bootstrap, [worker])
    assert worker.end() == 0
    written = [len(read_all(bootstrap, kafka.name(topics.CHANGES), lane)) for lane in range(kafka.lanes)]
    own = {lane: read_all(bootstrap, kafka.name(topics.POSITIONS), lane)[-1].value for lane in range(kafka.lanes)}
    put_positions(kafka, {lane: {**json.loads(value or b""), "rules": "of-others"} for lane, value in own.items()})
    refused = workers("a")
    wait_until(lambda: refused.died is not None, 30, what="the worker to end")
    assert refused.died == USAGE
    assert [len(read_all(bootstrap, kafka.name(topics.CHANGES), lane)) for lane in range(kafka.lanes)] == written
    put_positions(kafka, {lane: json.loads(value or b"") for lane, value in own.items()})
    again = workers("a")
    asyncio.run(Feeder(kafka, seed=7).run(50))
    drained(kafka, bootstrap, [again])
    assert again.end() == 0


def put_positions(kafka: Kafka, positions: dict[int, dict[str, object]]) -> None:
    async def put() -> None:
        producer = kafka.producer()
        await producer.start()
        for lane, position in positions.items():
            await producer.send_and_wait(
                kafka.name(topics.POSITIONS), encode(position), key=b"%d" % lane, partition=lane
            )
        await producer.stop()

    asyncio.run(put())
