"""Times on the wire: ISO 8601 in UTC with milliseconds (`2026-11-24T10:30:00.123Z`); inside, integer
milliseconds since the Unix epoch, as Kafka's own record timestamps are."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NewType

Millis = NewType("Millis", int)
"""Milliseconds since 1970-01-01T00:00:00Z."""

_RFC_3339 = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
_PLAIN = re.compile(
    rb"(?!0000)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z"
)
"""As `iso` writes times, but for the last days of a month: these need a calendar."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_SECOND = -62_135_596_800
_LAST_SECOND = 253_402_300_799
_seconds: dict[int, str] = {}


def iso(at: int) -> str:
    """Write milliseconds since the epoch as ISO 8601 UTC with milliseconds. A time outside of the years 1 to 9999
    cannot be written so and becomes the nearest one that can: in a topic created by hand, writers may set any
    timestamp."""
    second = at // 1000
    text = _seconds.get(second)
    if text is None:
        if len(_seconds) > 1024:  # bounded: a replay of years passes here second by second
            _seconds.clear()
        written = _EPOCH + timedelta(seconds=min(max(second, _FIRST_SECOND), _LAST_SECOND))
        text = _seconds[second] = written.isoformat()[:19] + "."
    return f"{text}{at % 1000:03d}Z"


def parse_iso(text: str) -> Millis:
    """Read ISO 8601; a time without a zone is UTC. Raises ValueError when it is not a time."""
    at = datetime.fromisoformat(text)
    return millis(at.replace(tzinfo=UTC) if at.tzinfo is None else at)


def is_timestamp(text: bytes) -> bool:
    """True for a time by RFC 3339, with its zone: every parser of ISO 8601 can read it."""
    if _PLAIN.fullmatch(text):
        return True
    try:
        return _RFC_3339.fullmatch(text) is not None and datetime.fromisoformat(text.decode()) is not None
    except ValueError:
        return False


def millis(at: datetime) -> Millis:
    """A time with a zone as milliseconds since the epoch."""
    return Millis((at - _EPOCH) // timedelta(milliseconds=1))
