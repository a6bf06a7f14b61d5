"""What operators ask of a root, on its way from the control topic to the root's thread, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.admin import Control
from schemas.raw import Counts

REQUESTED = "requested"
"""Cause of what an operator asked for."""

ACCEPTED = "accepted"
PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Order:
    """The control topic was read up to `next_offset`; `command`: what was there for this root, if anything. `anew`:
    what is known of the root does not hold any more, for it was retired, or what was asked meanwhile is lost."""

    next_offset: int
    command: Control | None = None
    anew: bool = False


@dataclass(frozen=True, slots=True)
class CommandOutcome:
    """What came of a command. `done`: nothing more will."""

    id: str
    done: bool
    text: str


def scanned(id: str, counts: Counts) -> CommandOutcome:
    """A scan that was asked for is complete."""
    return CommandOutcome(
        id, True,
        f"scanned: {counts.added} added, {counts.changed} changed, {counts.moved} moved, {counts.gone} gone",
    )  # fmt: skip
