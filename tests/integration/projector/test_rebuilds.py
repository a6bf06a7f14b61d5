"""Rebuilds from the beginning of the log, on a real broker and database: readers see the old rows or the new ones, whole,
whoever is killed, and a projector goes on beside them."""

from __future__ import annotations

import asyncio
import signal

import msgspec
import psycopg
import pytest
from psycopg import sql

from cli.rebuilding import CALLER, rebuild
from runtime.kafka import Kafka
from schemas import topics
from schemas.changes import Created
from schemas.media import ItemCreated
from streams.projector.errors import RebuildFailed
from streams.projector.new_tables import SCHEMA
from streams.projector.plan import TOPICS
from streams.projector.replay import positions
from tests.support.projector_log import LIBRARY, ROOT, Log, at, item
from tests.support.projector_run import (
    Process,
    Writer,
    caught_up,
    expected,
    history,
    projecting,
    read_all,
    until,
)
from tests.support.projector_tables import dump


def spoil(url: str) -> None:
    """Rows as a fault of ours might have left them."""
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE media_items SET title = 'spoilt'")


async def nothing_left(url: str) -> None:
    """Wait until the database has let go of what a killed client made."""

    async def gone() -> bool:
        async with await psycopg.AsyncConnection.connect(url) as connection:
            query = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s"
            return (await connection.execute(query, (CALLER,))).rowcount == 0

    await until(gone, 15, "the killed rebuild's sessions to end")
    async with await psycopg.AsyncConnection.connect(url) as connection:
        assert (await connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", (SCHEMA,))).rowcount == 0


def test_killed_at_any_moment_it_leaves_the_old_rows_or_the_new(kafka: Kafka, migrated: str) -> None:
    async def run() -> None:
        log = history(31, 900)
        half = len(log.records) // 2
        await Writer(kafka).write(log.records[:half])
        async with projecting(kafka, migrated):
            await caught_up(kafka, migrated)
            spoil(migrated)
            spoilt = dump(migrated)
            for point in ("filling", "before_swap"):
                with Process(kafka, migrated, work="rebuild", point=point, hit=1) as process:
                    assert await asyncio.to_thread(process.wait, 60) == -signal.SIGKILL, point
                await nothing_left(migrated)
                assert dump(migrated) == spoilt
            with Process(kafka, migrated, work="rebuild", point="after_swap", hit=1) as process:
                assert await asyncio.to_thread(process.wait, 60) == -signal.SIGKILL
            assert dump(migrated) == await expected(kafka)
            await Writer(kafka).write(log.records[half:])
            await caught_up(kafka, migrated)
            assert dump(migrated) == await expected(kafka)

    asyncio.run(run())


def test_readers_see_all_rows_all_the_time_while_the_log_grows(kafka: Kafka, migrated: str) -> None:
    async def run() -> None:
        log = history(32, 600)
        third = len(log.records) // 3
        await Writer(kafka).write(log.records[:third])
        async with projecting(kafka, migrated):
            await caught_up(kafka, migrated)
            done, seen = asyncio.Event(), [0]
            looking = asyncio.create_task(never_fewer(migrated, done, seen))
            growing = asyncio.create_task(Writer(kafka).write(log.records[third:], per_transaction=20))
            for _ in range(2):
                await rebuild(kafka, migrated)
            await growing
            await caught_up(kafka, migrated)
            done.set()
            await looking
        assert dump(migrated) == await expected(kafka)
        assert seen[0] > 3

    asyncio.run(run())


async def never_fewer(url: str, until_done: asyncio.Event, looks: list[int]) -> None:
    """Look all the time: what was there once is there."""
    counting = ("change_log", "media_items", "media_files")
    counts = [sql.SQL("(SELECT count(*) FROM {})").format(sql.Identifier(table)) for table in counting]
    query = sql.SQL("SELECT {}").format(sql.SQL(", ").join(counts))
    async with await psycopg.AsyncConnection.connect(url, autocommit=True, prepare_threshold=1) as connection:
        before = (0, 0, 0)
        while not until_done.is_set():
            row = await (await connection.execute(query)).fetchone()
            assert row is not None and all(now >= then for now, then in zip(row, before, strict=True))
            before = row
            looks[0] += 1
            await asyncio.sleep(0)


def test_a_database_without_positions_is_filled_and_gone_on_from(kafka: Kafka, migrated: str) -> None:
    async def run() -> None:
        await Writer(kafka).write(history(33, 100).records)
        done = await rebuild(kafka, migrated)
        reached = await positions(migrated)
        assert done.records == sum([len(await read_all(kafka, topic)) for topic in TOPICS])
        async with projecting(kafka, migrated):
            await caught_up(kafka, migrated)
        assert await positions(migrated) == reached
        assert dump(migrated) == await expected(kafka)

    asyncio.run(run())


def test_what_cannot_be_read_or_kept_is_buried_and_the_rest_is_there(kafka: Kafka, migrated: str) -> None:
    async def run() -> None:
        log = Log()
        for number in range(9):
            size = 2**63 if number == 4 else number
            created = Created(
                library=LIBRARY, root=ROOT, at=at(number), path=f"{number}", type="file", origin="live"
            )
            log.change(msgspec.structs.replace(created, size=size))
        log.put(topics.MEDIA_UPDATES, b'{"action":\xff')
        log.update(ItemCreated, item(7, "a.mkv"))
        await Writer(kafka).write(log.records)
        assert (await rebuild(kafka, migrated)).letters == 2
        assert {row["path"] for row in dump(migrated)["change_log"].values()} == {
            f"{n}" for n in range(9) if n != 4
        }
        assert [letter.value for letter in await read_all(kafka, topics.dlq_of(topics.CHANGES))] == [
            log.records[4].value
        ]
        assert len(dump(migrated)["media_items"]) == 1

    asyncio.run(run())


def test_what_depends_on_the_tables_is_named_and_nothing_changes(kafka: Kafka, migrated: str) -> None:
    with psycopg.connect(migrated) as connection:
        connection.execute("CREATE VIEW films AS SELECT title FROM media_items")
    before = dump(migrated)
    with pytest.raises(RebuildFailed) as failed:
        asyncio.run(rebuild(kafka, migrated))
    assert "view films depends on table public.media_items" in str(failed.value)
    assert "\n" not in str(failed.value)
    assert dump(migrated) == before
