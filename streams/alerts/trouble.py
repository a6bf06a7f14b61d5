"""What the parts of the rules have in common: where something was read, and what is wrong with a subject. Pure."""

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
class Trouble:
    """What is wrong with a subject, for an alert."""

    severity: Severity
    title: str
    message: str
    library: str | None = None
    root: str | None = None
    details: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a subject is. `trouble` None: well; `well`: what is said of one that was not."""

    kind: Kind
    name: str
    trouble: Trouble | None
    well: str = ""

    @property
    def subject(self) -> str:
        """Key of its alerts."""
        return f"{self.kind}/{self.name}"
