"""Findings as lines for people. Pure.

Unprintable characters in names are escaped, so that no name can look like another line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import assert_never

from cli.audit.findings import (
    AnyFinding,
    Difference,
    GapFound,
    Hole,
    NoRecord,
    PathState,
    Repeated,
    RootFound,
    Summary,
)
from cli.printable import printable
from schemas.paths import from_wire

PENDING_SHOWN = 20
_WHAT = {
    "missing": "on the disk, not in the log",
    "phantom": "in the log, not on the disk",
    "changed": "other on the disk than in the log",
    "not_in_catalogue": "in the log, not in the catalogue",
    "only_in_catalogue": "in the catalogue, not in the log",
    "catalogue_differs": "other in the catalogue than in the log",
}


class Brief:
    """Chooses the findings that are shown to people: all faults and notes, and of pending differences the first few of each
    root and kind, with the number of the others."""

    def __init__(self) -> None:
        self._pending: Counter[tuple[str, str]] = Counter()

    def shows(self, finding: AnyFinding) -> bool:
        """Whether the next finding is shown."""
        if finding.severity != "pending" or not isinstance(finding, Difference):
            return True
        self._pending[finding.root, finding.what] += 1
        return self._pending[finding.root, finding.what] <= PENDING_SHOWN

    def more(self) -> Iterator[str]:
        """After the last finding: lines about those that were not shown."""
        for (root, what), count in sorted(self._pending.items()):
            if count > PENDING_SHOWN:
                yield f"pending  {root}  {count - PENDING_SHOWN} more {_WHAT[what]} (--json names each)"


def line(finding: AnyFinding) -> str:
    """A finding as one line."""
    why = f": {finding.why}" if finding.why else ""
    return printable(f"{finding.severity:<8} {finding.root or '-'}  {_text(finding)}{why}")


def _text(finding: AnyFinding) -> str:
    match finding:
        case RootFound():
            return "root"
        case Hole():
            return _hole(finding)
        case Repeated():
            where = _range(finding.offset, finding.last_offset)
            first = (
                "" if finding.first_offset is None else f", first at {finding.partition}:{finding.first_offset}"
            )
            return (
                f"seq {_range(finding.first_seq, finding.last_seq)} of {finding.epoch} came again at"
                f" {finding.partition}:{where}{first}{_healed(finding)}"
            )
        case NoRecord():
            return f"no record at {finding.partition}:{finding.offset}"
        case GapFound():
            return _gap(finding)
        case Difference():
            return _difference(finding)
        case _:
            assert_never(finding)


def _healed(found: Hole | Repeated) -> str:
    return "" if found.healed_at is None else f"; a baseline has made up for it ({found.healed_at})"


def _hole(hole: Hole) -> str:
    late = f", {hole.late} of them came too late" if hole.late else ""
    return (
        f"seq {_range(hole.first_seq, hole.last_seq)} of {hole.epoch} never came before"
        f" {hole.partition}:{hole.offset}{late}{_healed(hole)}"
    )


def _gap(gap: GapFound) -> str:
    where = f" below {from_wire(gap.subtree, gap.subtree_b64)}" if gap.subtree else ""
    begun = f"gap{where} ({gap.cause}) since {gap.opened_at} ({gap.partition}:{gap.opened_offset})"
    if gap.closed_offset is None:
        return f"{begun}, still open"
    counts = gap.counts
    found = (
        ""
        if counts is None
        else f", found {counts.added} added, {counts.changed} changed, {counts.moved} moved, {counts.gone} gone"
    )
    return f"{begun}, closed {gap.closed_at} by {gap.closed_by} ({gap.partition}:{gap.closed_offset}){found}"


def _difference(found: Difference) -> str:
    parts = [_WHAT[found.what]]
    if found.fields:
        pairs = (f"{name} {_field(found.log, name)} and {_field(found.other, name)}" for name in found.fields)
        parts.append(f"({', '.join(pairs)})")
    if found.offset is not None:
        cause = f", cause {found.cause}" if found.cause else ""
        parts.append(f"[{found.record} {found.partition}:{found.offset} {found.at}{cause}]")
    return f"{from_wire(found.path, found.path_b64)}  {' '.join(parts)}"


def _field(seen: PathState | None, name: str) -> str:
    return str(getattr(seen, name, "-"))


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first} to {last}"


def closing(summary: Summary) -> str:
    """The summary, in a line or two."""
    compared = ", ".join(summary.roots) or "none"
    catalogue = "log, catalogue and disk" if summary.catalogue else "log and disk (no database is set)"
    text = (
        f"{summary.records} records read, {summary.repeated} of them sent again, {summary.holes} holes,"
        f" {summary.open_gaps} open gaps; {catalogue} compared for {summary.paths} paths of roots: {compared}"
    )
    if summary.elsewhere:
        text += f"; not compared: {', '.join(summary.elsewhere)}"
    verdict = "nothing is wrong" if not summary.faults else f"{summary.faults} faults"
    return f"{text}\n{verdict}" + (f", {summary.pending} pending" if summary.pending else "")
