"""Alerts: what somebody should see to (topic `catalog.alerts.v1`, key = subject).

A subject is one thing that can be in trouble in one way, `KIND/NAME`. It fires and is resolved in turns, and one that fires
may become more severe meanwhile. Nothing is repeated: the newest record of each subject says what is wrong.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from schemas.system import Scalar

Kind = Literal[
    "root_lost", "gap_open", "process_silent", "dead_letters", "disk_low", "lag", "mass_deletion", "test"
]
"""`test` comes from `catalogizer alerts test` alone and never stands in the log."""
Severity = Literal["warning", "error"]


class Alert(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A subject fires, or is resolved. `severity` of a resolved one: the worst that it had; `at`: append time of the record
    at which it was decided, ISO 8601."""

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
