"""An open gap of a root is published, and so is the closing of the last one."""

from __future__ import annotations

from typing import Literal

from schemas.changes import GapChanged
from schemas.raw import Counts
from schemas.system import SystemUpdate
from streams.status.open_gaps import OpenGaps


def gap(
    state: Literal["open", "closed"], cause: str = "overflow", subtree: str = "", root: str = "movies"
) -> GapChanged:
    counts = Counts(added=2) if state == "closed" else None
    return GapChanged(library="home", root=root, at="t", state=state, cause=cause, subtree=subtree, counts=counts)


def updates(gaps: OpenGaps, *changes: GapChanged) -> list[str]:
    return [gaps.change(change).status for change in changes]


def test_an_open_gap_warns_naming_root_place_and_cause() -> None:
    assert OpenGaps().change(gap("open", subtree="Shows")) == SystemUpdate(
        action="storage_update",
        component="movies",
        status="warning",
        message="changes in movies below Shows may have been missed (overflow)",
        details={
            "library": "home",
            "cause": "overflow",
            "subtree": "Shows",
            "open_gaps": [{"subtree": "Shows", "cause": "overflow"}],
        },
    )


def test_a_closed_gap_is_well_again_and_says_what_had_been_missed() -> None:
    gaps = OpenGaps()
    gaps.change(gap("open"))
    update = gaps.change(gap("closed"))
    assert (update.status, update.message) == (
        "healthy",
        "what was missed in movies has been made up for (overflow)",
    )
    assert isinstance(update.details, dict)
    assert update.details["added"] == 2


def test_the_last_gap_counts() -> None:
    opened = (gap("open", "overflow", "a"), gap("open", "seq_jump"))
    assert updates(OpenGaps(), *opened, gap("closed", "overflow", "a"), gap("closed", "seq_jump")) == [
        "warning", "warning", "warning", "healthy",
    ]  # fmt: skip


def test_a_scan_of_the_whole_closes_the_gaps_of_its_cause_below() -> None:
    assert (
        updates(OpenGaps(), gap("open", subtree="a"), gap("open", subtree="b/c"), gap("closed"))[-1] == "healthy"
    )


def test_roots_are_kept_apart() -> None:
    assert updates(OpenGaps(), gap("open"), gap("closed", root="music")) == ["warning", "healthy"]


def test_the_same_change_again_gives_the_same_update() -> None:
    gaps = OpenGaps()
    assert gaps.change(gap("open")) == gaps.change(gap("open"))
    assert gaps.change(gap("closed")) == gaps.change(gap("closed"))


def test_the_last_update_restores_what_is_open() -> None:
    before = OpenGaps()
    before.change(gap("open", "overflow", "a"))
    update = before.change(gap("open", "seq_jump"))
    after = OpenGaps()
    after.restore(update)
    assert after.change(gap("closed", "seq_jump")).status == "warning"
