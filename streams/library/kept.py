"""A lane's state that stays in memory when the group revokes the lane, in case it comes back.

A rebalance revokes all lanes of all members and assigns most of them again at once. If the state in memory agrees with the
lane's position, whoever wrote that, it is the state of that position, because the fold is a function of the log. So the lane
continues with it, and only a lane that has progressed elsewhere has its state restored.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.admin import Position
from streams.core.fold import Fold


@dataclass(frozen=True, slots=True)
class Kept:
    """`slot`: of the newest snapshot; `since`: the offset up to which that snapshot has the state."""

    fold: Fold
    position: Position
    slot: int
    since: int
