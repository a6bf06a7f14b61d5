"""`catalogizer replay`: reads the log again. `project` moves the projector back; `fold` writes what the fold published for
a past range to a file, without affecting running processes."""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from cli.console import print_json, print_note, print_table, run_async
from cli.errors import BadArgument
from cli.options import AsJson, Execute
from cli.places import parse_duration, parse_moment, parse_place
from cli.reset_plan import (
    Move,
    ShiftBy,
    Target,
    ToCurrent,
    parse_file,
    write_file,
)
from schemas.places import At, AtTime, Earliest, Head, Offset
from schemas.times import Millis

app = typer.Typer(no_args_is_help=True, help="Read the log again, from any place.")


@app.command()
def project(
    to_earliest: Annotated[bool, typer.Option("--to-earliest", help="To where the log begins.")] = False,
    to_latest: Annotated[bool, typer.Option("--to-latest", help="To where the log ends.")] = False,
    to_current: Annotated[bool, typer.Option("--to-current", help="To where it stands.")] = False,
    to_datetime: Annotated[
        str | None, typer.Option(metavar="TIME", help="To the first record appended then (ISO 8601).")
    ] = None,
    by_duration: Annotated[
        str | None, typer.Option(metavar="DURATION", help="To the first record of that long ago: PT2H, P1D.")
    ] = None,
    shift_by: Annotated[int | None, typer.Option(help="By so many offsets; negative is back.")] = None,
    to_offset: Annotated[int | None, typer.Option(min=0, help="To an offset, in every partition.")] = None,
    from_file: Annotated[
        Path | None, typer.Option(help="To the offsets of a CSV file: topic,partition,offset.")
    ] = None,
    topic: Annotated[
        list[str] | None, typer.Option(metavar="TOPIC[:0,1]", help="Only these; may be given again.")
    ] = None,
    in_place: Annotated[
        bool, typer.Option("--in-place", help="Write the rows again where they are, also from the beginning.")
    ] = False,
    execute: Execute = False,
    export: Annotated[bool, typer.Option("--export", help="Write the targets as CSV for --from-file.")] = False,
    as_json: AsJson = False,
) -> None:
    """Move the projector back: PostgreSQL's rows are written again from the log, with equal results.

    The flags are those of Kafka's own kafka-consumer-groups, whose resets are honoured too. Without --execute
    only what would be done is shown. A replay of everything from the beginning fills new tables, which then replace the old
    ones at once; projectors may run meanwhile. For any other replay projectors must be stopped (that of a `catalogizer up`
    on this machine is stopped automatically meanwhile), and rows are rewritten in place. Skipping forward is not possible.

    \b
    catalogizer replay project --to-earliest
    catalogizer replay project --by-duration PT2H --execute
    catalogizer replay project --to-offset 1000 --topic catalog.fs.changes.v1:0,1 --execute
    catalogizer replay project --to-current --export > positions.csv
    """
    from cli.installation import find, out_of_service, tool_kafka
    from cli.progress import Stages
    from cli.rebuilding import rebuild
    from cli.resetting import execute as move
    from cli.resetting import from_the_beginning, plan

    given = (to_datetime, by_duration, shift_by, to_offset, from_file)
    if to_earliest + to_latest + to_current + sum(flag is not None for flag in given) != 1:
        raise BadArgument("replay project", "exactly one of the --to-…, --by-…, --shift-by, --from-file flags")
    settings = find()
    kafka, url = tool_kafka(settings, "replay"), settings.database.dsn()
    prefix = settings.kafka.topic_prefix
    choices: list[Target] = [
        *([Earliest()] if to_earliest else []),
        *([Head()] if to_latest else []),
        *([ToCurrent()] if to_current else []),
        *([AtTime(parse_moment(to_datetime, "--to-datetime"))] if to_datetime is not None else []),
        *([AtTime(_ago(parse_duration(by_duration, "--by-duration")))] if by_duration is not None else []),
        *([ShiftBy(shift_by)] if shift_by is not None else []),
        *([At(Offset(to_offset))] if to_offset is not None else []),
        *([parse_file(from_file.read_text(), prefix)] if from_file is not None else []),
    ]
    planned = run_async(lambda: plan(kafka, url, choices[0], topic or []))
    anew = not in_place and from_the_beginning(choices[0], topic or [], planned)
    if anew:
        print_note(
            "new tables are filled and take the place of the old ones at once"
            + ("" if execute else " (with --execute)")
        )
    if execute and anew:
        done = run_async(lambda: rebuild(kafka, url, show=Stages()))
        print_note(f"{done.records} records read, {done.rows} rows, {done.letters} dead letters")
    elif execute:
        with out_of_service("project"):
            run_async(lambda: move(kafka, url, planned))
    if export:
        sys.stdout.write(write_file(planned, prefix))
        return
    _show(planned, execute, as_json, "written anew" if anew else "moved")


@app.command()
def fold(
    from_: Annotated[
        str, typer.Option("--from", metavar="PLACE", help="Where the range begins: an offset, a time, earliest.")
    ] = "earliest",
    to: Annotated[
        str, typer.Option(metavar="PLACE", help="Where it ends, not included: an offset, a time, head.")
    ] = "head",
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to; whole or not at all. Else standard output.")
    ] = None,
    library: Annotated[str | None, typer.Option(help="Only the lane of this library.")] = None,
    lane: Annotated[
        int | None, typer.Option(min=0, help="Only this lane. By default all, one after another.")
    ] = None,
) -> None:
    """Fold a past range of the change log again and write what the live fold wrote for it.

    State is folded silently from the beginning of the log to --from, then the outputs of the range are written as
    lines of JSON: topic, partition, key, headers, value. No group, no position and no topic is touched.

    \b
    catalogizer replay fold --library home --output everything.jsonl
    catalogizer replay fold --lane 2 --from 1000 --to 2000 --output range.jsonl
    catalogizer replay fold --from 2026-11-24T10:00:00Z --to 2026-11-24T11:00:00Z > hour.jsonl
    """
    from cli.installation import find, tool_kafka
    from cli.refolding import Lanes
    from cli.refolding import fold as refold

    begin, end = parse_place(from_), parse_place(to, "--to")
    kafka, of = tool_kafka(find(), "replay"), Lanes(library, lane)
    of.numbers(kafka.lanes)
    count = run_async(lambda: refold(kafka, of, begin, end, output))
    if output is not None:
        print_note(f"{count} outputs written to {output}")


def _ago(duration: timedelta) -> Millis:
    return Millis(max(0, int((time.time() - duration.total_seconds()) * 1000)))


def _show(planned: list[Move], executed: bool, as_json: bool, done: str) -> None:
    if as_json:
        print_json(
            [
                {
                    "topic": move.topic,
                    "partition": move.partition,
                    "from": move.current,
                    "to": move.target,
                    "count": move.count,
                    "executed": executed and move.count != 0,
                }
                for move in planned
            ]
        )
        return
    rows = [(m.topic, str(m.partition), str(m.current), str(m.target), str(m.count)) for m in planned]
    print_table(
        done if executed else f"would be {done} (--execute does it)",
        ("topic", "partition", "from", "to", "offsets to read again"),
        rows,
    )
