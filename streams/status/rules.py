"""The state of the platform, from the reports of its processes: which reports are published, and as which updates.

Only changes are published (of a root also changes of its facts, such as how many directories are watched), and problems
again every five minutes. A component without heartbeats for 15 s is in error, unless its last process announced that it
leaves; a root without reports for as long is not watched by any producer, which is a warning. Time is that of the
reports themselves (their append times); it stands still while there are none, so that a platform that was off as a
whole does not report errors about itself when it is back.

`report` returns the updates to publish; `published` is called when one has been written, so that an update that was not
written is returned again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import assert_never

from msgspec import UNSET

from schemas.system import (
    ENTRIES,
    STANDING_BY,
    Heartbeat,
    Report,
    RootReport,
    Scalar,
    ScanReport,
    Status,
    SystemAction,
    SystemUpdate,
)
from schemas.times import iso
from streams.status.disk import component_of, disk_update

SILENCE_MS = 15_000
STEP_MS = 6_000
"""A longer step of time is counted as this: heartbeats come every 5 s, including our own."""
REPEAT_MS = 300_000
MESSAGE_MS = 15_000
"""Another message with the same status is not published before this time."""
MOVING = frozenset({"outbox_records", "last_connected", "retry_count", ENTRIES})
BACKLOG_WARNING = 500
BACKLOG_HEALTHY = 100

WORKER = "stream"
QUEUE, WORKERS, RATE = "analysis_queue", "analysis_workers", "analysis_per_minute"
REQUESTED = "analysis_requested"
"""Details of a stream worker's heartbeat from which the analysis backlog is computed. The last one is the number of
jobs on request, which are not included in the first."""
QUEUE_LENGTH = "queue_length"
ANALYSIS = "media_analysis"
LEFT = "left"
"""Detail of a component whose last process ended because it was asked to."""

_BADNESS: dict[Status, int] = {"healthy": 0, "warning": 1, "error": 2}


@dataclass(slots=True)
class _Published:
    update: SystemUpdate
    at: int


@dataclass(slots=True)
class _Component:
    """Its instances by name, each with its last heartbeat and when that was received (in our time). `expected_since`
    None: the last of them has left."""

    expected_since: int | None
    instances: dict[str, tuple[int, Heartbeat]] = field(default_factory=dict)


class StatusRules:
    """The state: the updates published last, and the reports received."""

    def __init__(self) -> None:
        self._published: dict[tuple[SystemAction, str], _Published] = {}
        self._components: dict[str, _Component] = {}
        self._roots: dict[str, int] = {}
        self._now = 0
        self._last_at: int | None = None

    def published(self, update: SystemUpdate, at: int) -> None:
        """The update was written at `at` (ms). Also called after a restart, to restore the state."""
        self._published[(update.action, update.component)] = _Published(update, at)
        details = {} if update.details is UNSET else update.details
        if update.action == "health_check":
            expected = None if details.get(LEFT) else self._now
            self._components.setdefault(update.component, _Component(expected))
        elif update.action == "storage_update" and details.get("mode") != "retired":
            self._roots.setdefault(update.component, self._now)

    def report(self, report: Report, at: int) -> list[SystemUpdate]:
        """Apply a report; returns the updates to publish. `at`: its append time, ms."""
        self._advance(at)
        candidates: list[SystemUpdate | None] = []
        match report:
            case RootReport():
                candidates.append(_root(report))
                self._roots[report.root] = self._now
                if report.mode == "retired":
                    del self._roots[report.root]
            case Heartbeat():
                self._receive(report)
                candidates += [*self._backlog(at), self._disk(report)]
            case ScanReport():
                pass
            case _:
                assert_never(report)
        candidates += [self._component(name, component) for name, component in self._components.items()]
        candidates += [self._unwatched(name, last_seen) for name, last_seen in self._roots.items()]
        return [update for update in candidates if update is not None and self._should_publish(update, at)]

    def _advance(self, at: int) -> None:
        if self._last_at is not None:
            self._now += min(STEP_MS, max(0, at - self._last_at))
        self._last_at = at

    def _should_publish(self, update: SystemUpdate, at: int) -> bool:
        published = self._published.get((update.action, update.component))
        if (
            published is None
            or published.update.status != update.status
            or _left(published.update) != _left(update)
        ):
            return True
        waited = at - published.at
        if update.status == "healthy":
            return waited >= MESSAGE_MS and _facts(published.update) != _facts(update)
        return waited >= REPEAT_MS or (published.update.message != update.message and waited >= MESSAGE_MS)

    # -- components --------------------------------------------------------------------------------------------

    def _receive(self, heartbeat: Heartbeat) -> None:
        component = self._components.setdefault(heartbeat.component, _Component(self._now))
        component.expected_since = self._now
        if heartbeat.leaving:
            component.instances.pop(heartbeat.instance, None)
            if not self._live(component):
                component.expected_since = None
        else:
            component.instances[heartbeat.instance] = (self._now, heartbeat)

    def _live(self, component: _Component) -> list[Heartbeat]:
        alive = [
            last_seen for last_seen in component.instances.items() if self._now - last_seen[1][0] <= SILENCE_MS
        ]
        component.instances = dict(alive)
        return [heartbeat for _, (_, heartbeat) in alive]

    def _component(self, name: str, component: _Component) -> SystemUpdate | None:
        live = self._live(component)
        if not live and component.expected_since is None:
            return SystemUpdate(
                action="health_check", component=name, status="healthy", message=f"{name} was stopped",
                details={"instances": 0, LEFT: True},
            )  # fmt: skip
        if not live:
            assert component.expected_since is not None
            if self._now - component.expected_since <= SILENCE_MS:
                return None
            return SystemUpdate(
                action="health_check",
                component=name,
                status="error",
                message=f"no heartbeat from {name} for {SILENCE_MS // 1000} s",
            )
        worst = max(live, key=lambda heartbeat: _BADNESS[heartbeat.status])
        details: dict[str, object] = {"instances": len(live), "host": worst.host, **worst.details}
        how = f"{name} is well" if worst.status == "healthy" else f"{name} is not well"
        if standing_by := {str(beat.details[STANDING_BY]) for beat in live if beat.details.get(STANDING_BY)}:
            details[STANDING_BY] = ", ".join(sorted(standing_by))
            how += f"; standing by: {details[STANDING_BY]}"
        return SystemUpdate(
            action="health_check",
            component=name,
            status=worst.status,
            message=worst.message or how,
            details=details,
        )

    def _unwatched(self, name: str, last_seen: int) -> SystemUpdate | None:
        """The update for a root without reports."""
        if self._now - last_seen <= SILENCE_MS:
            return None
        published = self._published.get(("storage_update", name))
        known = {} if published is None or published.update.details is UNSET else published.update.details
        return SystemUpdate(
            action="storage_update",
            component=name,
            status="warning",
            message=f"nobody watches root {name} now: it has left the settings (its items go with"
            f" `catalogizer roots retire {name}`), or its `catalogizer watch` does not run",
            details={**known, "mode": "unwatched"},
        )

    def _disk(self, heartbeat: Heartbeat) -> SystemUpdate | None:
        """The update for the file system with the state of the process."""
        published = self._published.get(("service_status", component_of(heartbeat) or ""))
        return disk_update(heartbeat, None if published is None else published.update)

    def _backlog(self, at: int) -> list[SystemUpdate]:
        """The update for the analysis backlog, summed over the stream workers. Jobs on request cause no warning: only
        their progress is published, until they end."""
        component = self._components.get(WORKER)
        beats = [] if component is None else self._live(component)
        queue, requested, workers, rate = (_sum(beats, key) for key in (QUEUE, REQUESTED, WORKERS, RATE))
        published = self._published.get(("service_status", ANALYSIS))
        warned = published is not None and published.update.status == "warning"
        coming_on = published is not None and bool(_facts(published.update)[QUEUE_LENGTH])
        if not beats or not (warned or coming_on or requested or queue > BACKLOG_WARNING):
            return []
        left = queue + requested
        details: dict[str, object] = {QUEUE_LENGTH: round(left), "workers": round(workers)}
        if left > 0 and rate > 0:
            details["estimated_completion"] = iso(at + round(left / rate * 60_000))
        well = queue < BACKLOG_HEALTHY if warned else queue <= BACKLOG_WARNING
        message = "many files are waiting for their analysis"
        if well:
            message = "files are being analysed on request" if requested else "analysis has caught up"
        return [
            SystemUpdate(
                action="service_status",
                component=ANALYSIS,
                status="healthy" if well else "warning",
                message=message,
                details=details,
            )
        ]


def _left(update: SystemUpdate) -> bool:
    return update.details is not UNSET and bool(update.details.get(LEFT))


def _root(report: RootReport) -> SystemUpdate:
    facts: dict[str, Scalar] = {
        "library": report.library,
        "site": report.site,
        "protocol": report.protocol,
        "location": report.location,
        "mode": report.mode,
        "retry_count": report.retry_count,
        "last_connected": report.last_connected,
        "host": report.host,
        "share": report.share,
        **report.details,
    }
    return SystemUpdate(
        action="storage_update",
        component=report.root,
        status=report.status,
        message=report.message or UNSET,
        details={name: fact for name, fact in facts.items() if fact is not None},
    )


def _facts(update: SystemUpdate) -> dict[str, object]:
    """The details whose change is published: of a root all but those that differ in every report, of a component the
    roots that it leaves to others, of the analysis how much there is to do."""
    details = {} if update.details is UNSET else update.details
    match update.action:
        case "storage_update":
            return {name: fact for name, fact in details.items() if name not in MOVING}
        case "health_check":
            return {STANDING_BY: details.get(STANDING_BY)}
        case "service_status":
            return {QUEUE_LENGTH: details.get(QUEUE_LENGTH)}
        case _:
            assert_never(update.action)


def _sum(beats: list[Heartbeat], key: str) -> float:
    values = [beat.details.get(key) for beat in beats]
    return float(sum(value for value in values if isinstance(value, (int, float))))
