"""The block that is printed when the platform is ready: where to look, how to sign in, what to try."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rich.panel import Panel
from rich.text import Text

from cli.up.first_admin import AdminPassword
from cli.up.run_file import RunFile
from cli.up.telling import Telling


def lines(run: RunFile, password: AdminPassword, command: str) -> list[tuple[str, str]]:
    """Label and text of each line; an empty label continues the one above."""
    roots = [("library" if number == 0 else "", path) for number, path in enumerate(run.library.values())]
    first = next(iter(run.library.values()), ".")
    return [
        ("page", run.url),
        *_signing_in(run, password),
        *roots,
        ("try 1", f"cp SOME_FILE {first}/"),
        ("", "it appears on the page some two seconds later"),
        ("try 2", f"mv {first}/SOME_FILE {first}/NEW_NAME"),
        ("", "one rename: the item keeps its id"),
        ("try 3", f"{command} tap media_updates --from earliest"),
        ("", "everything that happened, again; the page's Replay does the same"),
        ("end", "Ctrl-C"),
    ]


def _signing_in(run: RunFile, password: AdminPassword) -> list[tuple[str, str]]:
    match password:
        case AdminPassword.KEPT:
            kept = run.admin_password_file
            return [("sign in", f"{run.admin_user}   {Path(kept).read_text().strip()}"), ("", f"(kept in {kept})")]
        case AdminPassword.CONFIGURED:
            return [("sign in", f"{run.admin_user}   (the password of {password.value})")]
        case AdminPassword.CHANGED:
            return [("sign in", f"{run.admin_user}   (its password was {password.value})")]


def _command() -> str:
    """How the command is typed: as it lies beside the Python that runs this, where it does."""
    beside = Path(sys.executable).with_name("catalogizer")
    return os.path.relpath(beside) if beside.exists() else "catalogizer"


def announce(telling: Telling, run: RunFile, password: AdminPassword) -> None:
    """Print it: a panel on a terminal, plain lines elsewhere."""
    body = "\n".join(f"{label:9}{text}" for label, text in lines(run, password, _command()))
    if telling.console.is_terminal:
        telling.console.print(Panel(Text(body), title="Catalogizer is ready", expand=False, padding=(1, 2)))
    else:
        telling.say(f"Catalogizer is ready\n{body}")
