"""Times on the wire: ISO 8601 in UTC with milliseconds (`2026-11-24T10:30:00.123Z`); inside, integer
milliseconds since the Unix epoch, as Kafka's own record timestamps are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NewType

Millis = NewType("Millis", int)
"""Milliseconds since 1970-01-01T00:00:00Z."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400_000
_day_cache: dict[int, str] = {}


def iso(at: int) -> str:
    """Write milliseconds since the epoch as ISO 8601 UTC with milliseconds."""
    day, rest = divmod(at, _DAY)
    date = _day_cache.get(day)
    if date is None:
        if len(_day_cache) > 1024:  # bounded: a replay of years passes here day by day
            _day_cache.clear()
        date = _day_cache[day] = (_EPOCH + timedelta(days=day)).strftime("%Y-%m-%dT")
    seconds, millis = divmod(rest, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{date}{hour:02d}:{minute:02d}:{second:02d}.{millis:03d}Z"


def parse_iso(text: str) -> Millis:
    """Read ISO 8601; without a zone it is taken as UTC. Raises ValueError when it is not a time."""
    at = datetime.fromisoformat(text)
    return millis(at.replace(tzinfo=UTC) if at.tzinfo is None else at)


def millis(at: datetime) -> Millis:
    """Milliseconds since the epoch of a time with a zone."""
    return Millis((at - _EPOCH) // timedelta(milliseconds=1))
