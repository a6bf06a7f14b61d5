"""`catalogizer tap`: prints records from any place in the log, for people and programs, without affecting any process."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.console import run_async
from cli.errors import BadArgument
from cli.options import AsJson, find_topic
from cli.places import parse_place
from cli.records import Format, parse_filter
from schemas.places import Earliest, Head


def tap(
    topic: Annotated[str, typer.Argument(metavar="TOPIC|CHANNEL", help="A topic's name, or a channel's.")],
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="PLACE",
            help="Where to begin: earliest, latest, an offset, 0:120,3:7 (partition:offset), an ISO 8601 time, or"
            " last:N. By default earliest, with --follow latest.",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="PLACE",
            help="Where to end, not included: head (as it is now, the default), an offset, pairs, or a time.",
        ),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes until Ctrl-C.")] = False,
    filter_: Annotated[
        str,
        typer.Option("--filter", metavar="NAME=VALUE,…", help="Only records whose fields have these values."),
    ] = "",
    partition: Annotated[int | None, typer.Option(min=0, help="Only this partition.")] = None,
    format_: Annotated[Format, typer.Option("--format", help="How records are written.")] = Format.TEXT,
    as_json: AsJson = False,
) -> None:
    """Show the records of a topic from any place in the log.

    Reads committed records only, without a consumer group: running processes are not affected.

    \b
    catalogizer tap media_updates --follow
    catalogizer tap media_updates --from last:5 --json
    catalogizer tap catalog.fs.changes.v1 --from 2026-11-24T10:00:00Z --filter root=movies,kind=moved
    catalogizer tap catalog.fs.raw.v1 --from 0:120 --until 0:130 --json
    catalogizer tap catalog.fs.changes.v1 --format csv > changes.csv
    """
    if follow and until is not None:
        raise BadArgument("--until", "cannot be used with --follow")
    begin = parse_place(from_) if from_ is not None else Head() if follow else Earliest()
    end = None if follow else parse_place(until or "head", "--until")
    wanted = parse_filter(filter_)

    from cli.installation import find, tool_kafka
    from cli.tapping import Tapping, print_records

    settings = find()
    found = find_topic(topic, settings.kafka.topic_prefix)
    tapping = Tapping(tool_kafka(settings, "tap"), found, wanted, partition)
    try:
        run_async(lambda: print_records(tapping.records(begin, end), Format.JSON if as_json else format_))
    except KeyboardInterrupt:
        if not follow:
            raise
