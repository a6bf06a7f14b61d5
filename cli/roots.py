"""`catalogizer roots`: shows the storage roots and sends commands for them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import print_json, print_note, print_table, run_async
from cli.errors import BadArgument, NotConfirmed
from cli.options import AsJson
from schemas.paths import to_wire

if TYPE_CHECKING:
    from cli.root_table import RootLine
    from runtime.kafka import Kafka
    from schemas.admin import Control
    from schemas.system import RootReport

app = typer.Typer(no_args_is_help=True, help="The storage roots: their state, and commands for them.")

COLUMNS = ("name", "library", "path", "protocol", "watch", "state", "configured", "reported at", "message")

Root = Annotated[str, typer.Argument(metavar="ROOT", help="The root's name, as `catalogizer roots list` has it.")]
Wait = Annotated[
    float, typer.Option("--wait", min=0.1, metavar="SECONDS", help="How long to wait for the result.")
]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Send the command, and do not wait for the result.")]


@app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """List the roots: those that are declared here, and those that producers report.

    \b
    catalogizer roots list
    catalogizer roots list --json | jq -r '.[] | select(.state=="offline") | .message'
    """
    _, lines = _known()
    if as_json:
        print_json(lines)
        return
    rows = [
        (
            line.name, line.library or "", line.path or "", line.protocol or "", line.watch or "", line.state,
            "yes" if line.configured else "no", line.reported_at or "never", line.message,
        )
        for line in lines
    ]  # fmt: skip
    print_table("Roots", COLUMNS, rows)


@app.command("add")
def add_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called; the name stays.")],
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH", help="The folder that is watched with all below it; or //host/share/folder."
        ),
    ],
    library: Annotated[
        str, typer.Option(help="Its library: a file moved between roots of one library keeps its id.")
    ] = "home",
    site: Annotated[str, typer.Option(help="Where its files can be read.")] = "main",
    include: Annotated[
        list[str] | None, typer.Option(metavar="GLOB", help="Only files that match; may be repeated.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(metavar="GLOB", help="Names or paths left out; may be repeated.")
    ] = None,
    user: Annotated[str | None, typer.Option(help="On a share: who reads it.")] = None,
    domain: Annotated[str | None, typer.Option(help="On a share: the user's domain.")] = None,
    password_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="On a share: the file with the user's password.")
    ] = None,
    encryption: Annotated[
        str | None, typer.Option(metavar="HOW", help="On a share: `required`, or `if_offered` (the default).")
    ] = None,
    watch: Annotated[
        str,
        typer.Option(
            metavar="HOW",
            help="How its changes are noticed: auto (by its file system), inotify, fanotify or polling.",
        ),
    ] = "auto",
    replace: Annotated[bool, typer.Option("--replace", help="Replace an existing declaration.")] = False,
    wait: Wait = 15.0,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Declare a root to the platform here, which begins to watch it at once; or, with --replace, change it.

    It is kept in a file of the roots folder (`<state>/roots.d/NAME.toml`), which may also be written by hand. Nothing is
    ever written into the folder that is watched.

    \b
    catalogizer roots add films /srv/films
    catalogizer roots add music /mnt/nas/music --exclude '*.part' --exclude Incoming
    catalogizer roots add nas //nas.home/media/Films --user reader --password-file /etc/catalogizer/nas
    catalogizer roots add photos /mnt/photos --watch polling
    """
    import time

    from cli.declaring import declare, is_demo, reported, spec_of
    from cli.errors import NotRunning
    from cli.installation import find, roots_folder, roots_here, tool_kafka
    from cli.settings import Settings
    from runtime.configuration import load

    settings = load(Settings)
    secret = None if password_file is None else password_file.absolute()
    given = {
        "library": library, "site": site, "include": tuple(include or ()), "exclude": tuple(exclude or ()),
        "user": user, "domain": domain, "password_file": secret, "encryption": encryption, "watch": watch,
    }  # fmt: skip
    spec = spec_of(name, path, given)
    began = time.time_ns() // 1_000_000
    here = roots_here(settings)
    file = declare(spec, here, roots_folder(settings), replace=replace)
    if demo := [root.name for root in here.specs.values() if is_demo(root, settings.state_dir)]:
        retire = ", ".join(f"`catalogizer roots retire {name}`" for name in demo)
        print_note(f"the demo library is not watched any more after the next start; its items leave with {retire}")
    report = None
    if not no_wait:
        try:
            kafka = tool_kafka(find(), "roots")
        except NotRunning:
            print_note("nothing runs here now")
        else:
            report = run_async(lambda: reported(kafka, spec, began, wait))
    message = "it is watched as soon as `catalogizer watch` runs here" if report is None else report.message
    if as_json:
        print_json(
            {"root": name, "file": str(file), "state": None if report is None else report.mode, "message": message}
        )
    else:
        print(f"declared in {file}; {message}")


