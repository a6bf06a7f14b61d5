"""Resets: rows are written again and come out equal, what was deleted is not seen meanwhile, none is skipped."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import psycopg
import pytest
from confluent_kafka.admin import AdminClient

from runtime.kafka import Kafka
from schemas import topics
from streams.projector.assigned import group_offsets
from streams.projector.errors import GroupActive, NotBehind
from streams.projector.replay import positions, reset
from tests.support.kafka_tools import kafka_tool
from tests.support.projector_run import Writer, caught_up, expected, history, projecting, until
from tests.support.projector_tables import dump


@contextlib.asynccontextmanager
async def projected(kafka: Kafka, url: str, seed: int) -> AsyncIterator[None]:
    """A log projected to its end, and nobody running."""
    await Writer(kafka).write(history(seed, 300).records)
    async with projecting(kafka, url):
        await caught_up(kafka, url)
    yield


def by_kafkas_tool(kafka: Kafka, *target: str) -> None:
    """As an operator does it."""
    done = kafka_tool(
        "consumer-groups", "--bootstrap-server", kafka.settings.bootstrap_servers or "",
        "--group", kafka.group("projector"), "--reset-offsets", "--all-topics", *target, "--execute",
    )  # fmt: skip
    assert done.returncode == 0 and "NEW-OFFSET" in done.stdout, done.stdout + done.stderr


async def never_revived(url: str, until_done: asyncio.Event, rounds: list[int]) -> None:
    """Look all the time: an item or a place that is gone must not be there."""
    query = (
        "SELECT id::text FROM media_items WHERE deleted_at IS NULL UNION ALL SELECT root || encode(place, 'hex')"
    )
    query += " FROM media_files WHERE deleted_at IS NULL"
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        before: set[object] | None = None
        while not until_done.is_set():
            seen = {row[0] for row in await (await connection.execute(query)).fetchall()}
            before = seen if before is None else before
            assert seen == before
            rounds[0] += 1
            await asyncio.sleep(0)


@pytest.mark.parametrize("how", ["our command", "Kafka's own tool"])
def test_from_the_beginning_again_the_rows_are_equal_and_nothing_deleted_is_seen(
    kafka: Kafka, migrated: str, how: str
) -> None:
    async def run() -> None:
        async with projected(kafka, migrated, 21):
            before, end = dump(migrated), await positions(migrated)
            _spoil(migrated)
            if how == "our command":
                await reset(kafka, migrated, dict.fromkeys(end, 0))
            else:
                by_kafkas_tool(kafka, "--to-earliest")
            done, rounds = asyncio.Event(), [0]
            looking = asyncio.create_task(never_revived(migrated, done, rounds))
            async with projecting(kafka, migrated):
                await until(
                    lambda: _rewritten(migrated, len(before["change_log"])), 30, "all rows to be written again"
                )
                await caught_up(kafka, migrated)
            done.set()
            await looking
            assert dump(migrated) == before == await expected(kafka)
            assert rounds[0] > 3

    asyncio.run(run())


def _spoil(url: str) -> None:
    """Rows as a fault of ours might have left them, all written long ago."""
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE change_log SET kind = 'spoilt', processed_at = 'epoch'")
        connection.execute("UPDATE media_items SET title = 'spoilt' WHERE deleted_at IS NULL")


async def _rewritten(url: str, rows: int) -> bool:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        cursor = await connection.execute("SELECT count(*) FROM change_log WHERE kind <> 'spoilt'")
        found = await cursor.fetchone()
        return found is not None and found[0] == rows


def test_a_reset_ahead_is_refused_and_nothing_is_skipped(kafka: Kafka, migrated: str) -> None:
    async def run() -> None:
        async with projected(kafka, migrated, 22):
            await Writer(kafka).write(history(23, 100).of(topics.SYSTEM_UPDATES))
            by_kafkas_tool(kafka, "--to-latest")
            async with projecting(kafka, migrated):
                await caught_up(kafka, migrated)
            assert dump(migrated) == await expected(kafka)
            group = await group_offsets(kafka, kafka.group("projector"))
            assert all(offset.ours for offset in group.values())

    asyncio.run(run())


def test_a_group_that_was_deleted_changes_nothing(kafka: Kafka, migrated: str) -> None:
    async def run() -> None:
        async with projected(kafka, migrated, 24):
            admin = AdminClient({"bootstrap.servers": kafka.settings.bootstrap_servers or ""})
            for deleted in admin.delete_consumer_groups([kafka.group("projector")]).values():
                deleted.result(10)
            await Writer(kafka).write(history(25, 100).of(topics.SYSTEM_UPDATES))
            async with projecting(kafka, migrated):
                await caught_up(kafka, migrated)
            assert dump(migrated) == await expected(kafka)

    asyncio.run(run())


def test_our_reset_is_refused_while_a_projector_runs_and_names_it(kafka: Kafka, migrated: str) -> None:
    async def run() -> None:
        async with projecting(kafka, migrated):
            await caught_up(kafka, migrated)
            with pytest.raises(GroupActive, match="catalogizer-test"):
                await reset(kafka, migrated, {(topics.CHANGES.name, 0): 0})
        await reset(kafka, migrated, {(topics.CHANGES.name, 0): 0})

    asyncio.run(run())


def test_our_reset_does_not_skip(kafka: Kafka, migrated: str) -> None:
    async def run() -> None:
        async with projected(kafka, migrated, 26):
            before = await positions(migrated)
            wanted = {(topics.COVERS.name, 0): 0, (topics.CHANGES.name, 0): before[topics.CHANGES.name, 0] + 1}
            with pytest.raises(NotBehind):
                await reset(kafka, migrated, wanted)
            assert await positions(migrated) == before

    asyncio.run(run())
