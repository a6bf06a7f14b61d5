"""The verdicts of a system update on subjects: roots, their gaps, processes, disks. Pure.

There are no verdicts on components that no alert is about.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET

from schemas.alerts import Severity
from schemas.system import DISK, OPEN_GAPS, Scalar, SystemUpdate
from streams.alerts.verdict import Problem, Verdict


def verdicts(update: SystemUpdate) -> Iterator[Verdict]:
    """The verdicts on the subjects of an update."""
    details = {} if update.details is UNSET else update.details
    match update.action:
        case "storage_update":
            if OPEN_GAPS in details:
                yield _gaps(update, details)
                return
            yield _root(update, details)
            if details.get("mode") == "retired":  # no scan will close its gaps any more
                yield Verdict("gap_open", update.component, None, f"root {update.component} is retired")
        case "health_check":
            yield _process(update, details)
        case "service_status" if DISK in details:
            yield _disk(update, details)


def _root(update: SystemUpdate, details: dict[str, object]) -> Verdict:
    name, message = update.component, _message(update)
    severity: Severity | None = None
    if update.status == "error":
        severity = "error"
    elif details.get("mode") == "unwatched":
        severity = "warning"
    if severity is None:
        return Verdict("root_lost", name, None, message)
    title = f"Root {name} is lost" if severity == "error" else f"Root {name} is watched by nobody"
    library = details.get("library")
    problem = Problem(
        severity, title, message, library if isinstance(library, str) else None, name,
        _plain(details, "mode", "cause", "location", "site", "retry_count", "last_connected"),
    )  # fmt: skip
    return Verdict("root_lost", name, problem)


def _gaps(update: SystemUpdate, details: dict[str, object]) -> Verdict:
    name, message, gaps = update.component, _message(update), details[OPEN_GAPS]
    if not isinstance(gaps, list) or not gaps:
        return Verdict("gap_open", name, None, message)
    library = details.get("library")
    problem = Problem(
        "warning", f"Changes in root {name} may be missing", message,
        library if isinstance(library, str) else None, name,
        {OPEN_GAPS: len(gaps), **_plain(details, "cause", "subtree", "first_seq", "last_seq")},
    )  # fmt: skip
    return Verdict("gap_open", name, problem)


def _process(update: SystemUpdate, details: dict[str, object]) -> Verdict:
    name, message = update.component, _message(update)
    if update.status != "error":
        return Verdict("process_silent", name, None, message)
    instances = details.get("instances")
    how = "is not well" if instances else "is silent"
    problem = Problem("error", f"{name} {how}", message, details=_plain(details, "instances", "host"))
    return Verdict("process_silent", name, problem)


def _disk(update: SystemUpdate, details: dict[str, object]) -> Verdict:
    name = update.component.removeprefix("disk ")
    if update.status == "healthy":
        return Verdict("disk_low", name, None, _message(update))
    problem = Problem(
        update.status, f"The disk of {name} is nearly full", _message(update), details=_plain(details, *details)
    )
    return Verdict("disk_low", name, problem)


def _message(update: SystemUpdate) -> str:
    return "" if update.message is UNSET else update.message


def _plain(details: dict[str, object], *names: str) -> dict[str, Scalar]:
    """Those of these details that are scalars."""
    return {
        name: value for name in names if isinstance(value := details.get(name), str | int | float) and value != ""
    }
