"""Open gaps of each root, from the changes. While there is one, an update says that changes may have been missed, and when
the last one is closed, an update says so.
"""

from __future__ import annotations

from msgspec import UNSET, Struct, convert

from schemas.changes import GapChanged
from schemas.paths import is_inside
from schemas.system import OPEN_GAPS, SystemUpdate

OPEN = OPEN_GAPS
MAX_LISTED = 20


class Gap(Struct, frozen=True):
    """An open gap: where and why."""

    subtree: str
    cause: str


class OpenGaps:
    """Open gaps by root."""

    def __init__(self) -> None:
        self._open: dict[str, list[Gap]] = {}

    def restore(self, update: SystemUpdate) -> None:
        """Restore from the update published last on a root's gaps."""
        details = {} if update.details is UNSET else update.details
        self._open[update.component] = convert(details.get(OPEN, []), list[Gap])

    def change(self, change: GapChanged) -> SystemUpdate:
        """Apply a change; returns the update to publish. Applying the same change again gives the same update."""
        gaps = self._open.setdefault(change.root, [])
        gap = Gap(change.subtree, change.cause)
        if change.state == "open":
            if gap not in gaps:
                gaps.append(gap)
        else:
            gaps[:] = [g for g in gaps if not (g.cause == gap.cause and is_inside(g.subtree, gap.subtree))]
        return self._update(change)

    def count(self, root: str) -> int:
        """How many gaps of a root are open."""
        return len(self._open.get(root, ()))

    def _update(self, change: GapChanged) -> SystemUpdate:
        gaps = self._open[change.root]
        details: dict[str, object] = {
            "library": change.library,
            "cause": change.cause,
            "subtree": change.subtree,
            OPEN: [{"subtree": gap.subtree, "cause": gap.cause} for gap in gaps[:MAX_LISTED]],
        }
        if change.first_seq is not None:
            details |= {"first_seq": change.first_seq, "last_seq": change.last_seq}
        if gaps:
            where = f" below {gaps[-1].subtree}" if gaps[-1].subtree else ""
            message = f"changes in {change.root}{where} may have been missed ({gaps[-1].cause})"
        else:
            message = f"what was missed in {change.root} has been made up for ({change.cause})"
            if change.counts is not None:
                counts = change.counts
                details |= {"added": counts.added, "changed": counts.changed}
                details |= {"moved": counts.moved, "gone": counts.gone}
        return SystemUpdate(
            action="storage_update",
            component=change.root,
            status="warning" if gaps else "healthy",
            message=message,
            details=details,
        )
