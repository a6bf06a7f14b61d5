"""`catalogizer status`: the state of the platform on one screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from cli.console import print_json, print_table, run_async
from cli.options import AsJson

if TYPE_CHECKING:
    from cli.overview import LagLine, Overview, ProcessLine
    from cli.root_table import RootLine

UNWELL = 1
"""Exit code if a component or a configured root is in error."""


def status(as_json: AsJson = False) -> None:
    """Show the reported state of each component and each root, and the lag of the readers of the log. Exit code 1 if
    something is in error.

    \b
    catalogizer status
    catalogizer status --json | jq -r '.roots[] | select(.state=="offline") | .message'
    catalogizer status --json | jq '[.lag[].lag] | add'
    """
    from cli.installation import find, roots_here, tool_kafka
    from cli.overview import look

    settings = find()
    kafka = tool_kafka(settings, "status")
    here = roots_here(settings).specs.values()
    found = run_async(lambda: look(kafka, here))
    if as_json:
        print_json(found)
    else:
        _print(found)
    if not found.is_well:
        raise typer.Exit(UNWELL)


def _print(found: Overview) -> None:
    rows = [(line.name, line.status, line.at, line.message) for line in found.components]
    print_table("Components", ("component", "status", "since", "message"), rows)
    print_table("Roots", ("root", "state", "path", "message"), [root_row(root) for root in found.roots])
    for line in summary(found):
        print(line)


def root_row(root: RootLine) -> tuple[str, str, str, str]:
    """Name, state, path and message of a root."""
    message = root.message if root.configured else f"no longer configured; {root.message}"
    return root.name, root.state, root.path or "", message


def summary(found: Overview) -> list[str]:
    """One line each: processes with their versions, lag, jobs, sockets, and dead letters if there are any."""
    counts = [f"{count} in {topic}" for topic, count in found.dead_letters.items()]
    return [
        f"processes: {_processes(found.processes)}; version {', '.join(found.versions) or 'unknown'}",
        *lag_lines(found.lag),
        f"analysis: {found.jobs.queued:,} jobs queued, {found.jobs.requested:,} requested, "
        f"{found.jobs.workers} workers, {found.jobs.per_minute:,.1f} a minute",
        f"sockets: {found.sockets:,} open",
        *([f"dead letters: {', '.join(counts)}: catalogizer dlq list"] if counts else []),
    ]


def _processes(processes: Sequence[ProcessLine]) -> str:
    names = [process.component for process in processes]
    return ", ".join(f"{name} {names.count(name)}" for name in sorted(set(names))) or "none reports"


def lag_lines(lag: Sequence[LagLine] | None) -> list[str]:
    """The lag of each reader, lane by lane."""
    if lag is None:
        return ["lag: the consumer groups may not be described by this principal"]
    lines = []
    for reader in dict.fromkeys(line.reader for line in lag):
        lanes: dict[int, int] = {}
        for line in lag:
            if line.reader == reader:
                lanes[line.lane] = lanes.get(line.lane, 0) + line.lag
        each = ", ".join(f"{behind:,}" for _, behind in sorted(lanes.items()))
        lines.append(f"{reader}: {sum(lanes.values()):,} records behind; by lane: {each}")
    return lines
