"""The Faust application without Faust's dangerous defaults, on a real broker."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from confluent_kafka.admin import AdminClient

from cli.up.embedded.kafka import EmbeddedKafka
from runtime.kafka import Kafka
from schemas.headers import MAX_DEAD_BYTES
from schemas.topics import ALL_TOPICS, ANALYSIS_JOBS, REPORTS, Topic, dlq_of
from streams.settings import AnalysisSettings, StreamsSettings
from tests.support.committed import Read
from tests.support.stream_worker import Shared, StreamWorker, shared, working
from tests.support.topic import NewRecord, group_offsets, header, read, write, write_in_transactions
from tests.support.waiting import wait_until

SETTINGS = StreamsSettings(analysis=AnalysisSettings(workers=1))


@pytest.fixture(scope="module")
def running(broker: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    with shared(broker, SETTINGS, tmp_path_factory.mktemp("worker")) as running:
        yield running


def letters(kafka: Kafka, topic: Topic, partition: int) -> list[Read]:
    """Dead letters of one partition in the order of their records."""
    found = [r for r in read(kafka, dlq_of(topic)) if header(r, "x-original-partition") == str(partition)]
    return sorted(found, key=lambda record: int(header(record, "x-original-offset")))


def test_no_agent_sees_what_was_aborted_and_markers_do_not_stop_its_commits(running: Shared) -> None:
    kafka = running.kafka
    write_in_transactions(
        kafka,
        (True, NewRecord(ANALYSIS_JOBS, b"first, no job")),
        *[(False, NewRecord(ANALYSIS_JOBS, b"aborted"))] * 3,
        (True, NewRecord(ANALYSIS_JOBS, b"last, no job")),
    )
    wait_until(lambda: len(letters(kafka, ANALYSIS_JOBS, 0)) == 2, 30, what="the letters of what was committed")
    offsets = [header(letter, "x-original-offset") for letter in letters(kafka, ANALYSIS_JOBS, 0)]
    assert offsets == ["0", "8"]
    place, group = (kafka.name(ANALYSIS_JOBS), 0), kafka.group("streams.main")
    # 8 is the last record's, 9 the end of its transaction: at rest nothing is left, as others see it too
    wait_until(lambda: group_offsets(kafka, group).get(place) == 10, 20, what="the commit of the end")


def test_a_poison_record_is_put_aside_whole_and_the_next_is_read(running: Shared) -> None:
    poison = [None, b"", b"\xff\xfe", b"[]", b'{"job":1}', b"{" * 100_000, b"x" * 1_000_000]
    write(running.kafka, *(NewRecord(ANALYSIS_JOBS, value, b"5", 3, (("type", b"x"),)) for value in poison))
    wait_until(lambda: len(letters(running.kafka, ANALYSIS_JOBS, 3)) == len(poison), 30, what="all letters")
    found = letters(running.kafka, ANALYSIS_JOBS, 3)
    assert [letter.value for letter in found] == [
        None if value is None else value[:MAX_DEAD_BYTES] for value in poison
    ]
    assert {(letter.key, header(letter, "type"), header(letter, "x-exception-type")) for letter in found} == {
        (b"5", "x", "Undecodable")
    }


def test_an_unknown_version_is_put_aside(running: Shared) -> None:
    schema = ("ce_dataschema", b"urn:catalogizer:schema:system_report:2")
    write(running.kafka, NewRecord(REPORTS, b"{}", b"x", 0, (schema,)))
    wait_until(lambda: len(letters(running.kafka, REPORTS, 0)) == 1, 30, what="the letter")
    assert header(letters(running.kafka, REPORTS, 0)[0], "x-exception-type") == "UnknownVersion"


def test_faust_serves_no_port_and_makes_no_topic(running: Shared) -> None:
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", 6066)) != 0
    connections = psutil.Process(running.worker.pid).net_connections("inet")
    assert [connection for connection in connections if connection.status == psutil.CONN_LISTEN] == []
    settings = running.kafka.settings
    listed = AdminClient({"bootstrap.servers": settings.bootstrap_servers or ""}).list_topics(timeout=10).topics
    ours = {name for name in listed if name.startswith(settings.topic_prefix)}
    assert ours == {running.kafka.name(topic) for topic in ALL_TOPICS}


def test_a_second_worker_of_the_same_state_folder_takes_a_slot_of_its_own(running: Shared) -> None:
    with working(running.kafka, SETTINGS, running.folder):
        assert running.worker.died is None
        names = {(running.folder / "streams" / slot / "member").read_text() for slot in ("0", "1")}
        assert len(names) == 2


def test_a_worker_ends_cleanly_in_time_also_while_it_starts(kafka: Kafka, tmp_path: Path) -> None:
    lock = tmp_path / "streams" / "0.lock"
    for seconds in (0.0, 0.1, 0.2, 0.3, 0.5, 0.8):
        lock.unlink(missing_ok=True)
        worker = StreamWorker(kafka, SETTINGS, tmp_path, wait=False)
        try:
            wait_until(lock.exists, 40, what="the slot to be held")
            time.sleep(seconds)
            assert worker.end(10) == 0, worker.log.read_text()
        finally:
            if worker.died is None:
                worker.kill()
    with working(kafka, SETTINGS, tmp_path):
        pass
