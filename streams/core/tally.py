"""The account of one scan, or of one quiet batch outside scans: what of it is still open, what came out.

`outstanding` counts paths not yet decided, `open_jobs` jobs without a result. A scan that another one
covers before it finished is merged into that one.
"""

from __future__ import annotations

from schemas.raw import Origin


class Tally:
    """`scan_id` None: a batch outside scans. `seen`: paths observed since a baseline began, else None.
    `started_at` in lane time: when the first job was asked."""

    __slots__ = (
        "arrived",
        "cause",
        "deadline",
        "failed",
        "finished",
        "identified",
        "jumps",
        "library",
        "merged_into",
        "number",
        "open_jobs",
        "order",
        "origin",
        "outstanding",
        "processed",
        "root",
        "scan_id",
        "seen",
        "started_at",
        "subtree",
    )  # fmt: skip

    def __init__(self, library: str, root: str, scan_id: int | None) -> None:
        self.library = library
        self.root = root
        self.scan_id = scan_id
        self.number = 0
        self.subtree = ""
        self.origin: Origin = "live"
        self.cause = ""
        self.finished = scan_id is None
        self.arrived = 0
        self.jumps = 0
        self.outstanding = 0
        self.open_jobs = 0
        self.processed = 0
        self.identified = 0
        self.failed = 0
        self.started_at: int | None = None
        self.seen: set[str] | None = None
        self.merged_into: Tally | None = None
        self.deadline: int | None = None
        self.order = 0

    @property
    def complete(self) -> bool:
        """Nothing of it is open any more."""
        return self.finished and not self.outstanding and not self.open_jobs

    def left(self, ended: list[Tally]) -> None:
        """One path of it is decided, or counts for another scan now; `ended` is told when that was the last."""
        tally = self.live
        tally.outstanding -= 1
        if not tally.outstanding:
            ended.append(tally)

    @property
    def live(self) -> Tally:
        """Itself, or the scan that it was merged into."""
        tally = self
        while tally.merged_into is not None:
            tally = tally.merged_into
        return tally

    def absorb(self, other: Tally) -> None:
        """Take over the account of a superseded scan: what refers to it means this one from here on."""
        other.merged_into = self
        self.outstanding += other.outstanding
        self.open_jobs += other.open_jobs
        self.processed += other.processed
        self.identified += other.identified
        self.failed += other.failed
        if other.started_at is not None:
            self.started_at = (
                other.started_at if self.started_at is None else min(self.started_at, other.started_at)
            )
