"""What is worth an alert: records of others in, alerts out. Pure; it knows no Kafka and no target.

A subject fires once, and is resolved once. Said again is only that it has become more severe. The method of each kind of
record returns what to write; `told` is called when that has been written, so that what was not is said again, and with what
the log has when it begins. What a window of time holds is not kept anywhere: the log is read again from `keep_from`, and
what was decided by a record that is read again is not decided twice.

An alert's id comes from the record at which it was decided and from its subject.
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
from streams.alerts.trouble import Cause, Verdict
from streams.alerts.updates import verdicts

FIRST_INDEX = 1_000
"""Other outputs of a record have lower ones."""

_BADNESS: dict[Severity, int] = {"warning": 1, "error": 2}


def alert_id(alert: Alert, cause: Cause) -> EventId:
    """The id of an alert's record."""
    index = FIRST_INDEX + zlib.crc32(alert.subject.encode("utf-8", "replace"))
    return event_id(cause.topic, cause.partition, cause.offset, index)


@dataclass(slots=True)
class _Told:
    """The newest alert of a subject. `judged`: by topic and partition, up to which record alerts of it are written."""

    alert: Alert
    at: int
    judged: dict[tuple[str, int], Cause] = field(default_factory=dict)


class AlertRules:
    """The state: what was told last, and what the windows hold."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._told: dict[str, _Told] = {}
        self._lags = Lags()
        self._deletions = Deletions(limits or Limits())
        self._letters = OpenLetters()

    def told(self, alert: Alert, cause: Cause) -> None:
        """This is in the log; also how the state is restored after a restart, in the log's order."""
        known = self._told.setdefault(alert.subject, _Told(alert, cause.at))
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
                return self._decided([self._lags.hear(report, cause)], cause)
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
        """A path is gone, and nobody has retired its root."""
        if self._is_over(f"mass_deletion/{root}", cause):
            return []
        return self._decided([self._deletions.deleted(root, library, cause)], cause)

    def passed(self, cause: Cause) -> list[Alert]:
        """Time has come to that of this record, and of all topics what was there before has been read."""
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
        """Subjects that fire, and of which the windows hold nothing: they were resolved while nobody looked."""
        for subject, told in self._told.items():
            name = subject.removeprefix(prefix)
            if name != subject and told.alert.state == "firing" and is_quiet(name):
                yield quiet(name)

    def _is_over(self, subject: str, cause: Cause) -> bool:
        """The subject was resolved after this record: that is read again, and counts no more."""
        told = self._told.get(subject)
        return told is not None and told.alert.state == "resolved" and cause.at <= told.at

    def _decided(self, found: Iterable[Verdict | None], cause: Cause) -> list[Alert]:
        decided = (self._decide(verdict, cause) for verdict in found if verdict is not None)
        return [alert for alert in decided if alert is not None]

    def _decide(self, verdict: Verdict, cause: Cause) -> Alert | None:
        told = self._told.get(verdict.subject)
        if told is not None and _was_judged(told, cause):
            return None
        before = None if told is None or told.alert.state == "resolved" else told.alert
        trouble = verdict.trouble
        if trouble is None:
            return None if before is None else _resolved(before, verdict.well, cause)
        if before is not None and _BADNESS[trouble.severity] <= _BADNESS[before.severity]:
            return None
        return Alert(
            kind=verdict.kind, subject=verdict.subject, severity=trouble.severity, state="firing", title=trouble.title,
            message=trouble.message, at=iso(cause.at), library=trouble.library, root=trouble.root,
            details=dict(trouble.details),
        )  # fmt: skip


def _was_judged(told: _Told, cause: Cause) -> bool:
    """An alert of this or of a later record of the same partition is in the log. The time tells a topic made anew."""
    last = told.judged.get((cause.topic, cause.partition))
    return last is not None and cause.offset <= last.offset and cause.at <= last.at


def _resolved(before: Alert, well: str, cause: Cause) -> Alert:
    return Alert(
        kind=before.kind, subject=before.subject, severity=before.severity, state="resolved", title=before.title,
        message=well or "it is over", at=iso(cause.at), library=before.library, root=before.root,
    )  # fmt: skip
