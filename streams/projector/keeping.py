"""A record leaves the log in one of two ways: as its rows, or as a confirmed dead letter.

Rows that the database refuses come with others in one transaction, and it does not say whose they are: halving finds out.
It knows neither how rows are written nor where letters go.
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
    """A record with the rows it stands for; `fault`: why it stands for none."""

    record: LogRecord
    rows: Sequence[Row]
    fault: SchemaError | None = None


def planned(topic: Topic, record: LogRecord) -> Planned:
    """What is to be done with a record. Pure."""
    try:
        return Planned(record, rows_of(topic, record))
    except SchemaError as error:
        return Planned(record, (), error)


async def keep(
    records: Sequence[Planned], write: Callable[[Sequence[Planned]], Awaitable[bool]], bury: Bury
) -> bool:
    """Write them, and bury those whose rows are refused. False as soon as `write` says that the rest is not to be
    written now."""
    try:
        return await write(records)
    except RowsRefused as error:
        if len(records) == 1:
            await bury(records[0].record, error)
            return await write([Planned(records[0].record, ())])
    half = len(records) // 2
    return await keep(records[:half], write, bury) and await keep(records[half:], write, bury)
