"""Tallies: what is still open of a scan, or of a batch outside scans, and the results so far.

Code that ends something of a tally returns the tally's number (`Ended`). What follows is decided in one place
(`completion`). A scan that another one covers before it finished passes all it has to that one.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from msgspec.structs import replace

from streams.core.state import Ended, Hold, MovedTree, State, Tally, TallyId


def opened(state: State, library: str, root: str) -> Tally:
    """A new tally."""
    state.last_tally = TallyId(state.last_tally + 1)
    tally = state.tallies[state.last_tally] = Tally(state.last_tally, library, root)
    return tally


def joined(state: State, tally: TallyId) -> None:
    """One more path of the tally is to be decided."""
    state.tallies[tally].outstanding += 1


def left(state: State, tally: TallyId) -> Ended:
    """One path of the tally is decided, or now counts for another scan."""
    counted = state.tallies[tally]
    counted.outstanding -= 1
    return () if counted.outstanding else (tally,)


def absorb(state: State, new: Tally, old: Tally) -> None:
    """The tally of a superseded scan passes to the new one, with everything that counts for it. If anything of it is
    open, the time depends on how much is pending, held and requested in the lane."""
    if old.outstanding:
        for pending in state.pending.values():
            if pending.tally == old.id:
                pending.tally = new.id
        waiting: Iterable[Hold | MovedTree] = chain(state.holds, state.trees.values())
        for held in waiting:
            if held.seen.tally == old.id:
                held.seen = replace(held.seen, tally=new.id)
    if old.open_jobs:
        for job in state.jobs.values():
            if job.tally == old.id:
                state.changing(job)
                job.tally = new.id
    new.outstanding += old.outstanding
    new.open_jobs += old.open_jobs
    new.processed += old.processed
    new.identified += old.identified
    new.failed += old.failed
    if old.started_at is not None:
        new.started_at = old.started_at if new.started_at is None else min(new.started_at, old.started_at)
    del state.tallies[old.id]
