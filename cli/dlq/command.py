"""`catalogizer dlq`: its commands and their output."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import print_json, print_note, print_table, run_async
from cli.errors import BadArgument
from cli.options import AsJson, Execute, find_topic
from schemas.topics import BY_NAME, DLQ_SUFFIX, GUARDED, RAW, Topic, dlq_of

if TYPE_CHECKING:
    from runtime.dlq.redriving import Outcome, RedriveRequest
    from runtime.kafka import Kafka

app = typer.Typer(no_args_is_help=True, help="Dead letters: records that a stage could not process.")

LEFT = 1
"""Exit code if nothing could be done about a named letter."""

TopicName = Annotated[
    str, typer.Argument(metavar="TOPIC", help="The topic whose queue it is; the queue's own name does as well.")
]
Offsets = Annotated[
    list[int] | None,
    typer.Argument(metavar="[OFFSET]…", help="Letters, as `catalogizer dlq list TOPIC` has them."),
]
All = Annotated[bool, typer.Option("--all", help="All open letters of the queue.")]


@app.command("list")
def list_command(
    topic: Annotated[
        str | None, typer.Argument(metavar="[TOPIC]", help="Only its queue, letter by letter, the newest last.")
    ] = None,
    closed: Annotated[
        bool, typer.Option("--closed", help="Those that were seen to, instead of the open ones. Needs a TOPIC.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the queues with what is open in them, or the open letters of one.

    \b
    catalogizer dlq list
    catalogizer dlq list catalog.analysis.jobs.v1
    catalogizer dlq list media_updates --closed --json | jq -r '.[] | [.offset, .state, .reason] | @tsv'
    """
    if closed and topic is None:
        raise BadArgument("--closed", "needs a TOPIC")
    kafka, prefix = _kafka()
    if topic is None:
        _list_queues(kafka, as_json)
        return
    source = source_of(topic, prefix)
    from cli.dlq.showing import LETTER_COLUMNS, letter_row
    from runtime.dlq.lines import letter_line
    from runtime.dlq.reading import letters_of

    letters = [one for one in run_async(lambda: letters_of(kafka, source)) if (one.closed is not None) == closed]
    if as_json:
        print_json([letter_line(letter) for letter in letters])
    else:
        print_table(f"Dead letters of {source.name}", LETTER_COLUMNS, [letter_row(letter) for letter in letters])


def _list_queues(kafka: Kafka, as_json: bool) -> None:
    from cli.dlq.showing import QUEUE_COLUMNS, queue_row
    from runtime.dlq.lines import queue_line
    from runtime.dlq.reading import queues

    lines = [
        queue_line(topic.name, kafka.name(dlq_of(topic)), letters)
        for topic, letters in run_async(lambda: queues(kafka)).items()
    ]
    if as_json:
        print_json(lines)
    else:
        print_table("Dead letters", QUEUE_COLUMNS, [queue_row(line) for line in lines])


@app.command("show")
def show_command(
    topic: TopicName,
    offset: Annotated[int, typer.Argument(metavar="OFFSET", min=0, help="The letter's, in the queue.")],
    as_json: AsJson = False,
) -> None:
    """Show all of a letter: where it came from, why, and the original's key, headers and bytes.

    \b
    catalogizer dlq show catalog.fs.raw.v1 12
    catalogizer dlq show catalog.fs.raw.v1 12 --json | jq -r .value.text
    """
    kafka, prefix = _kafka()
    source = source_of(topic, prefix)
    from cli.dlq.showing import text
    from runtime.dlq.lines import whole_letter
    from runtime.dlq.reading import letter_at

    letter = run_async(lambda: letter_at(kafka, source, offset))
    if letter is None:
        raise BadArgument("OFFSET", f"{kafka.name(dlq_of(source))} has no letter at {offset}")
    if as_json:
        print_json(whole_letter(letter))
    else:
        print("\n".join(text(letter)))


