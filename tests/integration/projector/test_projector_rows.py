"""The projector on a real broker and a real database: the rows are what the log says, and nothing stops it."""

from __future__ import annotations

import asyncio
import secrets

import msgspec
import psycopg
import psycopg.conninfo
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from psycopg import sql

from runtime.kafka import Kafka
from schemas import topics
from schemas.admin import TopicEpoch
from schemas.changes import Created
from schemas.codec import encode
from schemas.headers import X_EXCEPTION_TYPE, X_ORIGINAL_OFFSET, find
from schemas.media import ItemCreated
from schemas.paths import to_wire
from streams.projector.assigned import epochs_of, group_offsets
from streams.projector.errors import LogEpochChanged, LogOvertaken, NotGranted, NotMigrated
from streams.projector.plan import TOPICS
from streams.projector.positions import GroupOffset, mark
from streams.projector.replay import positions
from tests.support.projector_log import LIBRARY, ROOT, Log, at, item
from tests.support.projector_run import (
    Writer,
    caught_up,
    expected,
    history,
    projecting,
    read_all,
    until,
)
from tests.support.projector_tables import dump


def test_the_rows_are_what_the_log_says(kafka: Kafka, migrated: str) -> None:
    async def run() -> None:
        log = history(1, 400)
        writer = Writer(kafka)
        await writer.write(log.records[:300])
        async with projecting(kafka, migrated):
            await caught_up(kafka, migrated)
            await writer.write(log.records[300:])
            await caught_up(kafka, migrated)
        assert dump(migrated) == await expected(kafka)
        assert len(dump(migrated)["change_log"]) == len(log.of(topics.CHANGES))

    asyncio.run(run())


def test_the_group_is_committed_with_our_mark_and_has_no_lag(kafka: Kafka, migrated: str) -> None:
    async def run() -> None:
        await Writer(kafka).write(history(2, 30).records)
        async with projecting(kafka, migrated):
            await caught_up(kafka, migrated)
            epochs = await epochs_of(kafka, {topic.name for topic in TOPICS})

            async def told() -> bool:
                group = await group_offsets(kafka, kafka.group("projector"))
                found = {(kafka.topic(p.topic).name, p.partition): offset for p, offset in group.items()}
                return found == {
                    place: GroupOffset(offset, mark(epochs[place[0]]))
                    for place, offset in (await positions(migrated)).items()
                }

            await until(told, 10, "the group to be told")

    asyncio.run(run())


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: str(topic.name))
def test_an_undecodable_record_becomes_a_dead_letter_and_the_flow_goes_on(
    kafka: Kafka, migrated: str, topic: topics.Topic
) -> None:
    async def run() -> None:
        log = history(3, 20)
        bad = log.put(topic, b'{"kind":\xff')
        later = history(4, 20)
        async with projecting(kafka, migrated):
            await Writer(kafka).write(log.records)
            await Writer(kafka).write(later.of(topic))
            await caught_up(kafka, migrated)
        (letter,) = await read_all(kafka, topics.dlq_of(topic))
        assert letter.value == bad.value
        assert find(letter.headers, X_EXCEPTION_TYPE) == b"Undecodable"
        assert find(letter.headers, X_ORIGINAL_OFFSET) is not None
        assert dump(migrated) == await expected(kafka)

    asyncio.run(run())


def test_a_record_that_the_database_refuses_is_found_and_buried_alone(kafka: Kafka, migrated: str) -> None:
    async def run() -> None:
        log = Log()
        for number in range(100):
            size = 2**63 if number == 37 else number
            log.change(
                Created(
                    library=LIBRARY,
                    root=ROOT,
                    at=at(number),
                    path=f"{number}.mkv",
                    type="file",
                    origin="live",
                    size=size,
                )
            )
        async with projecting(kafka, migrated):
            await Writer(kafka).write(log.records)
            await caught_up(kafka, migrated)
        (letter,) = await read_all(kafka, topics.dlq_of(topics.CHANGES))
        assert letter.value == log.records[37].value
        assert find(letter.headers, X_EXCEPTION_TYPE) == b"RowsRefused"
        assert {row["path"] for row in dump(migrated)["change_log"].values()} == {
            f"{number}.mkv" for number in range(100) if number != 37
        }

    asyncio.run(run())


def test_foreign_bytes_in_names_and_titles_are_carried(kafka: Kafka, migrated: str) -> None:
    name, b64 = to_wire(b"caf\xe9\n.mkv".decode("utf-8", "surrogateescape"))

    async def run() -> None:
        log = Log()
        log.change(
            Created(library=LIBRARY, root=ROOT, at=at(1), path=name, path_b64=b64, type="file", origin="live")
        )
        log.update(ItemCreated, msgspec.structs.replace(item(7, name, title="a\0b"), path_b64=b64))
        async with projecting(kafka, migrated):
            await Writer(kafka).write(log.records)
            await caught_up(kafka, migrated)
        tables = dump(migrated)
        assert [(row["path"], row["path_b64"]) for row in tables["media_files"].values()] == [(name, b64)]
        assert [(row["title"], row["path_b64"]) for row in tables["media_items"].values()] == [("a\\u0000b", b64)]

    asyncio.run(run())


