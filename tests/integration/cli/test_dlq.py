"""`dlq`: a record goes back as it was, once; one of the change log becomes a scan; what is discarded is open no longer."""

from __future__ import annotations

import asyncio
import signal

import msgspec
import pytest

from cli.errors import BadArgument
from runtime.dlq.errors import LedgerTaken
from runtime.dlq.ledger import opened
from runtime.dlq.redriving import redrive
from runtime.kafka import Kafka
from schemas.admin import Control, RescanRoot
from schemas.headers import MAX_DEAD_BYTES
from schemas.topics import ANALYSIS_JOBS, CHANGES, CONTROL, GUARDED, MEDIA_UPDATES, RAW, REPORTS, dlq_of
from tests.support.command import Command
from tests.support.committed import Read
from tests.support.letters import all_open, bury, killed_redrive
from tests.support.topic import NewRecord, read, write, write_in_transactions

HOSTILE = (
    NewRecord(
        ANALYSIS_JOBS, b"\x00\xff\x1b[2J", None, 3, (("type", b"x"), ("type", b"y"), ("x-original-topic", b"\xff"))
    ),
    NewRecord(ANALYSIS_JOBS, None, b"5", 0, ()),
    NewRecord(ANALYSIS_JOBS, b"", b"\xfe", 3, (("x-original-size", b"7"), ("empty", b""))),
    NewRecord(ANALYSIS_JOBS, b"y" * MAX_DEAD_BYTES, b"5", 3, (("traceparent", b"t"), ("x-letter", b"1"))),
)


def parts(record: Read) -> tuple[object, ...]:
    return record.partition, record.key, record.value, record.headers


def test_records_go_back_byte_for_byte_and_once(kafka: Kafka) -> None:
    write(kafka, *HOSTILE)
    before = read(kafka, ANALYSIS_JOBS)
    bury(kafka, *before)
    redrive, command = ("dlq", "redrive", ANALYSIS_JOBS.name), Command(kafka)
    planned = command.json(*redrive, "--all")
    assert [(one["does"], one["done"]) for one in planned] == [("write_back", False)] * 4
    assert read(kafka, ANALYSIS_JOBS) == before
    done = command.json(*redrive, "--all", "--execute")
    assert [one["done"] for one in done] == [True] * 4
    for _ in range(2):
        after = read(kafka, ANALYSIS_JOBS)
        assert sorted(map(repr, map(parts, after))) == sorted(map(repr, map(parts, 2 * before)))
        assert command.json(*redrive, "--all", "--execute") == []
        again = command.json(*redrive, *(str(one["letter"]) for one in done), "--execute")
        assert {one["why"] for one in again} == {"was redriven already"}
    assert command.json("dlq", "list", ANALYSIS_JOBS.name) == []


@pytest.mark.parametrize("point", ["before_send", "before_commit", "after_commit"])
def test_a_command_that_is_killed_at_a_letter_leaves_it_open_or_redriven_and_never_twice(
    kafka: Kafka, point: str
) -> None:
    write(kafka, NewRecord(ANALYSIS_JOBS, b"one", b"5", 3), NewRecord(ANALYSIS_JOBS, b"two", b"5", 3))
    before = read(kafka, ANALYSIS_JOBS)
    bury(kafka, *before)
    assert killed_redrive(kafka, ANALYSIS_JOBS, point) == -signal.SIGKILL
    left = Command(kafka).json("dlq", "redrive", ANALYSIS_JOBS.name, "--all", "--execute")
    assert len(left) == (1 if point == "after_commit" else 2)
    assert [parts(record) for record in read(kafka, ANALYSIS_JOBS)] == [parts(record) for record in 2 * before]


def test_who_begins_later_has_the_queue_and_the_other_one_writes_nothing_more(kafka: Kafka) -> None:
    write(kafka, NewRecord(ANALYSIS_JOBS, b"one", b"5", 3))
    bury(kafka, *read(kafka, ANALYSIS_JOBS))

    async def main() -> None:
        async with (
            opened(kafka, ANALYSIS_JOBS, "first") as first,
            opened(kafka, ANALYSIS_JOBS, "second") as second,
        ):
            with pytest.raises(LedgerTaken):
                await first.close(first.letters, "discarded", "first")
            await second.close(second.letters, "discarded", "second")

    asyncio.run(main())
    (letter,) = Command(kafka).json("dlq", "list", ANALYSIS_JOBS.name, "--closed")
    assert letter["reason"] == "second"


