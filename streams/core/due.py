"""What is due next in a lane: a pending path, a held half, a moved directory, a quiet batch or a job without a result,
in the order in which the fold decides them. Jobs come last among what is due at the same time.
"""

from __future__ import annotations

from collections.abc import Mapping

from streams.core.rules import Rules
from streams.core.state import Hold, MovedTree, OpenJob, Pending, State, Tally

Due = Pending | Hold | MovedTree | Tally | OpenJob


def next_due(state: State, rules: Rules) -> int | None:
    """Lane time at which something is due next; None when nothing is pending."""
    at = state.deadlines.next_at
    if state.jobs:
        job_at = _oldest(state.jobs).requested_at + rules.job_patience_ms
        return job_at if at is None or job_at < at else at
    return at


def take_due(state: State, rules: Rules, now: int) -> tuple[int, Due] | None:
    """What is due first, and when, if that is by `now`. Its deadline is removed: the caller decides it or sets another
    one. A job stays until it is requested again."""
    at = state.deadlines.next_at
    if state.jobs:
        job = _oldest(state.jobs)
        job_at = job.requested_at + rules.job_patience_ms
        if job_at <= now and (at is None or job_at < at):
            return job_at, job
    if at is not None and at <= now:
        return at, state.deadlines.pop()
    return None


def _oldest(jobs: Mapping[str, OpenJob]) -> OpenJob:
    return next(iter(jobs.values()))
