"""How a root is, as its thread knows it and `reporting` puts it into words."""

from __future__ import annotations

from dataclasses import dataclass

from producer.backends.interface import Coverage
from producer.core.identity import Faulty
from producer.core.life import RootState
from producer.orders import CommandOutcome
from producer.scanning import ScanProgress
from schemas.paths import display


@dataclass(frozen=True, slots=True)
class Condition:
    """How a root is, as it is reported. `fault`: why it cannot be observed; `problems`: what is wrong with one
    that can; `outcome`: what came of the last command."""

    state: RootState
    fault: Faulty | None
    watched: int
    unwatched: int
    waiting: int
    problems: tuple[str, ...]
    progress: ScanProgress | None
    tries: int
    scanned: bool
    outcome: CommandOutcome | None = None


def lost_mount_message(path: str) -> str:
    """What an operator needs to know of a file system that is missing below the root."""
    return (
        f"what was mounted at {display(path)!r} is not there: nothing below it is deleted, and it is taken up again when "
        "it is back; if it is gone for good, have that directory rescanned"
    )


def watch_limit_message(coverage: Coverage) -> str:
    """What an operator needs to know of the watch limit."""
    missing = coverage.unwatched
    needed = coverage.watched + missing
    return (
        f"{coverage.watched} directories are watched, {needed} are needed, and no more are allowed: "
        f"the other {missing} are scanned every minute; raise {coverage.limit} above {needed}"
    )
