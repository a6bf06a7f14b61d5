"""Gaps that producers have announced: from which record on observations may be missing, and until when. Pure.

Only records that count are passed in. A gap is closed by a `gap_closed` with its cause for its directory or one above, by a
complete baseline of a later outbox, or when the root is retired.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cli.audit.findings import GapFound
from schemas.paths import is_inside, to_wire
from schemas.raw import Counts
from schemas.times import iso

MASS_DELETION = "mass_deletion"
"""Cause of the gap that is open while deletions wait for a second check."""


@dataclass(slots=True)
class AnnouncedGap:
    """One gap. `subtree`: with surrogates for bytes that are not UTF-8."""

    epoch: str
    cause: str
    subtree: str
    offset: int
    at: int
    closed_offset: int | None = None
    closed_at: int | None = None
    closed_by: Literal["gap_closed", "baseline", "retired"] | None = None
    counts: Counts | None = None


class Gaps:
    """The gaps of one root."""

    def __init__(self) -> None:
        self._all: list[AnnouncedGap] = []

    def open(self, gap: AnnouncedGap) -> None:
        """Add a gap that a producer announced."""
        self._all.append(gap)

    def close(self, cause: str, subtree: str, offset: int, at: int, counts: Counts) -> None:
        """Close the gaps of this cause at the directory and below."""
        for gap in self.still_open():
            if gap.cause == cause and is_inside(gap.subtree, subtree):
                gap.closed_offset, gap.closed_at, gap.closed_by, gap.counts = offset, at, "gap_closed", counts

    def end_all(self, by: Literal["baseline", "retired"], offset: int, at: int, *, but: str | None = None) -> None:
        """Close the gaps of all outboxes `but` this one."""
        for gap in self.still_open():
            if gap.epoch != but:
                gap.closed_offset, gap.closed_at, gap.closed_by = offset, at, by

    def still_open(self) -> list[AnnouncedGap]:
        """The open gaps, in the log's order."""
        return [gap for gap in self._all if gap.closed_offset is None]

    def findings(self, root: str, partition: int) -> Iterator[GapFound]:
        """One finding for each gap."""
        for gap in self._all:
            display, b64 = to_wire(gap.subtree)
            yield GapFound(
                severity="pending" if gap.closed_offset is None else "note", root=root, epoch=gap.epoch,
                cause=gap.cause, subtree=display, subtree_b64=b64, partition=partition, opened_offset=gap.offset,
                opened_at=iso(gap.at), closed_offset=gap.closed_offset,
                closed_at=None if gap.closed_at is None else iso(gap.closed_at), closed_by=gap.closed_by,
                counts=gap.counts,
            )  # fmt: skip