def test_a_mark_behind_the_open_transaction_of_another_writer_is_waited_for(kafka: Kafka) -> None:
    write(kafka, NewRecord(CHANGES, b"{", b"home", 1))
    bury(kafka, *read(kafka, CHANGES))

    async def main() -> None:
        other = kafka.transactional_producer("another")
        await other.start()
        try:
            async with opened(kafka, CHANGES, "me") as ledger:
                await other.begin_transaction()
                await other.send_and_wait(kafka.name(dlq_of(CHANGES)), b"of the fold", partition=0)
                await ledger.close(ledger.letters, "redriven", "")
            again = asyncio.create_task(redrive(kafka, all_open(CHANGES)))
            done, _ = await asyncio.wait({again}, timeout=1)
            assert not done
            await other.abort_transaction()
            assert await again == []
        finally:
            await other.stop()

    asyncio.run(main())


def test_a_record_with_two_letters_goes_back_once_and_a_letter_of_it_that_comes_later_is_closed(
    kafka: Kafka,
) -> None:
    write(kafka, NewRecord(CHANGES, b"{", b"home", 1))
    (record,) = read(kafka, CHANGES)
    bury(kafka, record, record)
    done = Command(kafka).json("dlq", "redrive", CHANGES.name, "--all", "--execute")
    assert [one["does"] for one in done] == ["write_back", "nothing"]
    bury(kafka, record)
    assert Command(kafka).json("dlq", "list", CHANGES.name) == []
    assert len(read(kafka, CHANGES)) == 2


def test_what_was_shortened_cannot_go_back_and_stays_open(kafka: Kafka) -> None:
    write(kafka, NewRecord(ANALYSIS_JOBS, b"x" * (MAX_DEAD_BYTES + 1), b"5", 3))
    (offset,) = bury(kafka, *read(kafka, ANALYSIS_JOBS))
    code, out = Command(kafka).ended("dlq", "redrive", ANALYSIS_JOBS.name, str(offset), "--execute")
    assert (code, out) == (1, f"{offset}: only the first 400000 of its 400001 bytes are kept\n")
    (letter,) = Command(kafka).json("dlq", "list", ANALYSIS_JOBS.name)
    assert (letter["state"], letter["cut"], letter["size"]) == ("open", True, MAX_DEAD_BYTES + 1)


def test_of_the_change_log_a_scan_is_requested_and_nothing_is_written_there(kafka: Kafka) -> None:
    values = [
        b'{"kind":"observed","root":"movies","path":"A/../b.mkv"}',
        b'{"kind":"observed","root":"movies","path":"A/one.mkv","seq":"x"}',
        b'{"kind":"observed","root":"movies","path":"A/two.mkv","seq":"x"}',
        b'{"kind":"moved","root":"movies","path":"A/B/x","from_path":"A/C/y"}',
        b'{"kind":"observed","root":"music","path":"x","path_b64":"Y2Fm6S94"}',
        b'{"kind":"result","root":"movies"}',
        b"no json",
    ]
    write(kafka, *(NewRecord(RAW, value, b"home", 0) for value in values))
    letters = bury(kafka, *read(kafka, RAW))
    for _ in range(2):
        done = Command(kafka).json("dlq", "redrive", RAW.name, "--all", "--execute")
    assert [one["does"] for one in done] == ["nothing"] * 2
    assert [one["letter"] for one in done] == [letters[5], letters[6]]
    assert len(read(kafka, RAW)) == len(values)
    requested = [msgspec.json.decode(record.value or b"", type=Control) for record in read(kafka, CONTROL)]
    assert all(isinstance(one, RescanRoot) for one in requested)
    assert [(one.root, one.again) for one in requested if isinstance(one, RescanRoot)] == [
        ("movies", True),
        ("music", True),
    ]
    assert [one.reason for one in requested if isinstance(one, RescanRoot)] == [
        "redrive of 4 dead letters",
        f"redrive of dead letter {letters[4]}",
    ]


