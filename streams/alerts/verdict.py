"""What the parts of the rules have in common: the record that caused a verdict, and the problem of a subject. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.alerts import Kind, Severity
from schemas.system import Scalar


@dataclass(frozen=True, slots=True)
class Cause:
    """A record from which something is decided. `topic`: its declared name; `at`: append time, ms."""

    topic: str
    partition: int
    offset: int
    at: int


@dataclass(frozen=True, slots=True)
class Problem:
    """The problem of a subject, for an alert."""

    severity: Severity
    title: str
    message: str
    library: str | None = None
    root: str | None = None
    details: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state of a subject. `problem` None: it is well; `well`: the message if it had a problem before."""

    kind: Kind
    name: str
    problem: Problem | None
    well: str = ""

    @property
    def subject(self) -> str:
        """Key of its alerts."""
        return f"{self.kind}/{self.name}"
