"""What is worth an alert: records of others in, alerts out. Pure; it knows no Kafka and no target.

A subject fires once and is resolved once; it fires again only if it becomes more severe. The method for each kind of record
returns the alerts to write; `recorded` is called when an alert has been written, so that an alert that was not written is
returned again, and at the start for the alerts in the log. The contents of time windows are not stored: the log is read
again from `keep_from`, and what a record has decided is not decided twice when it is read again.

An alert's id is made of the record that caused it and its subject.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import assert_never

from schemas.alerts import Alert, Severity
from schemas.dead_letters import Letter, Mark
from schemas.ids import EventId, event_id
from schemas.system import ENTRIES, Heartbeat, Report, RootReport, ScanReport, SystemUpdate
from schemas.times import iso
from schemas.topics import CHANGES, DLQ_SUFFIX, REPORTS
from streams.alerts import deletions, letters
from streams.alerts.deletions import Deletions, Limits
from streams.alerts.lags import Lags
from streams.alerts.letters import OpenLetters
from streams.alerts.updates import verdicts
from streams.alerts.verdict import Cause, Verdict

FIRST_INDEX = 1_000
"""Other outputs of a record have lower indexes."""

_BADNESS: dict[Severity, int] = {"warning": 1, "error": 2}


def alert_id(alert: Alert, cause: Cause) -> EventId:
    """The id of an alert's record."""
    index = FIRST_INDEX + zlib.crc32(alert.subject.encode("utf-8", "replace"))
    return event_id(cause.topic, cause.partition, cause.offset, index)


@dataclass(slots=True)
class _Recorded:
    """The newest alert of a subject. `judged`: by topic and partition, the last record whose alerts are written."""

    alert: Alert
    at: int
    judged: dict[tuple[str, int], Cause] = field(default_factory=dict)


class AlertRules:
    """The state: the last alert of each subject, and the contents of the windows."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._recorded: dict[str, _Recorded] = {}
        self._lags = Lags()
        self._deletions = Deletions(limits or Limits())
        self._letters = OpenLetters()

    def recorded(self, alert: Alert, cause: Cause) -> None:
        """The alert is in the log. Also called in the log's order after a restart, to restore the state."""
        known = self._recorded.setdefault(alert.subject, _Recorded(alert, cause.at))
        known.alert, known.at = alert, cause.at
        known.judged[(cause.topic, cause.partition)] = cause

    # -- records -----------------------------------------------------------------------------------------------

    def update(self, update: SystemUpdate, cause: Cause) -> list[Alert]:
        """A system update was read."""
        return self._decided(verdicts(update), cause)

    def report(self, report: Report, cause: Cause) -> list[Alert]:
        """A report was read."""
        match report:
            case Heartbeat():
                return self._decided([self._lags.received(report, cause)], cause)
            case RootReport():
                if isinstance(entries := report.details.get(ENTRIES), int):
                    self._deletions.counted(report.root, entries)
            case ScanReport():
                pass
            case _:
                assert_never(report)
        return []

    def letter(self, topic: str, found: Letter | Mark, cause: Cause) -> list[Alert]:
        """A record of the dead letter queue of `topic` (its declared name) was read."""
        if isinstance(found, Letter) and self._is_over(f"dead_letters/{topic}", cause):
            return []
        return self._decided([self._letters.came(topic, found, cause)], cause)

    def deleted(self, root: str, library: str, cause: Cause) -> list[Alert]:
        """A path was deleted, but not because its root was retired."""
        if self._is_over(f"mass_deletion/{root}", cause):
            return []
        return self._decided([self._deletions.deleted(root, library, cause)], cause)

    def passed(self, cause: Cause) -> list[Alert]:
        """Time has advanced to this record's, and in all topics everything before it has been read."""
        found = [*self._deletions.passed(cause.at), *self._letters.passed(cause.at)]
        found += self._left("mass_deletion/", self._deletions.is_quiet, deletions.quiet)
        found += self._left("dead_letters/", self._letters.is_quiet, letters.quiet)
        return self._decided({verdict.subject: verdict for verdict in reversed(found)}.values(), cause)

    def keep_from(self, topic: str, partition: int) -> int | None:
        """The oldest record of a partition that must be read again after a restart; None: only what is new. `topic`: its
        declared name."""
        if topic == CHANGES.name:
            return self._deletions.keep_from(partition)
        if topic == REPORTS.name:
            return self._lags.keep_from()
        return self._letters.keep_from(topic.removesuffix(DLQ_SUFFIX)) if topic.endswith(DLQ_SUFFIX) else None

    # -- state -------------------------------------------------------------------------------------------------

    def _left(
        self, prefix: str, is_quiet: Callable[[str], bool], quiet: Callable[[str], Verdict]
    ) -> Iterable[Verdict]:
        """Verdicts for firing subjects without anything in the windows: they were resolved while no worker was
        running."""
        for subject, recorded in self._recorded.items():
            name = subject.removeprefix(prefix)
            if name != subject and recorded.alert.state == "firing" and is_quiet(name):
                yield quiet(name)

    def _is_over(self, subject: str, cause: Cause) -> bool:
        """Whether the subject was resolved after this record, which is read again and must not count any more."""
        recorded = self._recorded.get(subject)
        return recorded is not None and recorded.alert.state == "resolved" and cause.at <= recorded.at

    def _decided(self, found: Iterable[Verdict | None], cause: Cause) -> list[Alert]:
        decided = (self._decide(verdict, cause) for verdict in found if verdict is not None)
        return [alert for alert in decided if alert is not None]

    def _decide(self, verdict: Verdict, cause: Cause) -> Alert | None:
        recorded = self._recorded.get(verdict.subject)
        if recorded is not None and _was_judged(recorded, cause):
            return None
        before = None if recorded is None or recorded.alert.state == "resolved" else recorded.alert
        problem = verdict.problem
        if problem is None:
            return None if before is None else _resolved(before, verdict.well, cause)
        if before is not None and _BADNESS[problem.severity] <= _BADNESS[before.severity]:
            return None
        return Alert(
            kind=verdict.kind, subject=verdict.subject, severity=problem.severity, state="firing", title=problem.title,
            message=problem.message, at=iso(cause.at), library=problem.library, root=problem.root,
            details=dict(problem.details),
        )  # fmt: skip


def _was_judged(recorded: _Recorded, cause: Cause) -> bool:
    """Whether an alert caused by this or a later record of the same partition is in the log. The time distinguishes a
    recreated topic."""
    last = recorded.judged.get((cause.topic, cause.partition))
    return last is not None and cause.offset <= last.offset and cause.at <= last.at


def _resolved(before: Alert, well: str, cause: Cause) -> Alert:
    return Alert(
        kind=before.kind, subject=before.subject, severity=before.severity, state="resolved", title=before.title,
        message=well or "it is over", at=iso(cause.at), library=before.library, root=before.root,
    )  # fmt: skip
