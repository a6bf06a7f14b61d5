"""The progress of a lane, for health, metrics, and the users of the change log."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from streams import metrics


@dataclass(slots=True)
class LaneProgress:
    """What health and metrics need. `moved_at`: monotonic seconds of the last progress; `requested`: jobs of analyses
    on request that are still to be requested or are open; `covered`: the offset up to which a snapshot has the state;
    `due`: after how many records the next snapshot is due; `at`: append time of the last record folded, ms; None: none
    yet."""

    state: str = "starting"
    next_offset: int = 0
    behind: bool = False
    moved_at: float = field(default_factory=time.monotonic)
    folded: int = 0
    committed: int = 0
    transactions: int = 0
    snapshots: int = 0
    requested: int = 0
    covered: int = 0
    due: int = 0
    at: int | None = None

    def behind_seconds(self, now: float) -> float:
        """The age of the last record folded, if there are more to fold. `now`: seconds since 1970."""
        return max(0.0, now - self.at / 1000) if self.behind and self.at is not None else 0.0

    def show(self, lane: int) -> None:
        """Set the lane's gauges."""
        metrics.DUE.labels(lane).set(self.due)
        metrics.UNCOVERED.labels(lane).set(max(0, self.next_offset - self.covered))
        metrics.REQUESTED.labels(lane).set(self.requested)


def forget(lane: int) -> None:
    """Remove the lane's gauges: it is another worker's now."""
    for gauge in metrics.OF_LANES:
        gauge.remove(lane)
