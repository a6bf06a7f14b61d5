"""Assembles the command line from the commands and turns their errors into exit codes.

Expected errors are one line on standard error: exit 2 for wrong arguments or settings, 1 for the rest.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli import (
    alerts,
    analysis,
    changes,
    config,
    demo,
    fold,
    replay,
    roots,
    services,
    standard_streams,
    status,
    tap,
    token,
    top,
    topics,
    unit,
    user,
)
from cli.audit.command import audit
from cli.backup.command import backup, restore
from cli.console import print_json, run_to_exit
from cli.dlq import command as dlq
from cli.errors import Unwell
from cli.moving.command import move_log
from cli.options import AsJson

app = typer.Typer(
    name="catalogizer",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Every file change of a media library, kept for ever in Kafka, in every browser within seconds.

    \b
    catalogizer up                                  everything on this machine
    catalogizer tap media_updates --follow          what browsers receive, as it happens
    catalogizer replay fold --library home          what was decided, computed again from the log
    catalogizer config check                        are the settings right?

    Settings are read from the environment (CATALOGIZER_…), see `catalogizer config print`.""",
)

PROCESSES = "Processes"
TOOLS = "Tools"


def _print_version(wanted: bool) -> None:
    if wanted:
        version()
        raise typer.Exit


@app.callback()
def main(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Options before a command."""


def version(as_json: AsJson = False) -> None:
    """Print the version."""
    from runtime.health import product_version

    if as_json:
        print_json({"version": product_version()})
    else:
        print(product_version())


def migrate(as_json: AsJson = False) -> None:
    """Bring PostgreSQL's tables up to date. Needs only the database. Can be repeated at any time, and run by several at
    once.

    With CATALOGIZER_DATABASE__PROJECT_PASSWORD and …__SERVE_PASSWORD (or _FILE) the roles of projectors and gateways are
    first created, or given these passwords; the user of the URL must be allowed to create roles.

    \b
    CATALOGIZER_DATABASE__URL=postgresql://catalogizer@db/catalogizer catalogizer migrate
    """
    from cli.installation import database_url, role_passwords
    from cli.provisioning.database_roles import make_logins
    from cli.provisioning.tables import apply_migrations

    if passwords := role_passwords():
        make_logins(database_url(), passwords)
    applied = apply_migrations(database_url())
    if as_json:
        print_json(applied)
    else:
        print("\n".join(f"applied {name}" for name in applied) or "nothing to do: every migration is applied")


def health(
    port: Annotated[int, typer.Argument(min=1, max=65535, help="Where it serves its health page.")],
    host: Annotated[str, typer.Option(help="Its address.")] = "127.0.0.1",
    live: Annotated[bool, typer.Option("--live", help="Ask only whether it answers.")] = False,
) -> None:
    """Check whether a process of the platform is ready: exit code 0, or 1 and the reason.

    The port is that of CATALOGIZER_PRODUCER__HEALTH__PORT and the like, or the gateway's own.

    \b
    catalogizer health 8080
    catalogizer health 8081 --live
    """
    from cli.health import LIVE, READY, TIMEOUT_SECONDS, look

    if problem := look(host, port, LIVE if live else READY, TIMEOUT_SECONDS):
        raise Unwell(problem)


for process in (services.up, services.watch, services.stream, services.project, services.serve):
    app.command(rich_help_panel=PROCESSES)(process)
app.command("serve-worker", hidden=True)(services.serve_worker)
app.command(rich_help_panel=TOOLS)(status.status)
app.command(rich_help_panel=TOOLS)(top.top)
app.command(rich_help_panel=TOOLS)(tap.tap)
app.command(rich_help_panel=TOOLS)(changes.changes)
app.command(rich_help_panel=TOOLS)(audit)
app.command(rich_help_panel=TOOLS)(backup)
app.command(rich_help_panel=TOOLS)(restore)
app.command("move-log", rich_help_panel=TOOLS)(move_log)
app.command(rich_help_panel=TOOLS)(unit.unit)
app.command(rich_help_panel=TOOLS)(health)
app.command(rich_help_panel=TOOLS)(demo.demo)
app.command(rich_help_panel=TOOLS)(migrate)
app.command(rich_help_panel=TOOLS)(version)
for name, group in (
    ("topics", topics.app),
    ("roots", roots.app),
    ("analysis", analysis.app),
    ("dlq", dlq.app),
    ("alerts", alerts.app),
    ("replay", replay.app),
    ("fold", fold.app),
    ("config", config.app),
    ("user", user.app),
    ("token", token.app),
):
    app.add_typer(group, name=name, rich_help_panel=TOOLS)


def run() -> None:
    """The console entry point; does not return."""
    standard_streams.open_missing()
    sys.exit(run_to_exit(app))


if __name__ == "__main__":
    run()
