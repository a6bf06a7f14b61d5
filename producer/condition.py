"""The condition of a root, as its thread knows it; `reporting` turns it into a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from producer import metrics
from producer.backends.interface import Coverage
from producer.core.identity import Faulty
from producer.core.life import RootState
from producer.orders import CommandOutcome
from producer.scanning import MASS_DELETION, Scanning, ScanProgress
from schemas.admin import Pause
from schemas.paths import display

NOTHING = Coverage(0, 0, "")
"""The coverage of a root that is not watched."""


@dataclass(frozen=True, slots=True)
class Condition:
    """The condition of a root, as it is reported. `fault`: why it cannot be observed; `problems`: what is wrong with one
    that can; `outcome`: result of the last command; `paused`: what operators have paused; `entries`: how many paths are
    known."""

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
    paused: Pause | None = None
    coverage: Coverage = NOTHING
    entries: int | None = None


def problems(
    state: RootState, coverage: Coverage, watch_problem: str | None, scanning: Scanning, lost_mounts: Sequence[str]
) -> Iterator[str]:
    """What is wrong with a root that can be observed, for people. `watch_problem`: why it is not watched, although it
    should be."""
    if state == "frozen":
        yield "the outbox is full because Kafka does not accept its records; a scan will make up for what is missed"
    if state == "watching" and watch_problem is not None:
        yield f"{watch_problem}; it is scanned every minute"
    elif coverage.unwatched:
        yield watch_limit_message(coverage)
    if scanning.confirm_at is not None:
        yield f"suspiciously much is gone ({MASS_DELETION}): a second scan has to find the same"
    for path in lost_mounts:
        yield lost_mount_message(path)
    if unreadable := scanning.unreadable:
        yield f"{len(unreadable)} paths cannot be read, the first is {unreadable[0]!r}"


def lost_mount_message(path: str) -> str:
    """The message about a file system that is missing below the root."""
    return (
        f"what was mounted at {display(path)!r} is not there: nothing below it is deleted, and it is observed again "
        "when it is back; if it is gone for good, request a rescan of that directory"
    )


def watch_limit_message(coverage: Coverage) -> str:
    """The message about the watch limit."""
    missing = coverage.unwatched
    needed = coverage.watched + missing
    if not coverage.limit:
        return f"{missing} directories are on file systems that cannot be watched this way: they are scanned every minute"
    return (
        f"{coverage.watched} directories are watched, {needed} are needed, and no more are allowed: "
        f"the other {missing} are scanned every minute; raise {coverage.limit} above {needed}"
    )


def show(root: str, condition: Condition | None, unacknowledged_seconds: float) -> None:
    """Set a root's gauges (`metrics`). Without a condition it is not observed here, and its gauges are removed."""
    if condition is None:
        metrics.forget(root)
        return
    metrics.OUTBOX.labels(root).set(condition.waiting)
    metrics.UNACKNOWLEDGED.labels(root).set(unacknowledged_seconds)
    metrics.MISSED.labels(root, "overflow")  # from 0 on
    metrics.OBSERVED.labels(root).set(condition.fault is None)
    metrics.WATCHED.labels(root).set(condition.watched)
    metrics.UNWATCHED.labels(root).set(condition.unwatched)
    if condition.progress is not None:
        metrics.SCAN_DONE.labels(root).set(condition.progress.looked)
        metrics.SCAN_EXPECTED.labels(root).set(condition.progress.expected)
