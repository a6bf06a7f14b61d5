"""How far a lane is, for health, metrics, and who needs the change log."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class LaneProgress:
    """What health and metrics want to know. `moved_at`: monotonic seconds of the last step forward; `requested`: jobs that
    analyses on request have still to ask or wait for; `covered`: up to where a snapshot has the state."""

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
