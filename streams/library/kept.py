"""What a lane leaves in memory when the group takes it away, for the case that it comes back.

A rebalance takes all lanes from all members and gives most of them back at once. A state that stands at the lane's position,
whoever wrote that one, is the state of that position: the fold is a function of the log. So it is gone on with, and
only a lane that has moved on elsewhere has its state restored.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.admin import Position
from streams.core.fold import Fold


@dataclass(frozen=True, slots=True)
class Kept:
    """`slot` and `since`: of the newest snapshot, and up to where it has the state."""

    fold: Fold
    position: Position
    slot: int
    since: int
