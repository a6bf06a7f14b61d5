"""`catalogizer changes`: shows changes, and files that were lost."""

from __future__ import annotations

import sys
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import print_json, print_note, print_table, run_async
from cli.errors import BadArgument, LineBreaks
from cli.options import AsJson

if TYPE_CHECKING:
    from cli.history.lost import Losses, Lost, LostTotal
    from cli.history.reading import Of, Span
    from runtime.kafka import Kafka

COLUMNS = ("root", "cause", "scan", "files", "bytes", "directories", "when")


def changes(
    since: Annotated[
        str,
        typer.Option(
            metavar="TIME|DURATION",
            help="Where to begin: an ISO 8601 time, a duration before now (PT2H, P7D), or another place in the log.",
        ),
    ] = "earliest",
    until: Annotated[
        str, typer.Option(metavar="TIME|DURATION", help="Where to end, not included: the same, or head.")
    ] = "head",
    root: Annotated[str | None, typer.Option(metavar="NAME", help="Only this root.")] = None,
    library: Annotated[str | None, typer.Option(metavar="NAME", help="Only this library.")] = None,
    lost: Annotated[
        bool,
        typer.Option("--lost", help="Only files that were deleted and have not come back, by cause and scan."),
    ] = False,
    paths: Annotated[
        bool, typer.Option("--paths", help="With --lost: only their paths, relative to the root, one a line.")
    ] = False,
    null: Annotated[
        bool, typer.Option("-0", "--null", help="With --lost: the paths, separated by NUL, as exact bytes.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what happened to files, as the fold decided it; with --lost the files to restore.

    Times are those at which changes were appended. Each library is in its order; a path that was created again, at any
    time until now, or whose item still exists elsewhere, is not lost. Reads without a group: running processes are not
    affected.

    \b
    catalogizer changes --since PT1H
    catalogizer changes --lost --since 2026-11-24T10:00:00Z
    catalogizer changes --lost --since P1D --root movies -0 | rsync -a --from0 --files-from=- /backup/movies/ /media/movies/
    """
    if not lost and (paths or null):
        raise BadArgument("--paths" if paths else "-0", "is for what was lost: add --lost")
    if as_json and (paths or null):
        raise BadArgument("--json", "cannot be used with --paths and -0")
    from cli.history.reading import Of, Span
    from cli.history.span import parse_since
    from cli.installation import find, tool_kafka
    from schemas.times import Millis

    now = Millis(time.time_ns() // 1_000_000)
    span = Span(parse_since(since, "--since", now), parse_since(until, "--until", now), to_head=lost)
    kafka = tool_kafka(find(), "changes")
    of = Of(root, library)
    if not lost:
        run_async(lambda: _print(kafka, of, span, as_json))
        return
    losses = run_async(lambda: _losses(kafka, of, span))
    if paths or null:
        _print_paths(losses.files(), "\0" if null else "\n")
    elif as_json:
        _print_lost(losses)
    else:
        _print_totals(list(losses.totals()))


async def _print(kafka: Kafka, of: Of, span: Span, as_json: bool) -> None:
    from cli.history.change_lines import change_line, change_object
    from cli.history.reading import read_changes
    from cli.progress import Stages

    # no progress bar on a terminal: it would be redrawn after each line
    stages = Stages(hidden=sys.stdout.isatty())
    async with aclosing(read_changes(kafka, of, span, stages)) as found:
        async for one in found:
            if as_json:
                print_json(change_object(one.record, one.change))
            else:
                print(change_line(one.change))


async def _losses(kafka: Kafka, of: Of, span: Span) -> Losses:
    from cli.history.lost import Losses
    from cli.history.reading import read_changes
    from cli.progress import Stages

    losses = Losses()
    async with aclosing(read_changes(kafka, of, span, Stages())) as found:
        async for one in found:
            losses.read(one.record, one.change, counts=one.counts)
    return losses


def _print_paths(lost: list[Lost], end: str) -> None:
    roots = sorted({one.root for one in lost})
    if len(roots) > 1:
        raise BadArgument("--paths", f"files of several roots were lost, name one with --root: {', '.join(roots)}")
    if end == "\n" and (broken := sum("\n" in one.path for one in lost)):
        raise LineBreaks(broken)
    for one in lost:
        sys.stdout.buffer.write((one.exact_path + end).encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()


def _print_lost(losses: Losses) -> None:
    for lost in losses.files():
        print_json(lost)
    for total in losses.totals():
        print_json(total)


def _print_totals(totals: list[LostTotal]) -> None:
    rows = [
        (
            total.root or "in all", "" if total.root is None else total.cause or "seen live",
            "" if total.scan_id is None else str(total.scan_id), str(total.files), str(total.bytes),
            str(total.directories), _when(total),
        )
        for total in totals
    ]  # fmt: skip
    print_table("Lost", COLUMNS, rows)
    if totals[-1].files:
        print_note("their paths, to restore them: --paths, or -0 for rsync --from0 --files-from=-")


def _when(total: LostTotal) -> str:
    first, last = total.first_at or "", total.last_at or ""
    return first if first == last else f"{first} to {last}"
