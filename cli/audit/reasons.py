"""Explains differences that may be temporary. Pure.

A difference is `pending` as long as something announced and still open explains it, because it will be resolved. An
explanation applies only to matching differences: deletions that wait for a second check explain only entries that the log
still has, and had before the deletions were found.
"""

from __future__ import annotations

from dataclasses import dataclass

from cli.audit.announced import MASS_DELETION, AnnouncedGap
from cli.audit.belief import RootBelief
from cli.audit.findings import Severity, What
from schemas.paths import display, is_inside

UNWATCHED = frozenset({"watch_limit", "watch_unavailable"})


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The facts of one difference. `offset`: of the last record that names the path; `quiet_ms`: time since its last change,
    according to the log or the disk; `excluded`: the settings here exclude it."""

    what: What
    path: str
    offset: int | None
    quiet_ms: int
    settle_ms: int
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class CatalogueProgress:
    """How far the catalogue is behind the log. `fold`: the next offset of the change log that the fold will read;
    `behind`: changes wait for the projector."""

    fold: int
    behind: bool


def of_disk(case: Circumstances, root: RootBelief) -> tuple[Severity, str]:
    """Why log and disk differ."""
    if case.quiet_ms < case.settle_ms:
        return "pending", f"changed {case.quiet_ms / 1000:.1f} s ago, it may still settle"
    if root.lost is not None:
        return "pending", f"the root is lost ({root.lost[0]}, offset {root.lost[1]})"
    for gap in root.gaps.still_open():
        if (why := _by_gap(gap, case)) is not None:
            return "pending", why
    for scan in root.scans.values():
        if is_inside(case.path, scan.subtree):
            return "pending", f"scan {scan.number} (offset {scan.begun}) has not finished"
    return "fault", "the settings here exclude it" if case.excluded else ""


def of_catalogue(case: Circumstances, root: RootBelief, progress: CatalogueProgress) -> tuple[Severity, str]:
    """Why log and catalogue differ."""
    if case.offset is not None and case.offset >= progress.fold:
        return "pending", f"the fold has not read that far (it stands at {progress.fold})"
    if progress.behind:
        return "pending", "changes wait for the projector"
    if case.quiet_ms < max(case.settle_ms, root.settle_ms + case.settle_ms):
        return "pending", f"last recorded {case.quiet_ms / 1000:.1f} s ago, it may still settle"
    return "fault", ""


def _by_gap(gap: AnnouncedGap, case: Circumstances) -> str | None:
    if not is_inside(case.path, gap.subtree):
        return None
    where = f" below {display(gap.subtree)!r}" if gap.subtree else ""
    if gap.cause == MASS_DELETION:
        withheld = case.what == "phantom" and (case.offset is None or case.offset < gap.offset)
        return f"its deletion waits for a second look (offset {gap.offset})" if withheld else None
    if gap.cause in UNWATCHED:
        return f"not every directory is watched ({gap.cause}, offset {gap.offset}): it is seen at the next scan"
    return f"a gap{where} is open ({gap.cause}, offset {gap.offset})"
