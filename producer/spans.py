"""The span with which each trace begins: an observation, from when it was made to when Kafka has acknowledged it."""

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
    """Records of a library that Kafka has acknowledged now."""
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
