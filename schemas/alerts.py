"""Alerts: problems that need a person's attention (topic `catalog.alerts.v1`, key = subject).

A subject is one thing that can have one kind of problem, `KIND/NAME`. It fires and is resolved by turns, and it may
become more severe while it fires. Alerts are not repeated: the newest record of a subject is its current state.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from schemas.system import Scalar

Kind = Literal[
    "root_lost", "gap_open", "process_silent", "dead_letters", "disk_low", "lag", "mass_deletion", "test"
]
"""`test` is sent only by `catalogizer alerts test` and is never in the log."""
Severity = Literal["warning", "error"]


class Alert(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A subject fires, or is resolved. `severity` of a resolved alert: the worst that it had; `at`: append time of the
    record that caused it, ISO 8601."""

    kind: Kind
    subject: str
    severity: Severity
    state: Literal["firing", "resolved"]
    title: str
    message: str
    at: str
    library: str | None = None
    root: str | None = None
    details: dict[str, Scalar] = {}
