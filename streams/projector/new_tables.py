"""New tables, filled next to the ones that readers use, which replace them at once or not at all.

All of it is one database transaction: after a kill or any failure the old tables are unchanged, and nothing of the new ones
is left. Tables with millions of rows have neither index nor trigger while they are filled. Of a place or an item only the
newest row is needed, so their rows are collected in staging, and the newest of each key is inserted at the end; if nearly
every key occurs once, rows are inserted directly, and older ones are deleted. The other tables are small and are written by
the rows' laws from the beginning. What triggers derive is made at the end.

It knows PostgreSQL and the rows' laws, and nothing of Kafka.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import LiteralString

import psycopg
from psycopg import sql

from streams.projector import statements as s
from streams.projector.bulk import adapt, copy, merge, stage
from streams.projector.errors import RowsRefused, TablesInUse
from streams.projector.positions import Partition, PartitionPosition
from streams.projector.rows import (
    LAWS,
    AnalysisRow,
    ChangeRow,
    FileRow,
    GoneItemRow,
    Grouped,
    ItemRow,
    Row,
    grouped,
)
from streams.projector.statements import Kind

SCHEMA = "catalogizer_rebuild"
TABLES = tuple(dict.fromkeys(law.table for law in LAWS.values()))
STRAIGHT: tuple[Kind, ...] = (ChangeRow, AnalysisRow)
STAGED: tuple[Kind, ...] = (FileRow, ItemRow, GoneItemRow)
DERIVED = ("media_counts", "media_additions", "search_vocabulary")
"""Tables that triggers of media_items maintain; rebuilt from its rows (`schemas/sql/0007_search.sql`)."""
_ALL = (*TABLES, *DERIVED)
_LARGE = tuple(dict.fromkeys(LAWS[kind].table for kind in (*STRAIGHT, *STAGED)))

LOCK_TRIES = 20
_SESSION = """
SET LOCAL client_connection_check_interval = '1s'; SET LOCAL temp_buffers = '32MB'; SET LOCAL work_mem = '64MB';
SET LOCAL maintenance_work_mem = '256MB'
"""
"""The first setting: otherwise a server does not notice that its client was killed while it builds an index."""
_OLD = """
SELECT c.oid, c.relnamespace::regnamespace::text, pg_get_userbyid(c.relowner)
FROM pg_class AS c WHERE c.oid = to_regclass(%s)
"""
_KEYS = "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s AND contype IN ('p', 'u', 'x')"
_INDEXES = """
SELECT pg_get_indexdef(i.indexrelid) FROM pg_index AS i
WHERE i.indrelid = %s AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid AND conrelid = i.indrelid)
"""
_TARGETS = """
SELECT attname, attstattarget FROM pg_attribute
WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped AND attstattarget >= 0
"""
"""None is NULL since version 17, and -1 before."""
_FINENESS = """
SELECT attname, coalesce(attstattarget, -1) FROM pg_attribute
WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped AND coalesce(attstattarget, -1) <> 0
"""
_TRIGGERS = "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = %s AND NOT tgisinternal"
_DERIVE = "SELECT media_items_derive_all()"
_GRANTS = """
SELECT privilege_type, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END
FROM pg_class, aclexplode(relacl) WHERE pg_class.oid = %s
"""
_STATUSES = """
INSERT INTO storage_roots (root, library, state, epoch, changed_at, status, message, details, status_at, status_offset,
                           src_partition, src_offset)
