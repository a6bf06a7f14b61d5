"""What triggers derive always agrees with the rows, whatever is written, rewritten, moved or deleted."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas import topics
from schemas.media import GoneItem, ItemCreated, ItemDeleted, ItemUpdated
from streams.projector.plan import rows_of
from streams.projector.positions import Partition, PartitionPosition
from streams.projector.store import Batch, PostgresStore
from tests.support.projector_log import Log, item
from tests.support.projector_tables import derived, empty

P = Partition(topics.MEDIA_UPDATES.name, 0)


@dataclass(frozen=True, slots=True)
class Told:
    """An update of an item: where and what it is; or its deletion."""

    media_id: int
    root: str
    title: str
    quality: str | None
    category: str | None
    belongs_to: int | None
    size: int
    day: int
    gone: bool


tellings = st.builds(
    Told,
    st.integers(1, 5),
    st.sampled_from(("films", "music", "Größe")),
    st.sampled_from(("Some Film", "Other Film", "Фильм")),
    st.sampled_from((None, "", "1080p")),
    st.sampled_from((None, "movie")),
    st.sampled_from((None, 1)),
    st.integers(0, 2**53),
    st.integers(1, 3),
    st.booleans(),
)


def logged(told: list[Told]) -> Log:
    """As the fold publishes it."""
    log = Log()
    for one in told:
        path = f"{one.root}/{one.media_id}.mkv"
        if one.gone:
            log.update(
                ItemDeleted,
                GoneItem(id=one.media_id, title=one.title, media_type="video", storage_root=one.root, path=path),
            )
            continue
        media = replace(
            item(one.media_id, path, title=one.title), storage_root=one.root, quality=one.quality,
            category=one.category, belongs_to=one.belongs_to, file_size=one.size,
            created_at=f"2026-01-0{one.day}T10:59:59.999Z",
        )  # fmt: skip
        log.update(ItemCreated if one.media_id % 2 else ItemUpdated, media)
    return log


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(tellings, max_size=20), st.lists(st.integers(1, 7), min_size=1, max_size=8), st.integers(0, 100))
def test_counts_and_words_are_those_of_the_rows_under_replay_deletion_and_moves_between_roots(
    migrated: str, told: list[Told], sizes: list[int], back: int
) -> None:
    records = logged(told).of(topics.MEDIA_UPDATES)

    async def deliver(store: PostgresStore, start: int) -> None:
        for size in [*sizes, *([3] * len(records))]:
            batch = records[start : start + size]
            if batch:
                rows = tuple(row for record in batch for row in rows_of(record.of, record))
                assert await store.apply(Batch(P, start, start + len(batch), rows))
                derived(migrated)
            start += len(batch)

    async def run() -> None:
        for many in (200, 1):  # inside the statement, and by COPY
            store = PostgresStore(migrated, many=many)
            await store.begin(P, PartitionPosition(0, "e"))
            await deliver(store, 0)
            again = len(records) * back // 100
            assert await store.move(P, len(records), again)
            await deliver(store, again)
            assert await store.move(P, len(records), 0)
            await store.close()

    empty(migrated)
    asyncio.run(run())


def test_rows_that_are_changed_by_hand_are_counted_too(migrated: str) -> None:
    async def run() -> None:
        store = PostgresStore(migrated)
        records = logged(
            [Told(n, "films", "Some Film", None, None, None, 5, 1, gone=False) for n in range(1, 6)]
        ).of(topics.MEDIA_UPDATES)
        await store.begin(P, PartitionPosition(0, "e"))
        rows = tuple(row for record in records for row in rows_of(record.of, record))
        assert await store.apply(Batch(P, 0, 5, rows))
        await store.close()

    asyncio.run(run())
    for statement in (
        "UPDATE media_items SET storage_root = 'music' WHERE id = 1",
        "UPDATE media_items SET deleted_at = now() WHERE id < 3",
        "UPDATE media_items SET deleted_at = NULL, title = 'Another Name' WHERE id = 2",
        "DELETE FROM media_items WHERE id IN (1, 5)",
    ):
        with psycopg.connect(migrated) as connection:
            connection.execute(statement.encode())
        derived(migrated)


_ITEM = """
INSERT INTO media_items (id, library, storage_root, path, path_b64, title, media_type, file_size, created_at, updated_at,
                         item, src_partition, src_offset)
VALUES (%(id)s, %(lane)s, 'films', %(id)s, '', %(title)s, 'video', 1, now(), now(), '{}', %(lane)s, %(id)s)
"""


async def _added(connection: psycopg.AsyncConnection, lane: int, media_id: int, title: str) -> None:
    await connection.execute(_ITEM, {"lane": lane, "id": media_id, "title": title})


def test_two_that_meet_the_same_new_words_in_another_order_do_not_end_each_other(migrated: str) -> None:
    async def run() -> None:
        async with (
            await psycopg.AsyncConnection.connect(migrated) as one,
            await psycopg.AsyncConnection.connect(migrated) as other,
        ):
            await _added(one, 0, 1, "alpha")

            async def otherwise() -> None:
                await _added(other, 1, 2, "beta")
                await _added(other, 1, 3, "alpha")
                await other.commit()

            task = asyncio.create_task(otherwise())
            await _waits(migrated, other.info.backend_pid)
            await _added(one, 0, 4, "beta")
            await one.commit()
            await task

    asyncio.run(run())
    derived(migrated)


async def _waits(url: str, pid: int) -> None:
    """Until that session waits for another one."""
    async with asyncio.timeout(10), await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        while True:
            cursor = await connection.execute("SELECT pg_blocking_pids(%s)", (pid,))
            row = await cursor.fetchone()
            if row is not None and row[0]:
                return
            await asyncio.sleep(0.01)