def test_two_projectors_share_the_work_exactly(kafka: Kafka, migrated: str) -> None:
    async def run() -> None:
        log = history(5, 300)
        writer = Writer(kafka)
        async with projecting(kafka, migrated, slot="a"):
            await writer.write(log.records[:200])
            async with projecting(kafka, migrated, slot="b"):
                await writer.write(log.records[200:400])
                await caught_up(kafka, migrated)
            await writer.write(log.records[400:])
            await caught_up(kafka, migrated)
        assert dump(migrated) == await expected(kafka)

    asyncio.run(run())


def test_a_database_that_is_away_is_waited_for(kafka: Kafka, migrated: str) -> None:
    async def run() -> None:
        log = history(6, 200)
        writer = Writer(kafka)
        async with projecting(kafka, migrated):
            await writer.write(log.records[:100])
            await caught_up(kafka, migrated)
            _away(migrated, True)
            await writer.write(log.records[100:200])
            _away(migrated, False)
            await writer.write(log.records[200:250])
            _away(migrated, True)
            _away(migrated, False)
            await writer.write(log.records[250:])
            await caught_up(kafka, migrated)
        assert dump(migrated) == await expected(kafka)

    asyncio.run(run())


def _away(url: str, away: bool) -> None:
    """Refuse connections to the database of the URL, and end those it has; or let them in again."""
    with psycopg.connect(psycopg.conninfo.make_conninfo(url, dbname="postgres"), autocommit=True) as connection:
        name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
        allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        connection.execute(allow.format(sql.Identifier(str(name)), sql.SQL("false" if away else "true")))
        if away:
            ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            connection.execute(ending, (name,))


def test_another_epoch_stops_it_with_an_alarm(kafka: Kafka, migrated: str) -> None:
    async def run() -> None:
        await Writer(kafka).write(history(7, 20).records)
        async with projecting(kafka, migrated):
            await caught_up(kafka, migrated)
        await _new_epoch(kafka, topics.CHANGES)
        before = dump(migrated)
        with pytest.raises(LogEpochChanged, match=r"log_epoch_changed at catalog\.fs\.changes\.v1:0"):
            async with projecting(kafka, migrated) as task:
                await asyncio.wait_for(asyncio.shield(task), 15)
        assert dump(migrated) == before

    asyncio.run(run())


async def _new_epoch(kafka: Kafka, topic: topics.Topic) -> None:
    record = TopicEpoch(topic=topic.name, epoch="another", partitions=kafka.lanes, at=at(0))
    producer = kafka.producer()
    await producer.start()
    await producer.send_and_wait(kafka.name(topics.META), encode(record), key=topic.name.encode())
    await producer.stop()


def test_what_retention_removed_unread_stops_it_with_an_alarm(kafka: Kafka, migrated: str) -> None:
    async def run() -> None:
        await Writer(kafka).write(history(8, 20).records)
        async with projecting(kafka, migrated):
            await caught_up(kafka, migrated)
        await Writer(kafka).write(history(9, 60).records)
        place = TopicPartition(kafka.name(topics.CHANGES), 0)
        reached = (await positions(migrated))[topics.CHANGES.name, 0]
        admin = kafka.admin()
        await admin.start()
        await admin.delete_records({place: RecordsToDelete(before_offset=reached + 5)})
        await admin.close()
        with pytest.raises(LogOvertaken) as caught:
            async with projecting(kafka, migrated) as task:
                await asyncio.wait_for(asyncio.shield(task), 15)
        assert (caught.value.position, caught.value.beginning) == (reached, reached + 5)

    asyncio.run(run())


def test_without_tables_the_error_names_what_to_do(kafka: Kafka, database: str) -> None:
    async def run() -> None:
        with pytest.raises(NotMigrated, match="catalogizer migrate"):
            async with projecting(kafka, database) as task:
                await asyncio.wait_for(asyncio.shield(task), 15)

    asyncio.run(run())


def test_without_a_right_it_names_the_setting_and_the_right_and_not_migrations(
    kafka: Kafka, migrated: str
) -> None:
    user = sql.Identifier(name := f"u{secrets.token_hex(4)}")

    async def run() -> None:
        with pytest.raises(NotGranted) as caught:
            async with projecting(
                kafka, psycopg.conninfo.make_conninfo(migrated, user=name, password="x")
            ) as task:
                await asyncio.wait_for(asyncio.shield(task), 15)
        assert caught.value.reason == "permission denied for table sink_offset"
        assert "CATALOGIZER_DATABASE__URL" in str(caught.value)
        assert "SELECT, INSERT, UPDATE" in str(caught.value)
        assert "have not the tables" not in str(caught.value)

    with psycopg.connect(migrated, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'x'").format(user))
        try:
            asyncio.run(run())
        finally:
            connection.execute(sql.SQL("DROP ROLE {}").format(user))
