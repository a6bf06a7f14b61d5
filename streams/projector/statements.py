"""The rows' laws as SQL, made once: one statement for each kind of row, whatever the number of rows.

A few rows are sent inside the statement, as one JSON array. Many are first copied into a temporary table of their kind
(staging), which no other session uses and which locks nothing. Both ways use the same INSERT with the same guard.

It executes nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, LiteralString, get_args, get_type_hints
from uuid import UUID

from msgspec import Raw
from psycopg import sql

from streams.projector.rows import LAWS, Law, UpsertRow

Kind = type[UpsertRow]
Statement = sql.Composed | LiteralString

MOVE = "UPDATE sink_offset SET next_offset = %s WHERE topic = %s AND partition = %s AND next_offset = %s"
BEGIN = (
    "INSERT INTO sink_offset (topic, partition, next_offset, epoch) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING"
)
CLOSE_GAPS = """
UPDATE gaps AS t SET closed_at = c.closed_at, counts = c.counts, closed_offset = c.by
FROM (
    SELECT DISTINCT ON (g.src_partition, g.src_offset)
           g.src_partition, g.src_offset, r.closed_at, r.counts, r.src_offset AS by
    FROM jsonb_to_recordset(%s::jsonb) AS r(root text, cause text, subtree text, closed_at timestamptz,
                                            counts jsonb, src_partition integer, src_offset bigint)
    JOIN gaps AS g ON g.root = r.root AND g.cause = r.cause AND g.src_partition = r.src_partition
     AND (r.subtree = '' OR g.subtree = r.subtree OR starts_with(g.subtree, r.subtree || '/'))
     AND g.src_offset < r.src_offset AND (g.closed_offset IS NULL OR g.closed_offset >= r.src_offset)
    ORDER BY g.src_partition, g.src_offset, r.src_offset
) AS c
WHERE t.src_partition = c.src_partition AND t.src_offset = c.src_offset
"""
DROP_COVERS = """
DELETE FROM covers AS t USING jsonb_to_recordset(%s::jsonb) AS r(hash text, src_offset bigint)
WHERE t.hash = r.hash AND t.src_offset <= r.src_offset
"""

_TYPES = {
    int: "bigint",
    str: "text",
    bool: "boolean",
    float: "double precision",
    bytes: "text",
    datetime: "timestamptz",
    UUID: "uuid",
    Raw: "jsonb",
}
"""How PostgreSQL reads a field of a row from JSON (bytes: base64)."""


def _types(kind: Kind) -> dict[str, type]:
    hints = get_type_hints(kind)
    return {name: _plain(hints[name]) for name in kind.__struct_fields__}


def _plain(hint: Any) -> type:
    """The type in `T | None`."""
    (plain,) = [part for part in get_args(hint) or (hint,) if part is not type(None)]
    assert isinstance(plain, type)
    return plain


def names(columns: tuple[str, ...], table: str = "") -> sql.Composed:
    """A list of columns, qualified by the table if it is given."""
    qualified = [sql.Identifier(*filter(None, (table, column))) for column in columns]
    return sql.SQL(", ").join(qualified)


def _value(column: str, type_: type) -> sql.Composable:
    name = sql.Identifier(column)
    return sql.SQL("decode({}, 'base64')").format(name) if type_ is bytes else name


def _json(kind: Kind) -> sql.Composed:
    typed = [
        sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(_TYPES[type_]))
        for column, type_ in _types(kind).items()
    ]
    values = [_value(column, type_) for column, type_ in _types(kind).items()]
    listed = sql.SQL(", ").join
    return sql.SQL("SELECT {} FROM jsonb_to_recordset(%s::jsonb) AS r({})").format(listed(values), listed(typed))


def staging(kind: Kind) -> sql.Identifier:
    """The temporary table of a kind."""
    return sql.Identifier("pg_temp", f"staged_{kind.__name__.lower()}")


def _staged(kind: Kind) -> sql.Composed:
    return sql.SQL("SELECT {} FROM {}").format(names(kind.__struct_fields__), staging(kind))


def newest(kind: Kind) -> sql.Composed:
    """The newest staged row of each key; of those that one record wrote, the last. They are determined from keys and
    positions only, because whole rows are wide."""
    law = LAWS[kind]
    return sql.SQL(
        "SELECT {columns} FROM {staging} AS s JOIN (SELECT DISTINCT ON ({key}) ctid AS staged_at FROM {staging}"
        " ORDER BY {key}, {newest}, ctid DESC) AS w ON s.ctid = w.staged_at"
    ).format(
        columns=names(kind.__struct_fields__, "s"),
        staging=staging(kind),
        key=names(law.key),
        newest=sql.SQL(", ").join([sql.SQL("{} DESC").format(sql.Identifier(column)) for column in law.guard]),
    )


def upsert(kind: Kind, source: sql.Composed) -> sql.Composed:
    """Write the rows of a query by their kind's law; each key must occur only once."""
    law: Law = LAWS[kind]
    columns = kind.__struct_fields__
    update = law.update or tuple(column for column in columns if column not in law.key)
    return sql.SQL(
        "INSERT INTO {table} AS t ({columns}) {source}"
        " ON CONFLICT ({key}) DO UPDATE SET {update} WHERE ({kept}) <= ({new})"
    ).format(
        table=sql.Identifier(law.table),
        columns=names(columns),
        source=source,
        key=names(law.key),
        update=sql.SQL(", ").join([sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(c)) for c in update]),
        kept=names(law.guard, "t"),
        new=sql.SQL(", ").join([sql.SQL("EXCLUDED.{}").format(sql.Identifier(column)) for column in law.guard]),
    )


def _make_staging(kind: Kind) -> sql.Composed:
    """The staging table exists for one transaction: behind a pooler, one left in a session would be found by the next
    user of the session, and after a migration it would not match its table."""
    return sql.SQL(
        "CREATE TEMPORARY TABLE IF NOT EXISTS {staging} ON COMMIT DROP AS SELECT {columns} FROM {table} WITH NO DATA"
    ).format(
        staging=staging(kind),
        columns=names(kind.__struct_fields__),
        table=sql.Identifier(LAWS[kind].table),
    )


def copy_into(kind: Kind, table: sql.Identifier) -> sql.Composed:
    """COPY of rows of a kind."""
    return sql.SQL("COPY {} ({}) FROM STDIN").format(table, names(kind.__struct_fields__))


UPSERT_JSON = {kind: upsert(kind, _json(kind)) for kind in LAWS}
UPSERT_STAGED = {kind: upsert(kind, _staged(kind)) for kind in LAWS}
MAKE_STAGING = {kind: _make_staging(kind) for kind in LAWS}
COPY_STAGING = {kind: copy_into(kind, staging(kind)) for kind in LAWS}
EMPTY_STAGING = {kind: sql.SQL("TRUNCATE {}").format(staging(kind)) for kind in LAWS}
