"""Feeds records at offsets of the log to the alert rules, and returns the resulting alerts as steps."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.alerts import Alert
from schemas.topics import Topic
from streams.alerts.rules import AlertRules
from streams.alerts.verdict import Cause

Step = tuple[str, str, str]
"""Subject, state, severity."""


def at(topic: Topic, offset: int, ms: int | None = None, partition: int = 0) -> Cause:
    """A record of a topic; by default of so many seconds as its offset."""
    return Cause(topic.name, partition, offset, 1_000 * offset if ms is None else ms)


def steps(alerts: Iterable[Alert]) -> list[Step]:
    """Alerts as steps."""
    return [(alert.subject, alert.state, alert.severity) for alert in alerts]


def write(rules: AlertRules, alerts: list[Alert], cause: Cause) -> list[Alert]:
    """Alerts as if they had been written; the same."""
    for alert in alerts:
        rules.recorded(alert, cause)
    return alerts
