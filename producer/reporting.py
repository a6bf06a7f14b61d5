"""Reports on a root's condition for people: one report with the whole state and a message that names root and path."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from producer.backends.interface import Coverage
from producer.condition import Condition
from producer.core.identity import Fault
from producer.orders import CommandOutcome
from producer.settings import RootSpec
from schemas.system import (
    COMMAND,
    COMMAND_DONE,
    COMMAND_RESULT,
    ENTRIES,
    SCAN,
    SCAN_DONE,
    SCAN_EXPECTED,
    WATCH,
    WATCH_WHY,
    RootReport,
    Scalar,
    ScanReport,
    Status,
)

Mode = Literal["watching", "scanning", "paused", "offline"]

_ADVICE: dict[Fault, str] = {
    "missing": "it is observed again when it is back; nothing is deleted",
    "not_a_directory": "it is observed again when it is a directory; nothing is deleted",
    "unreadable": "it is observed again when it can be read; nothing is deleted",
    "swapped": "bring the known one back, or, where this is the same library restored or moved: {accept}",
    "unreachable": "it is tried repeatedly, and observed again when the server answers; nothing is deleted",
    "refused": "correct the user and password, or their rights on the share; nothing is deleted",
    "unsupported": "nothing is deleted",
    "replaced_by_empty": "it looks like an unmounted disk: mount it again; nothing is deleted",
}


@dataclass(frozen=True, slots=True)
class RootSummary:
    """What a report contains besides the time."""

    status: Status
    mode: Mode
    message: str
    details: tuple[tuple[str, Scalar], ...] = ()
    tries: int = 0
    outcome: CommandOutcome | None = None

    def is_equivalent_to(self, other: RootSummary) -> bool:
        """True when the difference need not be reported at once."""
        mine, others = (
            (summary.status, summary.mode, summary.message, summary.outcome) for summary in (self, other)
        )
        return mine == others


def failing(spec: RootSpec, reason: str) -> RootSummary:
    """For a root whose thread failed."""
    return RootSummary("error", "offline", f"root {spec.name} ({spec.location}): {reason}")


def silent(spec: RootSpec) -> RootSummary:
    """For a root whose file system accepts requests and answers none."""
    reason = "its file system does not answer; it is observed again when it does, and nothing is deleted"
    return RootSummary("error", "offline", f"root {spec.name} ({spec.location}) cannot be observed: {reason}")


def summarise(spec: RootSpec, condition: Condition) -> RootSummary:
    """For a root in this condition."""
    details: tuple[tuple[str, Scalar], ...] = (
        ("state", condition.state),
        ("watched_directories", condition.watched),
        ("unwatched_directories", condition.unwatched),
        ("outbox_records", condition.waiting),
        *_watching(condition.coverage),
        *(() if condition.entries is None else ((ENTRIES, condition.entries),)),
    )
    outcome = condition.outcome
    if outcome is not None:
        details += ((COMMAND, outcome.id), (COMMAND_DONE, outcome.done), (COMMAND_RESULT, outcome.text))
    progress = condition.progress
    if progress is not None and not progress.finished:
        details += ((SCAN, progress.number), (SCAN_DONE, progress.looked), (SCAN_EXPECTED, progress.expected))
    where = f"root {spec.name} ({spec.location})"
    resume = f"until `catalogizer roots resume {spec.name}`"
    if condition.state == "paused":
        message = f"{where} is paused: nothing is read there, and nothing published of it, {resume}"
        return RootSummary("warning", "paused", message, details, outcome=outcome)
    fault = condition.fault
    if fault is not None:
        details += (("cause", fault.cause),)
        advice = _ADVICE[fault.cause].format(accept=f"catalogizer roots accept {spec.name}")
        message = f"{_how(spec, fault.cause, where)}: {fault.detail}; {advice}"
        return RootSummary("error", "offline", message, details, condition.tries, outcome)
    problems = [*condition.problems, *([f"its scans are paused {resume}"] if condition.paused == "scans" else [])]
    if problems:
        message = f"{where}: " + "; ".join(problems)
        return RootSummary("warning", _mode(condition), message, details, outcome=outcome)
    doing = "is watched" if condition.scanned else "is watched and being scanned"
    return RootSummary(
        "healthy", _mode(condition), f"{where} {doing}{_by(condition.coverage)}", details, outcome=outcome
    )


def _watching(coverage: Coverage) -> Iterator[tuple[str, Scalar]]:
    if coverage.how:
        yield WATCH, coverage.how
        yield WATCH_WHY, coverage.why
    if (polling := coverage.polling) is not None:
        yield "hot_directories", polling.hot
        yield "cold_directories", polling.cold
        yield "looks_per_second", round(polling.per_second, 1)
        yield "unseen_seconds", round(polling.unseen_seconds, 1)


def _by(coverage: Coverage) -> str:
    """How it is watched, where that is slower than an operator may expect, or was requested."""
    return f" by {coverage.how} ({coverage.why})" if coverage.how in ("polling", "fanotify") else ""


def root_report(spec: RootSpec, what: RootSummary, at: str, last_connected: str | None) -> RootReport:
    """The report."""
    return RootReport(
        root=spec.name, library=spec.library, site=spec.site, protocol=spec.protocol, status=what.status, at=at,
        message=what.message, location=spec.location, mode=what.mode, last_connected=last_connected,
        retry_count=what.tries, host=spec.host, share=spec.share, details=dict(what.details),
    )  # fmt: skip


def scan_report(spec: RootSpec, condition: Condition, at: str) -> ScanReport | None:
    """Progress of the announced scan, where there has been one."""
    progress = condition.progress
    if progress is None:
        return None
    return ScanReport(
        root=spec.name, library=spec.library, scan=progress.number, done=progress.looked, at=at,
        finished=progress.finished, expected=progress.expected, paused=condition.paused is not None,
    )  # fmt: skip


def _how(spec: RootSpec, cause: Fault, where: str) -> str:
    if spec.protocol == "smb" and cause == "unreachable":
        return f"SMB connection lost to {spec.name} ({spec.location})"
    return f"{where} cannot be observed"


def _mode(condition: Condition) -> Mode:
    if condition.state != "watching":
        return "offline"
    return "watching" if condition.watched else "scanning"