@app.command("remove")
def remove_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The root's name.")], as_json: AsJson = False
) -> None:
    """Stop watching a root that was declared by `roots add`. Its items stay in the catalogue until it is retired.

    \b
    catalogizer roots remove old-disk && catalogizer roots retire old-disk
    """
    from cli.installation import roots_folder, roots_here
    from cli.settings import Settings
    from runtime.configuration import load
    from runtime.root_files import remove

    settings = load(Settings)
    folder = roots_folder(settings)
    if not remove(folder, name):
        here = roots_here(settings).specs
        where = "is in the settings: take it out there" if name in here else f"is not declared in {folder}"
        raise BadArgument("NAME", f"root {name} {where}")
    if as_json:
        print_json({"root": name, "file": str(folder / f"{name}.toml")})
    else:
        print(f"root {name} is watched no longer; its items stay until `catalogizer roots retire {name}`")


@app.command("rescan")
def rescan_command(
    root: Root,
    subtree: Annotated[
        str, typer.Option(metavar="PATH", help="Only this directory, relative to the root, and all below it.")
    ] = "",
    again: Annotated[
        bool, typer.Option("--again", help="Publish everything in the root, not only differences.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why, for people who read the log.")] = "by hand",
    wait: Wait = 15.0,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Scan a root, or a directory of it, now. Differences are published with cause `requested`.

    With --again everything in the root is published, as by its first scan: that restores what the change log has lost of it.

    Waits up to 15 s for the end of the scan.

    \b
    catalogizer roots rescan movies
    catalogizer roots rescan movies --subtree "Series/The Wire" --reason "restored two episodes"
    """
    if subtree.startswith("/") or ".." in subtree.split("/"):
        raise BadArgument("--subtree", "is relative to the root and leads nowhere else")
    if again and subtree:
        raise BadArgument("--again", "is of the whole root, without --subtree")
    from cli.commanding import caller_name, drawn_id
    from runtime.reports import now_iso
    from schemas.admin import RescanRoot

    kafka = _kafka_of(root)
    shown, b64 = to_wire(subtree.strip("/"))
    command = RescanRoot(
        id=drawn_id(), root=root, by=caller_name(), at=now_iso(), reason=reason, subtree=shown, subtree_b64=b64,
        again=again,
    )  # fmt: skip
    _send(kafka, command, None if no_wait else wait, as_json)


@app.command("accept")
def accept_command(root: Root, wait: Wait = 15.0, no_wait: NoWait = False, as_json: AsJson = False) -> None:
    """Accept what is at a root's location although it is not the directory that was known.

    For a library that was restored from a backup or moved to another disk: the platform keeps the root offline until an
    operator confirms that it is the same tree. Only differences are published; items keep their ids. Waits up to 15 s.

    \b
    catalogizer roots accept movies
    """
    from cli.commanding import caller_name, drawn_id
    from runtime.reports import now_iso
    from schemas.admin import AcceptRoot

    kafka = _kafka_of(root)
    command = AcceptRoot(id=drawn_id(), root=root, by=caller_name(), at=now_iso())
    _send(kafka, command, None if no_wait else wait, as_json)


@app.command("pause")
def pause_command(
    root: Root,
    scans: Annotated[
        bool, typer.Option("--scans", help="Only pause its scans; changes are still observed.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why, for people who read the log.")] = "by hand",
    wait: Wait = 15.0,
    no_wait: NoWait = False,
    as_json: AsJson = False,
) -> None:
    """Pause a root until it is resumed: nothing is read there, and nothing is published about it.

    For the time of a repair, or of heavy work on its disk. It stays paused over restarts. What changed meanwhile is found by
    a scan when it is resumed.

    \b
    catalogizer roots pause movies --reason "new disks in the NAS"
    catalogizer roots pause movies --scans
    """
    from cli.commanding import caller_name, drawn_id
    from runtime.reports import now_iso
    from schemas.admin import PauseRoot

    kafka = _kafka_of(root)
    command = PauseRoot(
        id=drawn_id(), root=root, by=caller_name(), at=now_iso(), reason=reason, what="scans" if scans else "root"
    )
    _send(kafka, command, None if no_wait else wait, as_json)


@app.command("resume")
def resume_command(root: Root, wait: Wait = 15.0, no_wait: NoWait = False, as_json: AsJson = False) -> None:
    """Go on with a root that was paused; a scan finds what has changed meanwhile.

    \b
    catalogizer roots resume movies
    """
    from cli.commanding import caller_name, drawn_id
    from runtime.reports import now_iso
    from schemas.admin import ResumeRoot

    kafka = _kafka_of(root)
    _send(
        kafka,
        ResumeRoot(id=drawn_id(), root=root, by=caller_name(), at=now_iso()),
        None if no_wait else wait,
        as_json,
    )


@app.command("retire")
def retire_command(
    root: Root,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask on a terminal.")] = False,
    wait: Wait = 60.0,
    as_json: AsJson = False,
) -> None:
    """Remove a root's items from the catalogue, for a root that was removed from the settings. Its files are not touched.

    The log keeps the history. If the root is configured again later, its items get new ids.

    \b
    catalogizer roots retire old-disk
    """
    from cli.retiring import retire
    from cli.root_table import find_root

    kafka, lines = _known()
    line = find_root(root, lines)
    if line.configured:
        raise BadArgument(
            "ROOT", f"{root} is declared here: take it out of the settings, or `roots remove` it, first"
        )
    if line.state not in ("silent", "unknown"):
        print_note("waiting until nobody reports it any more")
        line = _silent(root, line)
    if line.state not in ("silent", "unknown"):
        raise BadArgument(
            "ROOT", f"{root} is watched ({line.state}, {line.path}): take it out of those settings first"
        )
    library = line.library
    if library is None:
        raise NotConfirmed(f"nobody has ever reported root {root}: there is nothing to retire")
    if not yes and sys.stdin.isatty():
        typer.confirm(
            f"All items of root {root} ({line.path}) leave the catalogue; the files stay. Go on?", abort=True
        )
    done = run_async(lambda: retire(kafka, line, library, wait))
    if not done.done:
        raise NotConfirmed(
            f"requested, but not completed within {wait:g} s: it completes when `catalogizer stream` runs"
        )
    if as_json:
        print_json({"root": root, "items": done.items})
    else:
        print(f"root {root} is retired: {done.items} items have left the catalogue")


def _silent(root: str, line: RootLine) -> RootLine:
    """The root's line once it is no longer reported, or after a time-out: its producer may just have stopped watching it."""
    import time

    from cli.root_table import LATELY_MS, find_root

    until = time.monotonic() + LATELY_MS / 1_000 + 2
    while line.state not in ("silent", "unknown") and time.monotonic() < until:
        time.sleep(1)
        line = find_root(root, _known(faults=False)[1])
    return line


def _known(*, faults: bool = True) -> tuple[Kafka, list[RootLine]]:
    from cli.installation import find, roots_here, tool_kafka
    from cli.root_table import known_roots

    settings = find()
    kafka = tool_kafka(settings, "roots")
    here = roots_here(settings)
    for fault in here.faults if faults else ():
        print_note(f"not watched: {fault}")
    return kafka, run_async(lambda: known_roots(kafka, here.specs.values()))


def _kafka_of(root: str) -> Kafka:
    from cli.root_table import find_root

    kafka, lines = _known()
    find_root(root, lines)
    return kafka


def _send(kafka: Kafka, command: Control, wait: float | None, as_json: bool) -> None:
    from cli.commanding import send, send_and_wait
    from cli.progress import scan_shown

    if wait is None:
        run_async(lambda: send(kafka, command))
        _show(command, None, "asked", as_json)
        return
    if not as_json:
        print_note(f"command sent; waiting up to {wait:g} s for the result")
    with scan_shown(hidden=as_json) as scanned:
        report = run_async(lambda: send_and_wait(kafka, command, wait, scanned))
    if report is None:
        raise NotConfirmed(
            f"nobody has answered for root {command.root} within {wait:g} s; it is done as soon as"
            " `catalogizer watch` runs with it"
        )
    _conclude(command, report, as_json)


def _conclude(command: Control, report: RootReport, as_json: bool) -> None:
    from schemas.system import COMMAND_RESULT

    result = str(report.details.get(COMMAND_RESULT))
    if report.status == "error":
        raise NotConfirmed(f"{result}; {report.message}")
    _show(command, report, result, as_json)


def _show(command: Control, report: RootReport | None, result: str, as_json: bool) -> None:
    from schemas.system import COMMAND_DONE

    if as_json:
        done = report is not None and bool(report.details.get(COMMAND_DONE))
        state = None if report is None else report.mode
        print_json({"id": command.id, "root": command.root, "done": done, "result": result, "state": state})
    else:
        print(f"{command.root}: {result}" + ("" if report is None else f"; {report.message}"))
