"""Whatever an operator does to the fold's group with Kafka's own tool: nothing is twice, nothing is skipped, and it
goes on. And a change log that is not the one the position belongs to stops the lane instead of being folded."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cli.up.kafka_tools import kafka_tool
from runtime.kafka import Kafka
from schemas import topics
from schemas.codec import encode
from streams.library.service import GROUP
from tests.support.committed import read_all
from tests.support.fold_run import Feeder, Worker, drained, verdict, wait_live
from tests.support.waiting import wait_until


def reset_words(how: str, kafka: Kafka) -> tuple[str, ...]:
    """The words of kafka-consumer-groups."""
    group = ("--group", kafka.group(GROUP))
    if how == "delete":
        return (*group, "--delete")
    return (*group, "--topic", kafka.name(topics.RAW), "--reset-offsets", how, "--execute")


@pytest.mark.parametrize("how", ["--to-earliest", "--to-latest", "delete"])
def test_a_reset_of_the_group_repeats_nothing_and_skips_nothing(how: str, log: Kafka, tmp_path: Path) -> None:
    bootstrap = log.settings.bootstrap_servers or ""
    feeder = Feeder(log, seed=3)
    worker = Worker(log, "a", tmp_path)
    asyncio.run(feeder.run(200))
    drained(log, bootstrap, [worker])
    assert worker.end() == 0
    before = verdict(log, bootstrap)
    wait_until(lambda: _is_empty(log), 15, what="the group to be empty")

    done = kafka_tool("consumer-groups", "--bootstrap-server", bootstrap, *reset_words(how, log))
    assert done.returncode == 0, done.stdout + done.stderr

    worker = Worker(log, "a", tmp_path)
    asyncio.run(feeder.run(200))
    drained(log, bootstrap, [worker])
    assert worker.end() == 0
    assert verdict(log, bootstrap) > before


def _is_empty(log: Kafka) -> bool:
    words = ("--bootstrap-server", log.settings.bootstrap_servers or "", "--describe", "--state")
    done = kafka_tool("consumer-groups", *words, "--group", log.group(GROUP))
    return "Empty" in done.stdout


def test_a_position_of_another_log_stops_the_lane(log: Kafka, tmp_path: Path) -> None:
    async def foreign_position() -> None:
        producer = log.producer()
        await producer.start()
        for lane in range(log.lanes):
            position = {
                "lane": lane, "epoch": "of-another-log", "next_offset": 0, "fold_version": 1, "at": "x",
                "counters": {"changes": 0, "media_updates": 0, "analysis_updates": 0},
            }  # fmt: skip
            await producer.send_and_wait(log.name(topics.POSITIONS), encode(position), partition=lane)
        await producer.stop()

    asyncio.run(foreign_position())
    worker = Worker(log, "a", tmp_path)
    wait_until(
        lambda: [state for state, _ in worker.lanes.values()] == ["stopped"] * log.lanes, 20, what="the lanes to stop"
    )
    asyncio.run(Feeder(log, seed=4).run(50))
    assert worker.end() == 0
    for lane in range(log.lanes):
        assert read_all(log.settings.bootstrap_servers or "", log.name(topics.CHANGES), lane) == []


def test_an_undecodable_record_goes_to_the_queue_in_the_same_transaction(log: Kafka, tmp_path: Path) -> None:
    bootstrap = log.settings.bootstrap_servers or ""
    worker = Worker(log, "a", tmp_path)
    wait_live([worker], log.lanes)
    poison = [b"not json", b'{"kind":"observed"}', b"\xff\xfe", b'{"kind":"tick"}' + b" " * 70_000]

    async def write() -> None:
        producer = log.producer()
        await producer.start()
        for value in poison:
            await producer.send_and_wait(log.name(topics.RAW), value, key=b"home", partition=0)
        await producer.stop()

    asyncio.run(write())
    asyncio.run(Feeder(log, seed=5).run(50))
    drained(log, bootstrap, [worker])
    assert worker.end() == 0
    assert verdict(log, bootstrap) > 50
    letters = read_all(bootstrap, log.name(topics.dlq_of(topics.RAW)), 0)
    assert [letter.value for letter in letters] == poison
    assert [dict(letter.headers)["x-original-offset"] for letter in letters] == [b"0", b"1", b"2", b"3"]
