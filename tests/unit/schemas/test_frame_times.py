"""A frame's `timestamp` is always a time with its zone: the event's own where it has one, else when it was appended."""

from __future__ import annotations

from datetime import datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.channels import NOTIFICATIONS
from schemas.envelope import EventFrames
from schemas.headers import CE_TIME

APPENDED = 1_764_000_000_123
AS_APPENDED = "2025-11-24T16:00:00.123Z"


def timestamp(headers: tuple[tuple[str, bytes], ...], appended: int = APPENDED) -> str:
    frame = EventFrames(NOTIFICATIONS, legacy_payload=True).frame(0, 7, appended, headers, b"{}")
    found: str = msgspec.json.decode(frame)["timestamp"]
    return found


@pytest.mark.parametrize(
    "own", ["2026-11-24T10:30:00Z", "2026-11-24T10:30:00.123456Z", "2026-11-24T10:30:00.5+01:00"]
)
def test_the_event_s_own_time_is_passed_on_as_it_was_written(own: str) -> None:
    assert timestamp(((CE_TIME, own.encode()),)) == own


@pytest.mark.parametrize(
    "garbage",
    [
        b"", b"now", b"1764000000123", b"2026-13-01T00:00:00Z", b"2026-11-24", b"2026-11-24T10:30:00", b"20261124T103000Z",
        b"2026-11-24T24:00:00Z", b"2026-11-24 10:30:00Z", b"2026-11-24T10:30:00Z\n", b"\xff\xfe", b"9" * 1_000,
        "٢٠٢٦-11-24T10:30:00Z".encode(),
    ],
)  # fmt: skip
def test_what_is_no_time_gives_way_to_when_it_was_appended(garbage: bytes) -> None:
    assert timestamp(((CE_TIME, garbage),)) == AS_APPENDED


def test_without_a_time_it_is_when_it_was_appended() -> None:
    assert timestamp(()) == AS_APPENDED


times = st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat().encode())


@given(
    own=st.none() | st.binary(max_size=40) | times | times.flatmap(lambda t: st.permutations(t).map(bytes)),
    appended=st.integers(-(2**63), 2**63 - 1),
)
def test_whatever_a_record_has_it_is_a_time_with_its_zone(own: bytes | None, appended: int) -> None:
    shown = timestamp(() if own is None else ((CE_TIME, own),), appended)
    assert datetime.fromisoformat(shown).tzinfo is not None