SELECT root, '', 'unknown', '', status_at, status, message, details, status_at, status_offset, -1, -1
FROM {} WHERE status_offset >= 0
"""
_POSITION = """
INSERT INTO sink_offset (topic, partition, next_offset, epoch) VALUES (%s, %s, %s, %s)
ON CONFLICT (topic, partition) DO UPDATE SET next_offset = EXCLUDED.next_offset
"""


class NewTables:
    """Works in an open transaction of `connection`, which the caller commits or rolls back. Call `make`, `fill` many
    times, `finish`, `write`, `hold`, `write`, `swap`. `lock_tries`: attempts of a second each to lock out readers.
    Raises psycopg.Error."""

    def __init__(self, connection: psycopg.AsyncConnection, lock_tries: int = LOCK_TRIES) -> None:
        self._connection = connection
        self._lock_tries = lock_tries
        self._old: dict[str, int] = {}
        self._schema = ""

    async def make(self) -> None:
        """Create empty tables like the old ones, with the same owner."""
        adapt(self._connection)
        await self._connection.execute(_SESSION)
        owner = ""
        for table in _ALL:
            found = await (await self._connection.execute(_OLD, (table,))).fetchone()
            if found is None:
                raise psycopg.errors.UndefinedTable(f'relation "{table}" does not exist')
            self._old[table], self._schema, owner = found
        await self._do("SET LOCAL ROLE {}", sql.Identifier(owner))
        await self._do("CREATE SCHEMA {}", sql.Identifier(SCHEMA))
        for table in _ALL:
            await self._do(
                "CREATE TABLE {} (LIKE {} INCLUDING ALL EXCLUDING INDEXES)", _new(table), self._of_old(table)
            )
            for column, target in await (await self._connection.execute(_TARGETS, (self._old[table],))).fetchall():
                words = "ALTER TABLE {} ALTER COLUMN {} SET STATISTICS {}"
                await self._do(words, _new(table), sql.Identifier(column), sql.Literal(target))
        await self._do("SET LOCAL search_path = {}, {}", sql.Identifier(SCHEMA), sql.SQL(self._schema))
        for table in set(_ALL) - set(_LARGE):
            await self._keys(table)
            await self._indexes(table)
        for kind in STAGED:
            await self._connection.execute(s.MAKE_STAGING[kind])

    async def take_statuses(self) -> None:
        """Copy the roots' statuses from the status agent, because the log does not retain them forever."""
        await self._do(_STATUSES, self._of_old("storage_roots"))

    async def fill(self, rows: Sequence[Row]) -> None:
        """Add rows in the order of the log, all or none. Raises RowsRefused."""
        groups = grouped(tuple(row for row in rows if type(row) not in STRAIGHT))
        async with self._whole():
            for kind in STRAIGHT:
                if straight := [row for row in rows if type(row) is kind]:
                    table = sql.Identifier(LAWS[kind].table)
                    await copy(self._connection, s.copy_into(kind, table), straight)
            for kind in STAGED:
                if staged := groups.upserts.pop(kind):
                    await copy(self._connection, s.COPY_STAGING[kind], list(staged.values()))
            await self._merge(groups)

    async def finish(self) -> None:
        """Insert the newest rows and build the indexes. From here on rows are written by `write`."""
        for kind in STRAIGHT:
            await self._connection.execute(_OLDER[kind])
        for kind in (FileRow, ItemRow):
            await self._do("ANALYZE {}", s.staging(kind))
            await self._connection.execute(_TAKE_OVER[kind])
        for table in _LARGE:
            await self._keys(table)
        await self._connection.execute(s.upsert(GoneItemRow, s.newest(GoneItemRow)))
        for kind in STAGED:
            await self._connection.execute(s.EMPTY_STAGING[kind])
        for table in _LARGE:
            await self._indexes(table)
        await self._connection.execute(_DERIVE)
        for table in _ALL:
            await self._triggers(table)
            await self._analyze(table)

    async def write(self, rows: Sequence[Row]) -> None:
        """Write rows of records that were appended to the log meanwhile, all or none. Raises RowsRefused."""
        async with self._whole():
            await self._merge(grouped(tuple(rows)))

    @asynccontextmanager
    async def _whole(self) -> AsyncIterator[None]:
        """The work in the block is done completely or not at all."""
        try:
            async with self._connection.transaction():
                yield
        except (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded) as error:
            raise RowsRefused(str(error).split("\n", 1)[0]) from error

    async def hold(self) -> dict[Partition, PartitionPosition]:
        """Lock the projector's positions until the transaction ends, and return them. A projector locks its position
        before it writes rows, so no projector is in the middle of a transaction then."""
        # if this process hung from here on, it would block projectors
        await self._do("SET LOCAL idle_in_transaction_session_timeout = '30s'")
        await self._do("SET LOCAL lock_timeout = '30s'")
        await self._do("LOCK TABLE sink_offset IN SHARE ROW EXCLUSIVE MODE")
        return await self.positions()

    async def positions(self) -> dict[Partition, PartitionPosition]:
        """The projector's current positions."""
        cursor = await self._connection.execute("SELECT topic, partition, next_offset, epoch FROM sink_offset")
        return {Partition(row[0], row[1]): PartitionPosition(row[2], row[3]) for row in await cursor.fetchall()}

    async def swap(self, positions: Mapping[Partition, PartitionPosition]) -> None:
        """Replace the old tables by the new ones, with their positions. Raises TablesInUse."""
        for partition, position in positions.items():
            values = (partition.topic, partition.number, position.next_offset, position.epoch)
            await self._connection.execute(_POSITION, values)
        for table, old in self._old.items():
            for privilege, grantee in await (await self._connection.execute(_GRANTS, (old,))).fetchall():
                await self._do("GRANT {} ON {} TO {}", sql.SQL(privilege), _new(table), sql.SQL(grantee))
        olds = sql.SQL(", ").join([self._of_old(table) for table in _ALL])
        await self._lock(olds)
        await self._do("DROP TABLE {}", olds)
        for table in _ALL:
            await self._do("ALTER TABLE {} SET SCHEMA {}", _new(table), sql.SQL(self._schema))
        await self._do("DROP SCHEMA {}", sql.Identifier(SCHEMA))

    async def _lock(self, olds: sql.Composed) -> None:
        """Lock the old tables. New readers have to wait meanwhile, so each attempt is short and is repeated."""
        await self._do("SET LOCAL lock_timeout = '1s'")
        for _ in range(self._lock_tries):
            try:
                async with self._connection.transaction():
                    await self._do("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", olds)
                    return
            except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
                continue
        raise TablesInUse(self._lock_tries)

    async def _merge(self, groups: Grouped) -> None:
        staged = await stage(self._connection, groups)
        await merge(self._connection, groups, staged)
        for kind in staged:
            await self._connection.execute(s.EMPTY_STAGING[kind])

    async def _keys(self, table: str) -> None:
        for name, definition in await (await self._connection.execute(_KEYS, (self._old[table],))).fetchall():
            await self._do(
                "ALTER TABLE {} ADD CONSTRAINT {} {}", _new(table), sql.Identifier(name), sql.SQL(definition)
            )

    async def _indexes(self, table: str) -> None:
        for (definition,) in await (await self._connection.execute(_INDEXES, (self._old[table],))).fetchall():
            there = definition.replace(f" ON {self._schema}.", f" ON {SCHEMA}.", 1)
            await self._connection.execute(sql.SQL(there))

    async def _analyze(self, table: str) -> None:
        """Analyze the table; columns with a finer statistics target separately, because their larger sample of rows
        would otherwise be used for every other column as well."""
        targets = await (await self._connection.execute(_FINENESS, (self._old[table],))).fetchall()
        by_target: dict[int, list[sql.Identifier]] = {}
        for column, target in targets:
            by_target.setdefault(target, []).append(sql.Identifier(column))
        for columns in by_target.values():
            await self._do("ANALYZE {} ({})", _new(table), sql.SQL(", ").join(columns))

    async def _triggers(self, table: str) -> None:
        """Create the triggers of the old table: from here on they maintain what is derived."""
        for (definition,) in await (await self._connection.execute(_TRIGGERS, (self._old[table],))).fetchall():
            there = definition.replace(f" ON {self._schema}.", f" ON {SCHEMA}.", 1)
            await self._connection.execute(sql.SQL(there))

    async def _do(self, statement: LiteralString, *parts: sql.Composable) -> None:
        await self._connection.execute(sql.SQL(statement).format(*parts))

    def _of_old(self, table: str) -> sql.Composed:
        return sql.SQL("{}.{}").format(sql.SQL(self._schema), sql.Identifier(table))


