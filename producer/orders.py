"""Operators' commands for a root, on their way from the control topic to the root's thread, and their outcomes."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.admin import Control
from schemas.raw import Counts

REQUESTED = "requested"
"""Cause of a scan that an operator requested."""

ACCEPTED = "accepted"
PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Order:
    """The control topic was read up to `next_offset`; `command`: what was there for this root, if anything. `reset`: the
    root's stored state is no longer valid, because it was retired, or because commands issued meanwhile are lost."""

    next_offset: int
    command: Control | None = None
    reset: bool = False


@dataclass(frozen=True, slots=True)
class CommandOutcome:
    """The outcome of a command. `done`: it is final."""

    id: str
    done: bool
    text: str


def scanned(id: str, counts: Counts) -> CommandOutcome:
    """A requested scan is complete."""
    return CommandOutcome(
        id, True,
        f"scanned: {counts.added} added, {counts.changed} changed, {counts.moved} moved, {counts.gone} gone",
    )  # fmt: skip
