"""Times on the wire: ISO 8601 in UTC with milliseconds (`2026-11-24T10:30:00.123Z`); inside, integer
milliseconds since the Unix epoch, as Kafka's own record timestamps are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NewType

Millis = NewType("Millis", int)
"""Milliseconds since 1970-01-01T00:00:00Z."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_seconds: dict[int, str] = {}


def iso(at: int) -> str:
    """Write milliseconds since the epoch as ISO 8601 UTC with milliseconds."""
    second = at // 1000
    text = _seconds.get(second)
    if text is None:
        if len(_seconds) > 1024:  # bounded: a replay of years passes here second by second
            _seconds.clear()
        text = _seconds[second] = (_EPOCH + timedelta(seconds=second)).isoformat()[:19] + "."
    return f"{text}{at % 1000:03d}Z"


def parse_iso(text: str) -> Millis:
    """Read ISO 8601; without a zone it is taken as UTC. Raises ValueError when it is not a time."""
    at = datetime.fromisoformat(text)
    return millis(at.replace(tzinfo=UTC) if at.tzinfo is None else at)


def millis(at: datetime) -> Millis:
    """Milliseconds since the epoch of a time with a zone."""
    return Millis((at - _EPOCH) // timedelta(milliseconds=1))