def test_what_is_discarded_is_open_no_longer_and_can_be_seen_and_still_redriven(kafka: Kafka) -> None:
    write(kafka, NewRecord(MEDIA_UPDATES, b"1", b"home", 1), NewRecord(MEDIA_UPDATES, b"2", b"home", 1))
    first, second = bury(kafka, *read(kafka, MEDIA_UPDATES))
    command, words = Command(kafka), ("dlq", "discard", "media_updates", str(first), "--reason", "ours")
    assert command.output(*words) == f"{first}: would be discarded\n"
    assert len(command.json("dlq", "list", "media_updates")) == 2
    assert command.output(*words, "--execute") == f"{first}: discarded\n"
    assert command.output(*words, "--execute") == f"{first}: was discarded already\n"
    assert [letter["offset"] for letter in command.json("dlq", "list", "media_updates")] == [second]
    (closed,) = command.json("dlq", "list", "media_updates", "--closed")
    assert (closed["offset"], closed["state"], closed["reason"]) == (first, "discarded", "ours")
    command.output("dlq", "redrive", "media_updates", str(first), "--execute")
    assert [record.value for record in read(kafka, MEDIA_UPDATES)] == [b"1", b"2", b"1"]
    with pytest.raises(BadArgument, match="has no letter at 99"):
        command.output("dlq", "discard", "media_updates", "99", "--execute")


def test_queues_are_listed_with_what_is_open_in_them_and_status_shows_it(kafka: Kafka) -> None:
    command = Command(kafka)
    assert command.json("status")["dead_letters"] == {}
    write(kafka, NewRecord(REPORTS, b"{", b"x"), NewRecord(REPORTS, b"[", b"x"))
    bury(kafka, *read(kafka, REPORTS))
    write_in_transactions(
        kafka, (False, NewRecord(dlq_of(REPORTS), b"aborted")), (True, NewRecord(dlq_of(REPORTS), b"foreign"))
    )
    listed = {line["topic"]: line for line in command.json("dlq", "list")}
    assert list(listed) == [topic.name for topic in GUARDED]
    assert listed[REPORTS.name]["errors"] == {"Undecodable": 2, "foreign": 1}
    assert {name: line["open"] for name, line in listed.items() if line["open"]} == {REPORTS.name: 3}
    letters = command.json("dlq", "list", dlq_of(REPORTS).name)
    assert [listed[REPORTS.name]["oldest"], listed[REPORTS.name]["newest"]] == [letters[0]["at"], letters[2]["at"]]
    assert f"dead letters: 3 in {REPORTS.name}: catalogizer dlq list" in command.ended("status")[1]
    command.output("dlq", "discard", REPORTS.name, "--all", "--execute")
    assert command.json("status")["dead_letters"] == {}


def test_a_letter_is_shown_whole_and_no_control_character_of_it_reaches_a_terminal(kafka: Kafka) -> None:
    write(
        kafka,
        NewRecord(REPORTS, b'{"a":"\x1b[2J"}\r\n\x07', b"\x1b]0;", 0, (("h\x1b", b"\xff"),)),
        NewRecord(REPORTS, b"\xff\x1b"),
    )
    first, second = bury(kafka, *read(kafka, REPORTS), error="bad \x1b[2J\nerror: none")
    texts = [Command(kafka).output("dlq", "show", REPORTS.name, str(offset)) for offset in (first, second)]
    listed = Command(kafka).output("dlq", "list", REPORTS.name)
    assert all(
        sign.isprintable()
        for text in (*texts, listed)
        for line in text.split("\n")
        for sign in line.replace("\t", "")
    )
    assert r'{"a":"\x1b[2J"}' in texts[0]
    assert "00000000  ff 1b " in texts[1]
    assert f"{kafka.name(REPORTS)}:0:0" in texts[0]
    whole = Command(kafka).json("dlq", "show", REPORTS.name, str(first))
    assert whole["value"] == {"text": '{"a":"\x1b[2J"}\r\n\x07'}
    assert whole["headers"] == [["h\x1b", {"b64": "/w=="}]]
    assert (whole["letter"]["topic"], whole["letter"]["original_offset"]) == (kafka.name(REPORTS), 0)
