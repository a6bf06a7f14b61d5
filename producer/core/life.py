"""One root's life as a table: for each state and event the next state and the actions to take.

`new`: never seen by this outbox, so nothing may be recorded for it yet. `starting`: known from before. `watching`: observed.
`lost`: it cannot be observed and nothing is recorded for its paths. `frozen`: not observed until the outbox has room.
`paused`: left alone until an operator resumes it, and then as after a start. Every way back to `watching` scans the whole
root, because the comparison with the index, and nothing else, is the truth."""

from __future__ import annotations

from typing import Literal

RootState = Literal["new", "starting", "watching", "lost", "frozen", "paused"]
RootEvent = Literal["seen", "faulty", "full", "room", "paused"]
Action = Literal["arm", "disarm", "record_lost", "record_back", "open_gap", "scan"]

LIFE: dict[tuple[RootState, RootEvent], tuple[RootState, tuple[Action, ...]]] = {
    ("new", "seen"): ("watching", ("arm", "scan")),
    ("new", "faulty"): ("new", ()),
    ("starting", "seen"): ("watching", ("arm", "scan")),
    ("starting", "faulty"): ("lost", ("record_lost",)),
    ("watching", "seen"): ("watching", ()),
    ("watching", "faulty"): ("lost", ("disarm", "record_lost")),
    ("watching", "full"): ("frozen", ("disarm", "open_gap")),
    ("lost", "seen"): ("watching", ("record_back", "arm", "scan")),
    ("lost", "faulty"): ("lost", ()),
    ("frozen", "faulty"): ("lost", ("record_lost",)),
    ("frozen", "seen"): ("frozen", ()),
    ("frozen", "full"): ("frozen", ()),
    ("frozen", "room"): ("watching", ("arm", "scan")),
    ("new", "paused"): ("paused", ()),
    ("starting", "paused"): ("paused", ("open_gap",)),
    ("watching", "paused"): ("paused", ("disarm", "open_gap")),
    ("lost", "paused"): ("paused", ()),
    ("frozen", "paused"): ("paused", ("open_gap",)),
}
"""What is not in the table cannot happen to a root in that state and is ignored."""


def step(state: RootState, event: RootEvent) -> tuple[RootState, tuple[Action, ...]]:
    """The next state, and the actions to take, in order."""
    return LIFE.get((state, event), (state, ()))
