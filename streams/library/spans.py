"""The trace span of the fold's outputs for an observation: from the record that decided them to the end of the
transaction."""

from __future__ import annotations

import time
from collections.abc import Iterable

from runtime.traces import Exporter, Kind, Span, ids, root_of
from schemas.headers import CE_ID, CE_TIME, find
from schemas.times import parse_iso
from schemas.topics import ANALYSIS_JOBS, REQUESTED_JOBS
from schemas.trace import carried
from streams.core.emit import Output

_BY_MEDIA_ID = (ANALYSIS_JOBS, REQUESTED_JOBS)


def folded(exporter: Exporter, outputs: Iterable[Output]) -> None:
    """Export spans for outputs that were just committed."""
    now = time.time() * 1000
    for output in outputs:
        context, at = carried(output.headers), find(output.headers, CE_TIME)
        if context is None or at is None:
            continue
        trace, id_ = ids(context)
        attributes: dict[str, str | int] = {"topic": output.topic.name, "partition": output.partition}
        if (event := find(output.headers, CE_ID)) is not None:
            attributes["event_id"] = event.decode()
        if output.topic not in _BY_MEDIA_ID:
            attributes["library"] = output.key.decode("utf-8", "replace")
        start = float(parse_iso(at.decode()))
        exporter.add(
            Span(
                trace,
                id_,
                root_of(trace),
                "fold",
                Kind.CONSUMER,
                start=min(start, now),
                end=now,
                attributes=attributes,
            )
        )
