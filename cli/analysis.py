"""`catalogizer analysis`: requests a new analysis of known items, and pauses, resumes or cancels such requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from cli.console import print_json, print_note, run_async
from cli.errors import BadArgument, NotConfirmed
from cli.options import AsJson, Execute
from schemas.found import MEDIA_TYPES
from schemas.raw import ResultStatus

if TYPE_CHECKING:
    from cli.requesting import Action, Matched
    from gateway.tables.analysing import Wanted
    from runtime.kafka import Kafka
    from schemas.changes import AnalysisRequestChanged

app = typer.Typer(no_args_is_help=True, help="Analyse known items again; new files take precedence.")

STATUSES = (*get_args(ResultStatus), "none")

Library = Annotated[str | None, typer.Option(metavar="NAME", help="Only of this library; by default of all.")]
Reason = Annotated[str, typer.Option(help="Why, for people who read the log.")]


@app.command("request")
def request_command(
    root: Annotated[str, typer.Argument(metavar="ROOT", help="The root, as `catalogizer roots list` has it.")],
    subtree: Annotated[
        str, typer.Option(metavar="PATH", help="Only below this directory, relative to the root.")
    ] = "",
    type_: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="TYPE", help="Only video, audio, image or book; again for more."),
    ] = None,
    status: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STATUS", help="Only items that are done, failed, unreadable, or none (never analysed)."
        ),
    ] = None,
    reason: Reason = "by hand",
    execute: Execute = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Send the request, and do not wait for its end.")
    ] = False,
    wait: Annotated[
        float | None, typer.Option(min=0.1, metavar="SECONDS", help="Wait so long at most; the request continues.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Analyse matching items again. Without --execute only their number is shown, according to the catalogue.

    The request is a record in the change log, so that a replay repeats it. A few items are under way at a time, and a file
    that is new or has changed takes precedence. Whether an item matches is decided when its turn comes.

    \b
    catalogizer analysis request movies --status failed --status unreadable
    catalogizer analysis request movies --type video --subtree Series --reason "new reader" --execute
    """
    from cli.installation import find, tool_kafka
    from cli.requesting import look

    wanted = _wanted(root, subtree, type_ or [], status or [])
    settings = find()
    found = run_async(lambda: look(settings.database.dsn(), wanted))
    if not execute:
        _show(found, as_json)
        return
    if not found.items:
        raise NotConfirmed(f"nothing of root {root} matches: nothing was requested")
    if found.waits and not as_json:
        print_note(f"root {root} is {found.waits}: it waits until that is over")
    _request(tool_kafka(settings, "analysis"), wanted, found, reason, wait=0 if no_wait else wait, as_json=as_json)


@app.command("pause")
def pause_command(library: Library = None, reason: Reason = "by hand", as_json: AsJson = False) -> None:
    """Begin no more requested analyses until `resume`. Files that are new or change are analysed as usual.

    \b
    catalogizer analysis pause --reason "film night"
    """
    _steer("pause", library, reason, None, as_json)


@app.command("resume")
def resume_command(library: Library = None, reason: Reason = "by hand", as_json: AsJson = False) -> None:
    """Go on where `pause` stopped.

    \b
    catalogizer analysis resume
    """
    _steer("resume", library, reason, None, as_json)


@app.command("cancel")
def cancel_command(
    request: Annotated[
        int | None, typer.Argument(metavar="[REQUEST]", min=0, help="One request; by default all under way.")
    ] = None,
    library: Library = None,
    reason: Reason = "by hand",
    as_json: AsJson = False,
) -> None:
    """Cancel requested analyses. The few files that are under way are finished.

    \b
    catalogizer analysis cancel 43010
    """
    _steer("cancel", library, reason, request, as_json)


def _wanted(root: str, subtree: str, types: list[str], statuses: list[str]) -> Wanted:
    from gateway.tables.analysing import Wanted

    if subtree.startswith("/") or any(
        part in ("", ".", "..") for part in subtree.strip("/").split("/") if subtree
    ):
        raise BadArgument("--subtree", "is relative to the root and leads nowhere else")
    for argument, given, known in (("--type", types, MEDIA_TYPES), ("--status", statuses, STATUSES)):
        for one in given:
            if one not in known:
                raise BadArgument(argument, f"{one!r} is none of {', '.join(known)}")
    typed: Any = tuple(types), tuple(statuses)
    return Wanted(root, subtree.strip("/"), *typed)


def _show(found: Matched, as_json: bool) -> None:
    if as_json:
        print_json({"root": found.root, "matched": found.items, "waits": found.waits, "executed": False})
        return
    waits = f"; it is {found.waits}, so they would wait" if found.waits else ""
    print(f"{found.items} items of root {found.root} match{waits}; --execute has them analysed again")


def _request(
    kafka: Kafka, wanted: Wanted, found: Matched, reason: str, *, wait: float | None, as_json: bool
) -> None:
    from cli.progress import Stages
    from cli.requesting import request

    with Stages(hidden=as_json or wait == 0).stage("analysed", found.items) as come_on:
        sent = run_async(lambda: request(kafka, wanted, found.library, reason, wait, come_on))
    if not sent.changes:
        _conclude(found, sent.id, None, as_json, repeated=False)
    else:
        first, last = sent.changes[0], sent.changes[-1]
        _conclude(found, last.request, last, as_json, repeated=first.state == "repeated")


def _conclude(
    found: Matched, id_: int, last: AnalysisRequestChanged | None, as_json: bool, *, repeated: bool
) -> None:
    if as_json:
        counts = ("processed", "identified", "failed")
        print_json(
            {"root": found.root, "matched": found.items, "waits": found.waits, "executed": True, "request": id_,
             "state": "asked" if last is None else last.state, "repeated": repeated,
             **({} if last is None else {name: getattr(last, name) for name in counts})}
        )  # fmt: skip
        return
    if repeated:
        print_note(f"an equal request is already under way, as request {id_}")
    if last is None:
        print(f"request {id_} is in the log; it begins as soon as `catalogizer stream` has read it")
    else:
        print(f"request {id_} {last.state}: {last.processed} of {last.matched} analysed, {last.failed} failed")


def _steer(action: Action, library: str | None, reason: str, request: int | None, as_json: bool) -> None:
    from cli.installation import find, tool_kafka
    from cli.requesting import libraries, steer

    settings = find()
    kafka = tool_kafka(settings, "analysis")
    of = run_async(lambda: libraries(settings.database.dsn(), library))
    run_async(lambda: steer(kafka, action, of, reason, request))
    if as_json:
        print_json({"action": action, "libraries": of})
    else:
        print(f"{action} is in the log of: {', '.join(of) or 'no library'}")
