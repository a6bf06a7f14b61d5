"""What was lost: deleted, and neither there again nor elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from cli.errors import BadArgument
from cli.history.change_lines import change_line
from cli.history.lost import Losses, LostTotal
from cli.history.reading import Of
from cli.history.span import parse_since
from schemas import changes as c
from schemas.places import AtTime, Earliest
from schemas.times import Millis

COMMON: dict[str, Any] = {"library": "home", "root": "films", "at": "2026-01-01T00:00:00Z", "origin": "live"}


@dataclass(frozen=True, slots=True)
class Logged:
    """A record as far as it is looked at."""

    offset: int
    partition: int = 0
    topic: str = "changes"
    timestamp: int = 0
    key: bytes | None = None
    value: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


def deleted(path: str, **more: Any) -> c.Deleted:
    return c.Deleted(**(COMMON | {"path": path, "type": "file", "size": 10} | more))


def created(path: str, **more: Any) -> c.Created:
    return c.Created(**(COMMON | {"path": path, "type": "file"} | more))


def renamed(source: str, target: str, **more: Any) -> c.Renamed:
    return c.Renamed(
        **(COMMON | {"path": target, "from_path": source, "from_root": "films", "type": "file"} | more)
    )


def losses(*within: c.Change, after: tuple[c.Change, ...] = ()) -> Losses:
    found = Losses()
    for offset, change in enumerate((*within, *after)):
        found.read(Logged(offset), change, counts=offset < len(within))
    return found


def lost(*within: c.Change, after: tuple[c.Change, ...] = ()) -> list[str]:
    return [one.exact_path for one in losses(*within, after=after).files()]


def test_a_file_that_was_deleted_is_lost_with_its_exact_name() -> None:
    found = losses(deleted("b"), deleted("a\N{REPLACEMENT CHARACTER}", path_b64="Yf8=")).files()
    assert [one.exact_path for one in found] == ["a\udcff", "b"]
    assert [(one.path, one.path_b64) for one in found] == [
        ("a\N{REPLACEMENT CHARACTER}", "Yf8="), ("b", None),
    ]  # fmt: skip


def test_what_is_there_again_is_not_lost_whatever_brought_it() -> None:
    assert lost(deleted("a"), created("a")) == []
    assert lost(deleted("a"), after=(created("a", settled=False),)) == []
    assert lost(deleted("a"), renamed("b", "a")) == []
    assert lost(deleted("a"), created("a"), deleted("a")) == ["a"]


def test_what_lives_on_elsewhere_is_not_lost() -> None:
    assert lost(renamed("a", "b")) == []
    assert lost(deleted("a"), created("a"), renamed("a", "b")) == []
    assert lost(deleted("a", media_id=7), renamed("x", "b", media_id=7)) == []


def test_only_deletions_of_the_requested_time_count() -> None:
    assert lost(after=(deleted("a"),)) == []
    assert lost(deleted("a"), after=(created("a"), deleted("a"))) == []


def test_what_is_still_on_the_disk_is_not_lost() -> None:
    assert lost(deleted("a", cause="retired"), deleted("b", cause="excluded")) == []


def test_they_are_counted_by_cause_and_scan_and_in_all() -> None:
    found = losses(
        deleted("d", type="dir", size=0),
        deleted("d/a"),
        deleted("b", cause="mass_deletion", scan_id=4, origin="scan"),
    )
    at = COMMON["at"]
    assert list(found.totals()) == [
        LostTotal(
            root="films", cause=None, scan_id=None, files=1, bytes=10, directories=1, first_at=at, last_at=at
        ),
        LostTotal(
            root="films",
            cause="mass_deletion",
            scan_id=4,
            files=1,
            bytes=10,
            directories=0,
            first_at=at,
            last_at=at,
        ),
        LostTotal(root=None, cause=None, scan_id=None, files=2, bytes=20, directories=1, first_at=at, last_at=at),
    ]
    assert list(losses().totals())[-1].first_at is None


def test_since_is_a_place_or_so_long_ago() -> None:
    now = Millis(10_000_000)
    hour = int(timedelta(hours=1).total_seconds() * 1000)
    assert parse_since("PT1H", "--since", now) == AtTime(Millis(now - hour))
    assert parse_since("P1D", "--since", now) == AtTime(Millis(0))
    assert parse_since("1970-01-01T00:01:00Z", "--since", now) == AtTime(Millis(60_000))
    assert parse_since("earliest", "--since", now) == Earliest()
    for wrong in ("last:5", "P", "yesterday"):
        with pytest.raises(BadArgument, match="--since"):
            parse_since(wrong, "--since", now)


def test_a_move_out_of_a_root_is_of_that_root() -> None:
    change = renamed("a", "b", root="music")
    assert Of(root="films").admits(change)
    assert Of(root="music").admits(change)
    assert not Of(root="books").admits(change)
    assert not Of(library="other").admits(change)


def test_a_change_is_one_line_with_what_where_and_why() -> None:
    assert change_line(renamed("a\n", "b", media_id=7, cause="tree")) == (
        r"2026-01-01T00:00:00Z  moved        films/b  from films/a\n  media 7  cause tree"
    )
    assert change_line(deleted("a", scan_id=3)) == "2026-01-01T00:00:00Z  deleted      films/a  10 bytes  scan 3"
    gap = c.GapChanged(library="home", root="films", at="T", state="open", cause="overflow", subtree="d")
    assert change_line(gap) == "T  gap_changed  films  open below d  cause overflow"
