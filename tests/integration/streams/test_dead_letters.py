"""A poison record holds nothing up; where its letter cannot be written the process ends, and nothing is left out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from runtime.kafka import Kafka
from runtime.lifecycle import SOFTWARE
from schemas.admin import Position
from schemas.analysis import Job
from schemas.codec import encode
from schemas.headers import X_ORIGINAL_OFFSET, find
from schemas.raw import FileState
from schemas.topics import ANALYSIS_JOBS, CHANGES, POSITIONS, RAW, Topic, dlq_of
from streams.projector.replay import positions
from streams.settings import AnalysisSettings, StreamsSettings
from tests.support.committed import Read
from tests.support.letters import limit, shut
from tests.support.operator import Operator
from tests.support.projector_run import Process, Writer, caught_up, history, projecting, until
from tests.support.stream_worker import StreamWorker, working
from tests.support.topic import NewRecord, group_offsets, read, write
from tests.support.waiting import wait_until

SETTINGS = StreamsSettings(analysis=AnalysisSettings(workers=1))
PROMISED_SECONDS = 5.0
POISON = b"{no record"


def job(number: int) -> NewRecord:
    """Of a root that is not here: its result is what shows that it was read."""
    wanted = Job(
        job=f"job-{number}", media_id=5, library="home", root="elsewhere", path="a.mkv", site="main", media_type="video",
        file=FileState(type="file", size=1, mtime_ns=1, dev=1, inode=1),
    )  # fmt: skip
    return NewRecord(ANALYSIS_JOBS, encode(wanted), b"5", 3)


def results(kafka: Kafka) -> list[Read]:
    return [record for record in read(kafka, RAW) if b'"result"' in (record.value or b"")]


def letters(kafka: Kafka, topic: Topic) -> list[Read]:
    return [one for one in read(kafka, dlq_of(topic)) if find(one.headers, X_ORIGINAL_OFFSET) is not None]


def test_poison_delays_the_next_good_job_by_less_than_is_promised(kafka: Kafka, tmp_path: Path) -> None:
    with working(kafka, SETTINGS, tmp_path):
        write(kafka, job(1))
        wait_until(lambda: len(results(kafka)) == 1, 30, what="the first result")
        write(kafka, *[NewRecord(ANALYSIS_JOBS, POISON, b"5", 3)] * 20, job(2))
        wait_until(lambda: len(results(kafka)) == 2, 30, what="the result behind the poison")
    first = read(kafka, ANALYSIS_JOBS)[1]
    assert (first.value, len(letters(kafka, ANALYSIS_JOBS))) == (POISON, 20)
    assert results(kafka)[1].timestamp - first.timestamp < 1000 * PROMISED_SECONDS


def test_poison_delays_the_next_rows_by_less_than_is_promised(kafka: Kafka, migrated: str) -> None:
    async def run() -> None:
        log = history(1, 20)
        log.put(CHANGES, POISON)
        async with projecting(kafka, migrated):
            await caught_up(kafka, migrated)
            await Writer(kafka).write(log.records)
            async with asyncio.timeout(PROMISED_SECONDS):
                await caught_up(kafka, migrated)

    asyncio.run(run())
    assert [letter.value for letter in letters(kafka, CHANGES)] == [POISON]


def _committed(kafka: Kafka) -> int:
    """Where the agent stands in the partition of the jobs."""
    return group_offsets(kafka, kafka.group("streams.main")).get((kafka.name(ANALYSIS_JOBS), 3), 0)


def _folded(kafka: Kafka) -> int:
    """Where the fold stands in lane 0."""
    found = [record for record in read(kafka, POSITIONS) if record.partition == 0]
    return msgspec.json.decode(found[-1].value or b"", type=Position).next_offset if found else 0


@pytest.mark.parametrize(
    ("poison", "good", "stands"),
    [
        (NewRecord(ANALYSIS_JOBS, POISON, b"5", 3), job(1), _committed),
        (NewRecord(RAW, POISON), NewRecord(RAW, b'{"kind":"tick"}'), _folded),
    ],
    ids=["an agent", "the fold"],
)
def test_a_worker_that_cannot_write_a_letter_ends_and_leaves_nothing_out(
    kafka: Kafka, tmp_path: Path, poison: NewRecord, good: NewRecord, stands: Callable[[Kafka], int]
) -> None:
    topic = poison.topic
    shut(kafka, dlq_of(topic))
    worker = StreamWorker(kafka, SETTINGS, tmp_path)
    try:
        write(kafka, poison, good)
        assert worker.wait(60) == SOFTWARE
    finally:
        if worker.died is None:
            worker.kill()
    (said,) = [line for line in worker.log.read_text().splitlines() if "ending hard" in line]
    assert "MessageSizeTooLarge" in said
    assert letters(kafka, topic) == []
    (place,) = [record.offset for record in read(kafka, topic) if record.value == POISON]
    assert stands(kafka) <= place
    limit(kafka, dlq_of(topic), dlq_of(topic).max_message_bytes)
    with working(kafka, SETTINGS, tmp_path):
        wait_until(lambda: stands(kafka) > place + 1, 30, what="what is behind the poison")
    assert [letter.value for letter in letters(kafka, topic)] == [POISON]


def test_a_worker_whose_queue_was_deleted_ends_at_a_poison_record(kafka: Kafka, tmp_path: Path) -> None:
    impatient = Kafka(kafka.settings.model_copy(update={"request_timeout_ms": 3_000}), "test")
    worker = StreamWorker(impatient, SETTINGS, tmp_path)
    try:
        Operator(kafka).delete(dlq_of(RAW))
        write(kafka, NewRecord(RAW, POISON), NewRecord(RAW, b'{"kind":"tick"}'))
        assert worker.wait(60) == SOFTWARE
    finally:
        if worker.died is None:
            worker.kill()
    assert f"there is no {kafka.name(dlq_of(RAW))} for a dead letter" in worker.log.read_text()
    assert _folded(kafka) == 0


def test_a_projector_that_cannot_write_a_letter_ends_and_leaves_nothing_out(kafka: Kafka, migrated: str) -> None:
    shut(kafka, dlq_of(CHANGES))

    async def run() -> None:
        log = history(2, 20)
        log.put(CHANGES, POISON)
        await Writer(kafka).write(log.records)
        with Process(kafka, migrated) as process:
            await until(lambda: _died(process), 30, "the projector to end")
            assert process.died == SOFTWARE
        (place,) = [record.offset for record in read(kafka, CHANGES) if record.value == POISON]
        assert (await positions(migrated)).get((CHANGES.name, 0), 0) <= place
        limit(kafka, dlq_of(CHANGES), dlq_of(CHANGES).max_message_bytes)
        async with projecting(kafka, migrated):
            await caught_up(kafka, migrated)

    asyncio.run(run())
    assert [letter.value for letter in letters(kafka, CHANGES)] == [POISON]


async def _died(process: Process) -> bool:
    return process.died is not None
