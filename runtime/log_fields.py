"""The log fields that identify a record: its position, its event id and its library.

While a record is processed these fields are in every log line, whichever module logs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from structlog.contextvars import bind_contextvars, bound_contextvars, unbind_contextvars

from schemas.headers import CE_ID, find
from schemas.log_record import LogRecord, StoredRecord
from schemas.topics import BY_NAME
from schemas.trace import carried

_TRACE_ID = slice(len("00-"), len("00-") + 32)


def fields(record: LogRecord) -> dict[str, object]:
    """`topic`, `partition`, `offset`; and if the record has them `event_id` (its CloudEvents id), `library` and `trace`
    (the W3C trace id)."""
    return fields_at(record.topic, record.partition, record)


def fields_at(topic: str, partition: int, record: StoredRecord) -> dict[str, object]:
    """The same for a record of a known partition."""
    found: dict[str, object] = {"topic": topic, "partition": partition, "offset": record.offset}
    if (id_ := find(record.headers, CE_ID)) is not None:
        found["event_id"] = id_.decode("ascii", "replace")
    if record.key and _is_by_library(topic):
        found["library"] = record.key.decode("utf-8", "replace")
    if (context := carried(record.headers)) is not None:
        found["trace"] = context[_TRACE_ID].decode("ascii")
    return found


@contextmanager
def processing(record: LogRecord) -> Iterator[None]:
    """Log lines of the block, and of tasks that it starts, have the record's fields."""
    found = fields(record)
    with bound_contextvars(**found):
        try:
            yield
        finally:
            if "library" not in found:  # `of_library` may have added it
                unbind_contextvars("library")


def of_library(library: str) -> None:
    """Add the library of the record that is processed, for records whose key is not the library."""
    bind_contextvars(library=library)


def _is_by_library(topic: str) -> bool:
    declared = BY_NAME.get(topic) or BY_NAME.get(
        topic.partition(".")[2]
    )  # with or without the installation's prefix
    return declared is not None and declared.key == "library"
