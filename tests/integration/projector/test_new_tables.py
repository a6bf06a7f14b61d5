"""New tables filled from a log hold what its records leave one by one, wherever the filling is cut."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import topics
from schemas.media import ItemCreated
from streams.projector.errors import RowsRefused, TablesInUse
from streams.projector.new_tables import SCHEMA, NewTables
from streams.projector.plan import rows_of
from streams.projector.positions import Partition, PartitionPosition
from streams.projector.rows import Row
from tests.fakes.projector_store import FakeStore
from tests.support.projector_histories import READ, histories, straight
from tests.support.projector_log import Log, item
from tests.support.projector_tables import derived, dump, plain

P = Partition(topics.CHANGES.name, 0)
AT = PartitionPosition(7, "e")
cuts: st.SearchStrategy[tuple[int, int]] = st.tuples(st.integers(1, 9), st.integers(0, 100))
"""Records in a piece, and after how much of the log (per cent) the tables are finished."""


def pieces(log: Log, size: int) -> list[list[Row]]:
    """The rows of a log, so many records at a time, topic by topic."""
    found: list[list[Row]] = []
    for topic in READ:
        records = log.of(topic)
        for start in range(0, len(records), size):
            found.append([row for record in records[start : start + size] for row in rows_of(topic, record)])
    return found


async def rebuilt(
    url: str, early: Sequence[Sequence[Row]], late: Sequence[Sequence[Row]] = (), lock_tries: int = 20
) -> None:
    """New tables in the place of those that are there."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        tables = NewTables(connection, lock_tries)
        await tables.make()
        for piece in early:
            await tables.fill(piece)
        await tables.finish()
        for piece in late:
            await tables.write(piece)
        await tables.hold()
        await tables.swap({P: AT})


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(histories, cuts)
def test_filled_in_any_pieces_they_hold_what_record_by_record_leaves(
    migrated: str, log: Log, cut: tuple[int, int]
) -> None:
    once, (size, percent) = FakeStore(), cut
    asyncio.run(straight(once, log))
    found = pieces(log, size)
    early = len(found) * percent // 100
    asyncio.run(rebuilt(migrated, found[:early], found[early:]))
    assert dump(migrated) == plain(once.tables)
    derived(migrated)


def test_they_have_the_keys_indexes_owner_and_rights_of_the_old_ones(migrated: str) -> None:
    with psycopg.connect(migrated) as connection:
        connection.execute("GRANT SELECT ON media_items TO pg_monitor")
    before = shape(migrated)
    asyncio.run(rebuilt(migrated, []))
    assert shape(migrated) == before
    assert "pg_monitor=r" in str(before)


def shape(url: str) -> set[tuple[object, ...]]:
    """Tables with their owners and rights, columns, keys, indexes and triggers, by name."""
    with psycopg.connect(url) as connection:
        queries = (
            "SELECT relname, relkind, relowner, coalesce(relacl, acldefault('r', relowner))::text FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')",
            "SELECT table_name, column_name, data_type, is_nullable, column_default, ordinal_position"
            " FROM information_schema.columns WHERE table_schema = 'public'",
            "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
            "SELECT tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE connamespace = 'public'::regnamespace",
            "SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%%'",
        )
        return {row for query in queries for row in connection.execute(query.encode(), ()).fetchall()}


def test_refused_rows_leave_nothing_of_their_piece_and_the_filling_goes_on(migrated: str) -> None:
    log = Log()
    log.update(ItemCreated, item(1, "a.mkv"))
    log.update(ItemCreated, item(2**63, "b.mkv"))
    good, bad = pieces(log, 1)

    async def run() -> None:
        async with await psycopg.AsyncConnection.connect(migrated) as connection:
            tables = NewTables(connection)
            await tables.make()
            with pytest.raises(RowsRefused):
                await tables.fill([*good, *bad])
            await tables.fill(good)
            await tables.finish()
            await tables.swap({})

    asyncio.run(run())
    assert [row["path"] for row in dump(migrated)["media_items"].values()] == ["a.mkv"]


def test_what_is_used_all_the_time_is_left_as_it_was(migrated: str) -> None:
    before = dump(migrated)
    with psycopg.connect(migrated) as reader:
        reader.execute("SELECT count(*) FROM media_items")
        with pytest.raises(TablesInUse):
            asyncio.run(rebuilt(migrated, [], lock_tries=1))
    assert dump(migrated) == before
    with psycopg.connect(migrated) as connection:
        assert connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", (SCHEMA,)).rowcount == 0
