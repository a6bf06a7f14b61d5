"""`catalogizer config`: the value of every setting, where it comes from, and whether all are valid."""

from __future__ import annotations

import os

import typer

from cli.console import print_json, print_table
from cli.options import AsJson

app = typer.Typer(no_args_is_help=True, help="The settings: print them, check them.")


@app.command("print")
def print_command(as_json: AsJson = False) -> None:
    """Print every setting with its value and where it came from. Secrets are not shown.

    \b
    catalogizer config print
    CATALOGIZER_GATEWAY__PORT=9000 catalogizer config print --json
    """
    from cli.config_values import settings_of
    from cli.settings import Settings
    from runtime.configuration import load

    found = settings_of(load(Settings), os.environ)
    if as_json:
        print_json(found)
        return
    print_table(
        "Settings",
        ("variable", "value", "from", "meaning"),
        [(setting.variable, setting.value, setting.source, setting.description) for setting in found],
    )


@app.command()
def check(as_json: AsJson = False) -> None:
    """Check all settings; each fault is one line that names the setting, the fault and what is allowed. Exit 2.

    \b
    catalogizer config check && catalogizer up
    """
    from cli.settings import Settings
    from runtime.configuration import load

    load(Settings)
    if as_json:
        print_json({"ok": True})
    else:
        print("all settings are valid")
