"""Counts an audit's findings for its summary. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from cli.audit.belief import LaneBelief
from cli.audit.findings import AnyFinding, Difference, GapFound, Hole, Repeated, Severity, Summary


@dataclass(slots=True)
class Totals:
    """Running totals. `known`: roots that have records in the log."""

    catalogue: bool = False
    known: set[str] = field(default_factory=set)
    records: int = 0
    paths: int = 0
    compared: list[str] = field(default_factory=list)
    severities: Counter[Severity] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    next_offsets: dict[int, int] = field(default_factory=dict)

    def take(self, belief: LaneBelief, lane: int, next_offset: int, compared: Collection[str]) -> None:
        """Add a lane that was read; `compared`: its roots that were compared."""
        self.known |= belief.roots.keys()
        self.records += belief.records
        self.dropped += belief.dropped
        self.next_offsets[lane] = next_offset
        self.compared += compared
        trees = (belief.roots[name].tree for name in compared)
        self.paths += sum(1 for tree in trees if tree is not None for _ in tree.walk())

    def add(self, finding: AnyFinding) -> None:
        """Count a finding."""
        self.severities[finding.severity] += 1
        match finding:
            case Hole():
                self.kinds["holes"] += 1
            case Repeated():
                self.kinds["repeated"] += finding.last_seq - finding.first_seq + 1
            case GapFound(closed_offset=None):
                self.kinds["open_gaps"] += 1
            case Difference():
                self.kinds["differences"] += 1
            case _:
                pass

    def summary(self) -> Summary:
        """The summary of all totals."""
        return Summary(
            faults=self.severities["fault"], pending=self.severities["pending"], notes=self.severities["note"],
            roots=sorted(self.compared), elsewhere=sorted(self.known - set(self.compared)), records=self.records,
            paths=self.paths, holes=self.kinds["holes"], repeated=self.kinds["repeated"],
            open_gaps=self.kinds["open_gaps"], differences=self.kinds["differences"], dropped=dict(self.dropped),
            catalogue=self.catalogue, next_offsets=self.next_offsets,
        )  # fmt: skip
