"""`catalogizer move-log`."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import print_json, run_async
from cli.options import AsJson
from cli.progress import Stages

if TYPE_CHECKING:
    from cli.moving.moving import Moved

PRIVATE = 0o077


def move_log(
    properties: Annotated[
        Path,
        typer.Argument(
            help="A `client.properties` file of Kafka's tools: how an administrator connects to the new brokers."
        ),
    ],
    topic_prefix: Annotated[
        str | None, typer.Option(help="Put before every topic and group there; by default as it is here.")
    ] = None,
    replication_factor: Annotated[
        int, typer.Option(min=1, max=15, help="Copies of each partition there, if its topics do not exist yet.")
    ] = 3,
    again: Annotated[
        bool,
        typer.Option(
            "--again", help="Delete the topics of an incomplete copy there, and copy from the beginning."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Move the log of the embedded Kafka to brokers of your own: a copy with the same offsets, times and epochs.

    Cursors of clients, positions, snapshots and ids stay valid. End `catalogizer up` first. The embedded log is only
    read; the copy is compared with it, and can be used once this command has ended successfully. If it is interrupted,
    repeat it: it continues.

    \b
    catalogizer move-log admin.properties
    catalogizer move-log admin.properties --topic-prefix films. --replication-factor 3
    """
    from cli.moving.moving import move
    from cli.moving.resting import at_rest, check_there, leave
    from cli.moving.settings import checked, new_brokers, variables
    from cli.settings import Settings
    from runtime.configuration import load

    os.umask(PRIVATE)
    settings, show = load(Settings), Stages(hidden=as_json)
    check_there(settings)
    target = new_brokers(settings.kafka, properties, topic_prefix, replication_factor)
    run_async(lambda: checked(target, properties))
    with at_rest(settings) as source:
        moved = run_async(lambda: move(source, target, show, lambda: leave(settings, target), again=again))
    needed = variables(settings, target, properties)
    if as_json:
        print_json({**_figures(moved), "settings": needed})
    else:
        _print(moved, needed)


def _figures(moved: Moved) -> dict[str, int | float | bool]:
    return {
        "topics": moved.topics,
        "partitions": moved.partitions,
        "groups": moved.groups,
        "compared_records": moved.compared,
        "copied_records": moved.records,
        "copied_transactions": moved.transactions,
        "copying_seconds": round(moved.seconds, 1),
        "continued": moved.continued,
    }


def _print(moved: Moved, needed: dict[str, str]) -> None:
    seconds = max(moved.seconds, 0.001)
    print(
        f"copied {moved.records} records and {moved.transactions} transactions in {moved.seconds:.1f} s"
        f" ({moved.records / seconds:.0f} and {moved.transactions / seconds:.0f} a second);"
        f" {moved.topics} topics, {moved.partitions} partitions, {moved.groups} consumer groups"
    )
    print(f"compared {moved.compared} records: offsets, times, keys, values and headers are equal")
    print("From now on start every process, and `catalogizer up`, with these settings:\n")
    for name, value in needed.items():
        print(f"{name}={shlex.quote(value)}")