@app.command("redrive")
def redrive_command(
    topic: TopicName, offsets: Offsets = None, all_: All = False, execute: Execute = False, as_json: AsJson = False
) -> None:
    """Write records back to the topic and partition they came from, byte for byte; each once, however often this is
    repeated.

    A record of the change log is not written again, because later sequence numbers were processed: instead a scan is
    requested that publishes everything of its root again. Without --execute only what would be done is shown. Exit code 1 if
    nothing can be done about a letter that was named.

    \b
    catalogizer dlq redrive catalog.analysis.jobs.v1 --all
    catalogizer dlq redrive catalog.analysis.jobs.v1 3 4 --execute
    catalogizer dlq redrive catalog.fs.raw.v1 --all --execute
    """
    chosen = _chosen(offsets, all_)
    kafka, prefix = _kafka()
    source = source_of(topic, prefix)
    from runtime.dlq.redriving import redrive

    outcomes = _run(lambda: redrive(kafka, _request(source, chosen, execute)))
    if any(one.does == "write_back" for one in outcomes) and source.name != RAW.name:
        print_note(f"note: a record is given back as the newest of {source.name}, after all that has come since")
    if any(one.does == "rescan" for one in outcomes):
        print_note(
            "note: each of these roots is published again from its disk; only what really differs reaches the catalogue"
        )
    _show(outcomes, execute, as_json)
    if chosen is not None and any(one.does == "nothing" and not one.settled for one in outcomes):
        raise typer.Exit(LEFT)


@app.command("discard")
def discard_command(
    topic: TopicName,
    offsets: Offsets = None,
    all_: All = False,
    reason: Annotated[str, typer.Option(help="Why, for people who read the queue.")] = "",
    execute: Execute = False,
    as_json: AsJson = False,
) -> None:
    """Mark letters as seen to. They stay in the queue for its retention time, and are no longer open.

    \b
    catalogizer dlq discard catalog.fs.raw.v1 12 --reason "a test of ours" --execute
    catalogizer dlq list catalog.fs.raw.v1 --closed
    """
    chosen = _chosen(offsets, all_)
    kafka, prefix = _kafka()
    source = source_of(topic, prefix)
    from runtime.dlq.redriving import discard

    _show(_run(lambda: discard(kafka, _request(source, chosen, execute), reason)), execute, as_json)


def _chosen(offsets: list[int] | None, all_: bool) -> tuple[int, ...] | None:
    """The offsets that were given; None: all open letters."""
    if bool(offsets) == all_:
        raise BadArgument("OFFSET", "either offsets of letters or --all")
    return None if all_ else tuple(offsets or ())


def source_of(name: str, prefix: str = "") -> Topic:
    """The topic whose queue is meant, by its name, its queue's or its channel's. Raises BadArgument."""
    found = find_topic(name, prefix)
    source = BY_NAME[found.name.removesuffix(DLQ_SUFFIX)]
    if source not in GUARDED:
        raise BadArgument(name, f"has no dead letter queue; these have: {', '.join(t.name for t in GUARDED)}")
    return source


def _kafka() -> tuple[Kafka, str]:
    from cli.installation import find, tool_kafka

    settings = find()
    return tool_kafka(settings, "dlq"), settings.kafka.topic_prefix


def _request(source: Topic, chosen: tuple[int, ...] | None, execute: bool) -> RedriveRequest:
    from cli.commanding import SOURCE, caller_name
    from runtime.dlq.redriving import RedriveRequest

    return RedriveRequest(source, chosen, execute, by=caller_name(), source=SOURCE)


def _run(action: Callable[[], Coroutine[Any, Any, list[Outcome]]]) -> list[Outcome]:
    from runtime.dlq.errors import NoLetter

    try:
        return run_async(action)
    except NoLetter as error:
        raise BadArgument("OFFSET", f"{error}; see `catalogizer dlq list`") from error


def _show(outcomes: list[Outcome], executed: bool, as_json: bool) -> None:
    from cli.printable import printable

    if as_json:
        print_json(outcomes)
        return
    for one in outcomes:
        print(f"{one.letter}: {printable(_describe(one))}")
    if not outcomes:
        print("nothing is open")
    elif not executed and any(one.does != "nothing" for one in outcomes):
        print_note("this is what would be done; do it with --execute")


def _describe(one: Outcome) -> str:
    match one.does:
        case "write_back":
            return f"{'written' if one.done else 'would be written'} back to {one.to}"
        case "rescan":
            return f"a scan of root {one.to} {'was' if one.done else 'would be'} requested"
        case "discard":
            return "discarded" if one.done else "would be discarded"
        case _:
            return one.why
