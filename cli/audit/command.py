"""`catalogizer audit`: the command's options, output and exit code."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import print_json, run_async
from cli.options import AsJson

if TYPE_CHECKING:
    from cli.audit.auditing import AuditScope
    from runtime.kafka import Kafka

WRONG = 1
"""Exit code if there are faults."""


def audit(
    root: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this root; may be given several times.")
    ] = None,
    settle: Annotated[
        float,
        typer.Option(
            min=0, metavar="SECONDS", help="What changed less than so long ago may still settle: pending."
        ),
    ] = 10.0,
    as_json: AsJson = False,
) -> None:
    """Prove that the log has no hole, and compare log, catalogue and disk. Exit code 1 where something is wrong.

    Reads the whole change log, walks the roots that the settings here name, reads the rows of the database where one is
    set, and looks at what differs once more. Writes nothing, and can be used while everything runs. A finding is a
    fault; pending, where something announced explains it; or a note.

    \b
    catalogizer audit
    catalogizer audit --root movies --root music
    catalogizer audit --json | jq -r 'select(.finding=="difference") | [.severity, .what, .path] | @tsv'
    """
    from cli.audit.auditing import AuditScope
    from cli.installation import find, roots_here, tool_kafka

    settings = find()
    database = settings.database.dsn() if settings.database.configured else None
    scope = AuditScope(list(roots_here(settings).specs.values()), frozenset(root or ()), database, settle)
    kafka = tool_kafka(settings, "audit")
    if run_async(lambda: _print(kafka, scope, as_json)):
        raise typer.Exit(WRONG)


async def _print(kafka: Kafka, scope: AuditScope, as_json: bool) -> int:
    """Print each finding as it is found; the number of faults."""
    from cli.audit.auditing import audit
    from cli.audit.findings import Summary
    from cli.audit.showing import Brief, closing, line
    from cli.progress import Stages

    faults, brief = 0, Brief()
    async with aclosing(audit(kafka, scope, Stages())) as findings:
        async for finding in findings:
            if isinstance(finding, Summary):
                faults = finding.faults
            if as_json:
                print_json(finding)
            elif isinstance(finding, Summary):
                print(*brief.more(), closing(finding), sep="\n")
            elif brief.shows(finding):
                print(line(finding), flush=True)
    return faults
