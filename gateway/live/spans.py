"""The span of an event on its way to sockets: from its append to the log until all live sockets have been written to."""

from __future__ import annotations

import time
from collections.abc import Iterable

from runtime.traces import Exporter, Kind, Span, ids, new_id
from schemas.headers import CE_ID, find
from schemas.log_record import LogRecord
from schemas.trace import carried


def delivered(exporter: Exporter, channel: str, records: Iterable[LogRecord]) -> None:
    """Export a span for each of a channel's events that were just passed to the sockets."""
    now = time.time() * 1000
    for record in records:
        if (context := carried(record.headers)) is None:
            continue
        trace, parent = ids(context)
        attributes: dict[str, str | int] = {
            "channel": channel,
            "partition": record.partition,
            "offset": record.offset,
        }
        if (event := find(record.headers, CE_ID)) is not None:
            attributes["event_id"] = event.decode("ascii", "replace")
        start = min(float(record.timestamp), now)
        exporter.add(
            Span(trace, new_id(), parent, "deliver", Kind.CONSUMER, start=start, end=now, attributes=attributes)
        )
