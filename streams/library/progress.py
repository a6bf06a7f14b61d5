"""How far a lane is, for health, metrics, and who needs the change log."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from streams import metrics


@dataclass(slots=True)
class LaneProgress:
    """What health and metrics want to know. `moved_at`: monotonic seconds of the last step forward; `requested`: jobs that
    analyses on request have still to ask or wait for; `covered`: up to where a snapshot has the state; `due`: after so
    many records there is to be another; `at`: append
    time of the last record folded, ms; None: none was yet."""

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
        """The age of the last record folded, where there is more to fold. `now`: seconds since 1970."""
        return max(0.0, now - self.at / 1000) if self.behind and self.at is not None else 0.0

    def show(self, lane: int) -> None:
        """Set the lane's gauges."""
        metrics.DUE.labels(lane).set(self.due)
        metrics.UNCOVERED.labels(lane).set(max(0, self.next_offset - self.covered))
        metrics.REQUESTED.labels(lane).set(self.requested)


def forget(lane: int) -> None:
    """The lane is another worker's now."""
    for gauge in metrics.OF_LANES:
        gauge.remove(lane)