def _new(table: str) -> sql.Identifier:
    return sql.Identifier(SCHEMA, table)


def _take_over(kind: Kind) -> sql.Composed:
    return sql.SQL("INSERT INTO {} ({}) {}").format(
        sql.Identifier(LAWS[kind].table), s.names(kind.__struct_fields__), s.newest(kind)
    )


def _older(kind: Kind) -> sql.Composed:
    """Delete rows for whose key there is a newer one: from records that were redriven to their topic."""
    law = LAWS[kind]
    return sql.SQL(
        "DELETE FROM {table} AS t USING (SELECT {key} FROM {table} GROUP BY {key} HAVING count(*) > 1) AS twice"
        " WHERE ({t_key}) = ({twice_key}) AND EXISTS (SELECT FROM {table} AS n WHERE ({n_key}) = ({t_key})"
        " AND ({n_guard}, n.ctid) > ({t_guard}, t.ctid))"
    ).format(
        table=sql.Identifier(law.table), key=s.names(law.key), t_key=s.names(law.key, "t"),
        twice_key=s.names(law.key, "twice"), n_key=s.names(law.key, "n"), n_guard=s.names(law.guard, "n"),
        t_guard=s.names(law.guard, "t"),
    )  # fmt: skip


_TAKE_OVER = {kind: _take_over(kind) for kind in (FileRow, ItemRow)}
_OLDER = {kind: _older(kind) for kind in STRAIGHT}
