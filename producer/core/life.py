"""One root's life as a table: where it stands, what happens to it, where it is then, and what is to be done.

`new`: never seen by this outbox, so nothing may be said of it yet. `starting`: known from before. `watching`:
observed. `lost`: it cannot be observed and nothing is said of its paths. `frozen`: observed no more until the
outbox has room. `paused`: left alone until an operator resumes it, and then as after a start. Every way back to
`watching` scans the whole root, because the diff against the index, and nothing else, is the truth."""

from __future__ import annotations

from typing import Literal

RootState = Literal["new", "starting", "watching", "lost", "frozen", "paused"]
Happening = Literal["seen", "faulty", "full", "room", "paused"]
Deed = Literal["arm", "disarm", "say_lost", "say_back", "open_gap", "scan"]

LIFE: dict[tuple[RootState, Happening], tuple[RootState, tuple[Deed, ...]]] = {
    ("new", "seen"): ("watching", ("arm", "scan")),
    ("new", "faulty"): ("new", ()),
    ("starting", "seen"): ("watching", ("arm", "scan")),
    ("starting", "faulty"): ("lost", ("say_lost",)),
    ("watching", "seen"): ("watching", ()),
    ("watching", "faulty"): ("lost", ("disarm", "say_lost")),
    ("watching", "full"): ("frozen", ("disarm", "open_gap")),
    ("lost", "seen"): ("watching", ("say_back", "arm", "scan")),
    ("lost", "faulty"): ("lost", ()),
    ("frozen", "faulty"): ("lost", ("say_lost",)),
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


def step(state: RootState, happening: Happening) -> tuple[RootState, tuple[Deed, ...]]:
    """The next state, and what is to be done in that order."""
    return LIFE.get((state, happening), (state, ()))
