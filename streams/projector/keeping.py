"""A record is processed in one of two ways: as its rows, or as a confirmed dead letter.

Rows that the database rejects are in one transaction with others, and the database does not report which record they
are from: the batch is halved until the record is found. This module knows neither how rows are written nor where
letters go.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from schemas.errors import SchemaError
from schemas.log_record import LogRecord
from schemas.topics import Topic
from streams.projector.errors import RowsRefused
from streams.projector.plan import rows_of
from streams.projector.rows import Row

Bury = Callable[[LogRecord, Exception], Awaitable[None]]


class Planned(NamedTuple):
    """A record with its rows; `fault`: why it has none."""

    record: LogRecord
    rows: Sequence[Row]
    fault: SchemaError | None = None


def planned(topic: Topic, record: LogRecord) -> Planned:
    """Plan a record: its rows or its fault. Pure."""
    try:
        return Planned(record, rows_of(topic, record))
    except SchemaError as error:
        return Planned(record, (), error)


async def keep(
    records: Sequence[Planned], write: Callable[[Sequence[Planned]], Awaitable[bool]], bury: Bury
) -> bool:
    """Write the records, and bury those whose rows are rejected. False as soon as `write` returns False: the rest is
    not to be written now."""
    try:
        return await write(records)
    except RowsRefused as error:
        if len(records) == 1:
            await bury(records[0].record, error)
            return await write([Planned(records[0].record, ())])
    half = len(records) // 2
    return await keep(records[:half], write, bury) and await keep(records[half:], write, bury)
