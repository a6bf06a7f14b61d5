"""Records to rows. Pure: a record of the log always gives the same rows, wherever and whenever it is read.

It knows what records mean and nothing about what is in the database: order, repetition and age are handled by the rows'
laws.
"""

from __future__ import annotations

from collections.abc import Callable

from schemas import topics
from schemas.headers import check_version
from schemas.log_record import LogRecord
from schemas.topics import Topic
from streams.projector.changed import change_rows
from streams.projector.rows import Row
from streams.projector.updates import analysis_batch_rows, cover_rows, media_rows, status_rows

TOPICS: tuple[Topic, ...] = (
    topics.CHANGES,
    topics.MEDIA_UPDATES,
    topics.ANALYSIS_UPDATES,
    topics.COVERS,
    topics.SYSTEM_UPDATES,
)
"""What the projector reads."""

_READERS: dict[str, Callable[[LogRecord], list[Row]]] = {
    topics.CHANGES.name: change_rows,
    topics.MEDIA_UPDATES.name: media_rows,
    topics.ANALYSIS_UPDATES.name: analysis_batch_rows,
    topics.COVERS.name: cover_rows,
    topics.SYSTEM_UPDATES.name: status_rows,
}


def rows_of(topic: Topic, record: LogRecord) -> list[Row]:
    """The rows of a record of `topic` (one of TOPICS); none if the database does not need it. Raises SchemaError for a
    record that is not valid in the topic."""
    check_version(record.headers)
    return _READERS[topic.name](record)
