"""`tap` shows what an independent `read_committed` reader finds in the requested range, and changes nothing."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import signal
import time
from typing import Any

import pytest

from cli.errors import BadArgument
from cli.provisioning.topics import apply
from cli.up.embedded.kafka import EmbeddedKafka
from runtime.errors import NotProvisioned
from runtime.kafka import Kafka
from schemas.times import iso
from schemas.topics import ANALYSIS_UPDATES, CHANGES, MEDIA_UPDATES, NOTIFICATIONS, SYSTEM_UPDATES, Topic
from tests.support.command import Command
from tests.support.committed import Read
from tests.support.servers import clients
from tests.support.topic import NewRecord, read, write, write_in_transactions


def change(number: int) -> bytes:
    return json.dumps({"kind": "created", "root": "movies" if number % 2 else "music", "n": number}).encode()


@pytest.fixture(scope="module")
def kafka(broker: EmbeddedKafka) -> Kafka:
    """Clients for topics of this file's own; tests that write more use another topic than CHANGES."""
    kafka = clients(broker)
    asyncio.run(apply(kafka))
    return kafka


@pytest.fixture(scope="module")
def written(kafka: Kafka) -> list[Read]:
    """Twelve committed changes in two partitions, aborted ones among them; as an independent reader has them."""
    for number in range(6):
        pair = [(True, NewRecord(CHANGES, change(n), b"home", n % 2)) for n in (2 * number, 2 * number + 1)]
        write_in_transactions(kafka, *pair, (False, NewRecord(CHANGES, b'"aborted"', b"home", number % 2)))
    found = read(kafka, CHANGES)
    assert len(found) == 12
    return found


def places(shown: list[dict[str, Any]]) -> list[tuple[int, int]]:
    return sorted((record["partition"], record["offset"]) for record in shown)


def expected(records: list[Read]) -> list[tuple[int, int]]:
    return sorted((record.partition, record.offset) for record in records)


def tap(kafka: Kafka, topic: Topic, *arguments: str) -> list[dict[str, Any]]:
    return Command(kafka).lines("tap", topic.name, "--json", *arguments)


def test_it_shows_every_committed_record_whole(kafka: Kafka, written: list[Read]) -> None:
    shown = sorted(tap(kafka, CHANGES), key=lambda record: (record["partition"], record["offset"]))
    assert shown == [
        {
            "topic": kafka.name(CHANGES),
            "partition": record.partition,
            "offset": record.offset,
            "timestamp": iso(record.timestamp),
            "key": "home",
            "headers": {},
            "value": json.loads(record.value or b""),
        }
        for record in written
    ]


def test_a_range_is_from_its_first_offset_to_before_its_last(kafka: Kafka, written: list[Read]) -> None:
    shown = tap(kafka, CHANGES, "--from", "1:3", "--until", "1:9")
    assert places(shown) == expected([r for r in written if r.partition == 1 and 3 <= r.offset < 9])


def test_an_offset_counts_in_every_partition(kafka: Kafka, written: list[Read]) -> None:
    assert places(tap(kafka, CHANGES, "--from", "5")) == expected([r for r in written if r.offset >= 5])


def test_only_one_partition_is_shown_on_request(kafka: Kafka, written: list[Read]) -> None:
    assert places(tap(kafka, CHANGES, "--partition", "0")) == expected([r for r in written if r.partition == 0])


def test_the_newest_are_counted_in_records_over_all_partitions(kafka: Kafka, written: list[Read]) -> None:
    newest = sorted(written, key=lambda r: (r.timestamp, r.partition, r.offset))[-5:]
    assert places(tap(kafka, CHANGES, "--from", "last:5")) == expected(newest)
    assert len(tap(kafka, CHANGES, "--from", "last:1000")) == len(written)


def test_a_time_is_the_append_time(kafka: Kafka, written: list[Read]) -> None:
    middle = sorted(record.timestamp for record in written)[6]
    assert places(tap(kafka, CHANGES, "--from", iso(middle))) == expected(
        [r for r in written if r.timestamp >= middle]
    )
    assert places(tap(kafka, CHANGES, "--until", iso(middle))) == expected(
        [r for r in written if r.timestamp < middle]
    )
    assert tap(kafka, CHANGES, "--from", "2100-01-01") == []


def test_only_what_passes_the_filter_is_shown(kafka: Kafka, written: list[Read]) -> None:
    assert {record["value"]["root"] for record in tap(kafka, CHANGES, "--filter", "root=movies")} == {"movies"}
    assert [record["value"]["n"] for record in tap(kafka, CHANGES, "--filter", "root=movies,n=3")] == [3]


def test_an_empty_topic_shows_nothing(kafka: Kafka) -> None:
    assert tap(kafka, SYSTEM_UPDATES) == []


