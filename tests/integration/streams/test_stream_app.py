"""The Faust application without Faust's dangerous defaults, on a real broker."""

from __future__ import annotations

import socket
from pathlib import Path

from runtime.kafka import Kafka
from schemas.topics import ANALYSIS_JOBS, REPORTS, dlq_of
from streams.settings import AnalysisSettings, StreamsSettings
from tests.support.stream_worker import StreamWorker, working
from tests.support.topic import Said, group_offsets, header, read, write, write_in_transactions
from tests.support.waiting import wait_until

SETTINGS = StreamsSettings(analysis=AnalysisSettings(workers=1))


def letters(kafka: Kafka) -> list[bytes | None]:
    return [record.value for record in read(kafka, dlq_of(ANALYSIS_JOBS))]


def test_no_agent_sees_what_was_aborted_and_markers_do_not_stop_its_commits(kafka: Kafka, tmp_path: Path) -> None:
    with working(kafka, SETTINGS, tmp_path):
        write_in_transactions(
            kafka,
            (True, Said(ANALYSIS_JOBS, b"first, no job")),
            *[(False, Said(ANALYSIS_JOBS, b"aborted"))] * 3,
            (True, Said(ANALYSIS_JOBS, b"last, no job")),
        )
        wait_until(lambda: letters(kafka)[-1:] == [b"last, no job"], 20, what="the last job's letter")
        assert letters(kafka) == [b"first, no job", b"last, no job"]
        group = kafka.group("streams.main")
        wait_until(
            lambda: group_offsets(kafka, group).get((kafka.name(ANALYSIS_JOBS), 0)) == 9, 10, what="the commit"
        )


def test_a_poison_record_is_put_aside_whole_and_the_next_is_read(kafka: Kafka, tmp_path: Path) -> None:
    poison = [None, b"", b"\xff\xfe", b"[]", b'{"job":1}', b"{" * 100_000]
    with working(kafka, SETTINGS, tmp_path):
        write(kafka, *(Said(ANALYSIS_JOBS, value, b"5", 3, (("type", b"x"),)) for value in poison))
        wait_until(lambda: len(letters(kafka)) == len(poison), 20, what="all letters")
    records = sorted(
        read(kafka, dlq_of(ANALYSIS_JOBS)), key=lambda record: int(header(record, "x-original-offset"))
    )
    assert [record.value for record in records] == poison
    assert [header(record, "x-original-offset") for record in records] == [str(n) for n in range(len(poison))]
    assert {
        (record.key, header(record, "x-original-partition"), header(record, "type")) for record in records
    } == {(b"5", "3", "x")}
    assert all(header(record, "x-exception-type") == "Undecodable" for record in records)


def test_an_unknown_version_is_put_aside(kafka: Kafka, tmp_path: Path) -> None:
    schema = ("ce_dataschema", b"urn:catalogizer:schema:system_report:2")
    with working(kafka, SETTINGS, tmp_path):
        write(kafka, Said(REPORTS, b"{}", b"x", 0, (schema,)))
        wait_until(lambda: len(read(kafka, dlq_of(REPORTS))) == 1, 20, what="the letter")
    assert header(read(kafka, dlq_of(REPORTS))[0], "x-exception-type") == "UnknownVersion"


def test_faust_serves_no_port_and_makes_no_topic(kafka: Kafka, tmp_path: Path) -> None:
    before = topics_of(kafka)
    with working(kafka, SETTINGS, tmp_path) as worker, socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", 6066)) != 0
        assert listening(worker.pid) == []
    assert topics_of(kafka) == before


def test_a_second_worker_of_the_same_slot_is_refused_in_one_line(kafka: Kafka, tmp_path: Path) -> None:
    with working(kafka, SETTINGS, tmp_path) as first:
        second = StreamWorker(kafka, SETTINGS, tmp_path, wait=False)
        wait_until(lambda: second.died is not None, 20, what="the refusal")
        assert first.died is None
        assert "slot 0 is taken by another stream worker" in second.log.read_text()


def test_a_worker_ends_cleanly_in_time_also_while_it_starts(kafka: Kafka, tmp_path: Path) -> None:
    worker = StreamWorker(kafka, SETTINGS, tmp_path, wait=False)
    wait_until(lambda: (tmp_path / "streams" / "0.lock").exists(), 20, what="the slot to be held")
    assert worker.end(8) == 0, worker.log.read_text()
    with working(kafka, SETTINGS, tmp_path):
        pass


def topics_of(kafka: Kafka) -> set[str]:
    from confluent_kafka.admin import AdminClient

    listed = (
        AdminClient({"bootstrap.servers": kafka.settings.bootstrap_servers or ""}).list_topics(timeout=10).topics
    )
    return {name for name in listed if name.startswith(kafka.settings.topic_prefix)}


def listening(pid: int) -> list[int]:
    import psutil

    connections = psutil.Process(pid).net_connections("inet")
    return [connection.laddr.port for connection in connections if connection.status == psutil.CONN_LISTEN]
