"""The span with which each trace begins: an observation, from its record in the outbox to Kafka's acknowledgement."""

from __future__ import annotations

import time
from collections.abc import Iterable

import msgspec

from producer.ports import Outgoing
from runtime.traces import Exporter, Kind, Span, ids
from schemas.times import parse_iso
from schemas.trace import begun


class _Seen(msgspec.Struct):
    root: str
    observed_at: str


def observed(exporter: Exporter, library: bytes, lane: int, records: Iterable[Outgoing]) -> None:
    """Export the spans of a library's records that Kafka has acknowledged just now."""
    now = time.time() * 1000
    for record in records:
        trace, id_ = ids(begun(record.value))
        seen = msgspec.json.decode(record.value, type=_Seen)
        at = float(parse_iso(seen.observed_at))
        attributes: dict[str, str | int] = {
            "kind": record.kind,
            "library": library.decode(),
            "root": seen.root,
            "lane": lane,
        }
        exporter.add(
            Span(trace, id_, "", "observe", Kind.PRODUCER, start=min(at, now), end=now, attributes=attributes)
        )