def test_csv_is_read_back(kafka: Kafka, written: list[Read]) -> None:
    rows = list(csv.DictReader(io.StringIO(Command(kafka).output("tap", CHANGES.name, "--format", "csv"))))
    assert sorted((int(row["partition"]), int(row["offset"]), row["value"]) for row in rows) == sorted(
        (record.partition, record.offset, (record.value or b"").decode()) for record in written
    )


def test_what_is_not_json_is_shown_in_base64(kafka: Kafka) -> None:
    write(kafka, NewRecord(MEDIA_UPDATES, b"\xff\x00", b"\xfe"), NewRecord(MEDIA_UPDATES, None, b"k"))
    strange, tombstone = Command(kafka).lines("tap", "media_updates", "--json")
    assert (strange["key_b64"], strange["value_b64"]) == ("/g==", "/wA=")
    assert (tombstone["key"], tombstone["value"]) == ("k", None)


def test_it_follows_until_it_is_interrupted(kafka: Kafka) -> None:
    write(kafka, *(NewRecord(ANALYSIS_UPDATES, change(number)) for number in (10, 11)))
    process = Command(kafka).process("tap", "analysis_updates", "--follow", "--from", "last:1", "--json")
    with process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["value"]["n"] == 11
        write(kafka, NewRecord(ANALYSIS_UPDATES, change(99)))
        assert json.loads(process.stdout.readline())["value"]["n"] == 99
        process.send_signal(signal.SIGINT)
        assert process.wait(15) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_a_reader_that_has_seen_enough_is_fine(kafka: Kafka, written: list[Read]) -> None:
    process = Command(kafka).process("tap", CHANGES.name, "--json", pipesize=4096)
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert (process.wait(30), process.stderr.read()) == (0, "")


def test_a_topic_that_was_never_made_is_named(kafka: Kafka) -> None:
    other = Kafka(kafka.settings.model_copy(update={"topic_prefix": "nobody."}), "test")
    with pytest.raises(NotProvisioned, match=r"nobody\.catalog"):
        Command(other).output("tap", "media_updates")


def test_a_partition_that_is_not_there_is_refused(kafka: Kafka) -> None:
    with pytest.raises(BadArgument, match="no partition 9"):
        Command(kafka).output("tap", "media_updates", "--partition", "9")


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("0:999999999", r"--from: .*:0 ends at \d+, before 999999999; --follow waits for it"),
        ("999999999", r"--from: .*:0 ends at \d+, before 999999999, .*:1 ends at"),
        ("7:0", r"--from: .* has no partition 7 \(read are: 0, 1\)"),
    ],
)
def test_a_start_that_cannot_come_is_refused(kafka: Kafka, written: list[Read], place: str, says: str) -> None:
    with pytest.raises(BadArgument, match=says):
        Command(kafka).output("tap", CHANGES.name, "--from", place)


def test_an_end_beyond_the_log_is_its_end_and_is_noted(kafka: Kafka, written: list[Read]) -> None:
    assert places(tap(kafka, CHANGES, "--until", "999999999")) == expected(written)
    notes = Command(kafka).notes("tap", CHANGES.name, "--until", "0:999999999", "--json")
    assert "note: --until: " in notes
    assert "before 999999999; it ends there" in notes
    with pytest.raises(BadArgument, match="no partition 7"):
        Command(kafka).output("tap", CHANGES.name, "--until", "7:0")


def test_a_time_that_has_not_come_is_noted(kafka: Kafka, written: list[Read]) -> None:
    notes = Command(kafka).notes("tap", CHANGES.name, "--from", "2100-01-01")
    assert "at 2100-01-01T00:00:00.000Z or later" in notes
    assert notes.startswith("note: nothing was appended to ")


@pytest.mark.parametrize("ahead", ["offset", "time"])
def test_a_place_that_has_not_come_is_waited_for_and_nothing_before_it_is_shown(kafka: Kafka, ahead: str) -> None:
    end = sum(1 for _ in read(kafka, NOTIFICATIONS))
    at = int(time.time() * 1000) + 3_000
    place = f"0:{end + 2}" if ahead == "offset" else iso(at)
    process = Command(kafka).process("tap", "notifications", "--follow", "--from", place, "--json")
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stderr.readline().startswith("note: waiting for ")
        write(kafka, *(NewRecord(NOTIFICATIONS, change(number)) for number in (20, 21)))
        while ahead == "time" and int(time.time() * 1000) <= at:
            pass
        write(kafka, NewRecord(NOTIFICATIONS, change(22)))
        shown = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        assert process.wait(15) == 0
    come = [
        r for r in read(kafka, NOTIFICATIONS) if (r.offset >= end + 2 if ahead == "offset" else r.timestamp >= at)
    ]
    assert (shown["offset"], shown["value"]["n"] == 22 or ahead == "time") == (come[0].offset, True)
