"""Outcomes as a table for people, as Markdown for a document, or as JSON: of several runs the least and the median; of what
must not happen at all, the most."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.table import Table

from bench.watching.running import OURS, Outcome

HEAD = (
    "workload", "watcher", "entries", "raw events", "missed", "invented", "gaps", "CPU s", "watch thread s (× inotifywait)",
    "to convergence s", "peak MB", "peak events/s",
)  # fmt: skip
MISSED = HEAD.index("missed")
NOT_HERE = "not here"


@dataclass(frozen=True, slots=True)
class Row:
    """One workload with one watcher, in all runs."""

    workload: str
    watcher: str
    outcomes: tuple[Outcome, ...]
    beside: tuple[Outcome, ...]
    """inotifywait's, of the same workload."""

    def cells(self) -> tuple[str, ...]:
        """The cells in the order of HEAD."""
        runs, ours = self.outcomes, self.watcher == OURS
        if not runs:
            return tuple(
                {0: self.workload, 1: self.watcher, MISSED: NOT_HERE}.get(at, "") for at in range(len(HEAD))
            )
        return (
            self.workload,
            self.watcher,
            f"{max(run.entries for run in runs):,}",
            _range((run.events for run in runs), ",.0f"),
            f"{max(len(run.judgement.missed) for run in runs):,}",
            f"{max(len(run.judgement.invented) for run in runs):,}",
            f"{max(run.gaps for run in runs)}" if ours else "",
            _range((run.cpu for run in runs), ".2f"),
            self._thread() if ours else "",
            _range((run.seconds for run in runs), ".1f"),
            _range((run.peak_mb for run in runs), ".0f"),
            _range((run.peak or 0 for run in runs), ",.0f", most=True) if ours else "",
        )

    def _thread(self) -> str:
        spent = [run.thread_cpu or 0.0 for run in self.outcomes]
        cells = _range(spent, ".2f")
        others = [run.cpu for run in self.beside]
        if others and statistics.median(others) > 0:
            cells += f" ({statistics.median(spent) / statistics.median(others):.1f})"
        return cells

    def figures(self) -> dict[str, object]:
        """For machines: a list of each run's."""
        return {
            "workload": self.workload,
            "watcher": self.watcher,
            "runs": [
                {
                    "entries": run.entries,
                    "events": run.events,
                    "missed": len(run.judgement.missed),
                    "invented": len(run.judgement.invented),
                    "gaps": run.gaps,
                    "cpu_s": round(run.cpu, 3),
                    "watch_thread_cpu_s": run.thread_cpu and round(run.thread_cpu, 3),
                    "seconds": round(run.seconds, 3),
                    "took_s": round(run.took, 3),
                    "peak_mb": round(run.peak_mb, 1),
                    "peak_per_second": run.peak,
                }
                for run in self.outcomes
            ],
        }


def rows(outcomes: Iterable[Outcome], absent: Sequence[str] = ()) -> list[Row]:
    """Workload by workload; `absent`: watchers that are not on this machine."""
    found: dict[str, dict[str, list[Outcome]]] = {}
    for outcome in outcomes:
        found.setdefault(outcome.workload, {}).setdefault(outcome.watcher, []).append(outcome)
    return [
        Row(workload, watcher, tuple(runs), tuple(by_watcher.get("inotifywait", ())))
        for workload, by_watcher in found.items()
        for watcher, runs in (by_watcher | {name: [] for name in absent}).items()
    ]


def for_people(table: Iterable[Row], title: str) -> Table:
    """To be printed."""
    shown = Table(title=title)
    for number, name in enumerate(HEAD):
        shown.add_column(name, justify="left" if number < 2 else "right")
    before = None
    for row in table:
        if before not in (None, row.workload):
            shown.add_section()
        before = row.workload
        shown.add_row(*row.cells())
    return shown


def for_a_document(table: Sequence[Row]) -> Iterator[str]:
    """Markdown, line by line: a row for each workload, with only the missed and invented of the plain watchers."""
    plain = sorted({row.watcher for row in table} - {OURS})
    head = [name for name in HEAD if name != "watcher"] + [f"{name} missed, invented" for name in plain]
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in table:
        if row.watcher == OURS:
            name, _, *cells = row.cells()
            others = {other.watcher: other.cells() for other in table if other.workload == row.workload}
            cells += [
                ", ".join(filter(None, others[name][MISSED : MISSED + 2])) if name in others else ""
                for name in plain
            ]
            yield f"| {' | '.join((name, *cells))} |"


def for_machines(table: Iterable[Row], tree: str, limits: dict[str, float]) -> str:
    """JSON."""
    found = [row.figures() for row in table]
    return json.dumps({"bench": "watching", "tree": tree, "limits": limits, "rows": found})


def _range(values: Iterable[float], form: str, *, most: bool = False) -> str:
    """Least (or most) and median; one where there is one run."""
    found = list(values)
    edge, middle = max(found) if most else min(found), statistics.median(found)
    return f"{edge:{form}}" if len(found) == 1 else f"{edge:{form}} / {middle:{form}}"
