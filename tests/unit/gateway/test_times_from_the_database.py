"""A time of the database is in UTC on the wire, in any zone of the database's session."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from gateway.tables.catalogue import at_iso

AT = datetime(2026, 11, 24, 10, 30, 0, 123_456, UTC)


def test_the_sessions_zone_does_not_show() -> None:
    for zone in ("UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu"):
        assert at_iso(AT.astimezone(ZoneInfo(zone))) == "2026-11-24T10:30:00.123Z"
    assert at_iso(None) is None
