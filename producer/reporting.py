"""How a root's condition is told to people: one report, whole state, in words that name the root and its path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from producer.core.identity import Fault
from producer.keeper import Condition
from producer.settings import RootSpec
from schemas.system import RootReport, Scalar, ScanReport, Status

Mode = Literal["watching", "scanning", "offline"]

_ADVICE: dict[Fault, str] = {
    "missing": "it is taken up again when it is back; nothing is deleted",
    "not_a_directory": "it is taken up again when it is a directory; nothing is deleted",
    "unreadable": "it is taken up again when it can be read; nothing is deleted",
    "swapped": "bring the known one back; to begin anew with this one, stop and delete the root's state file",
    "replaced_by_empty": "it looks like an unmounted disk: mount it again; nothing is deleted",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of a root between two reports: all but the time."""

    status: Status
    mode: Mode
    message: str
    details: tuple[tuple[str, Scalar], ...] = ()
    tries: int = 0

    def says_the_same(self, other: Told) -> bool:
        """True when nobody needs to be told at once."""
        return (self.status, self.mode, self.message) == (other.status, other.mode, other.message)


def failing(spec: RootSpec, reason: str) -> Told:
    """A root whose thread failed."""
    return Told("error", "offline", f"root {spec.name} ({spec.path}): {reason}")


def told(spec: RootSpec, condition: Condition) -> Told:
    """A root's condition in words."""
    details: tuple[tuple[str, Scalar], ...] = (
        ("state", condition.state),
        ("watched_directories", condition.watched),
        ("unwatched_directories", condition.unwatched),
        ("outbox_records", condition.waiting),
    )
    where = f"root {spec.name} ({spec.path})"
    fault = condition.fault
    if fault is not None:
        details += (("cause", fault.cause),)
        message = f"{where} cannot be observed: {fault.detail}; {_ADVICE[fault.cause]}"
        return Told("error", "offline", message, details, condition.tries)
    if condition.problems:
        return Told("warning", _mode(condition), f"{where}: " + "; ".join(condition.problems), details)
    doing = "is watched" if condition.scanned else "is watched and being scanned"
    return Told("healthy", _mode(condition), f"{where} {doing}", details)


def root_report(spec: RootSpec, what: Told, at: str, last_connected: str | None) -> RootReport:
    """The report."""
    return RootReport(
        root=spec.name, library=spec.library, site=spec.site, protocol=spec.protocol, status=what.status, at=at,
        message=what.message, location=str(spec.path), mode=what.mode, last_connected=last_connected,
        retry_count=what.tries, details=dict(what.details),
    )  # fmt: skip


def scan_report(spec: RootSpec, condition: Condition, at: str) -> ScanReport | None:
    """Progress of the announced scan, where there has been one."""
    progress = condition.progress
    if progress is None:
        return None
    return ScanReport(
        root=spec.name, library=spec.library, scan=progress.number, done=progress.looked, at=at,
        finished=progress.finished,
    )  # fmt: skip


def _mode(condition: Condition) -> Mode:
    if condition.state != "watching":
        return "offline"
    return "watching" if condition.watched else "scanning"
