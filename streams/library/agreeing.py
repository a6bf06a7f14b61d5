"""Whether a lane may continue from its position with this program: the program must have the rules used up to there,
unchanged, and a rebuilt fold must agree with the position. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from schemas.admin import Position
from streams.core.fold import Fold
from streams.core.rules import Rules
from streams.library.errors import FoldDiverged, RulesChanged, RulesUnknown


def check_rules(lane: int, position: Position, carried: Mapping[int, Rules]) -> None:
    """Raises RulesUnknown, RulesChanged."""
    rules = carried.get(position.fold_version)
    if rules is None:
        raise RulesUnknown(lane, position.fold_version, position.program)
    if position.rules not in ("", rules.digest):
        raise RulesChanged(lane, position.program, position.rules, rules.digest)


def check_fold(lane: int, position: Position, fold: Fold) -> None:
    """Raises FoldDiverged, or RulesChanged if the position is so old that it names no rules."""
    version = fold.rules.version
    if (version, fold.counters) == (position.fold_version, position.counters):
        return
    if not position.rules:
        raise RulesChanged(lane, "", "", fold.rules.digest)
    expected = f"version {position.fold_version}, {position.counters}"
    raise FoldDiverged(lane, expected, f"version {version}, {fold.counters}")
