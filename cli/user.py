"""`catalogizer user`: accounts that people sign in with."""

from __future__ import annotations

import secrets
import sys
from typing import TYPE_CHECKING

import typer

from cli.console import print_json, run_async
from cli.errors import BadArgument
from cli.options import AsJson

if TYPE_CHECKING:
    from cli.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Accounts.")

LEAST_CHARACTERS = 8


@app.command()
def admin(as_json: AsJson = False) -> None:
    """Make user `admin`, or give it another password.

    The password is CATALOGIZER_ADMIN_PASSWORD (or the file that CATALOGIZER_ADMIN_PASSWORD_FILE names); on a
    terminal it is asked for when neither is set; else one is made and printed.

    \b
    catalogizer user admin
    CATALOGIZER_ADMIN_PASSWORD_FILE=/run/secrets/admin_password catalogizer user admin
    """
    from cli.installation import find
    from gateway.access.accounts import ensure_admin

    settings = find()
    password, made = _password(settings)
    run_async(lambda: ensure_admin(settings.database.dsn(), password))
    if as_json:
        print_json({"user": "admin"} | ({"password": password} if made else {}))
    else:
        print(f"user admin can sign in{f' with password {password}' if made else ''}")


def _password(settings: Settings) -> tuple[str, bool]:
    if settings.admin_password is not None:
        return settings.admin_password.get_secret_value(), False
    if not sys.stdin.isatty():
        return secrets.token_urlsafe(12), True
    typed: str = typer.prompt("Password of user admin", hide_input=True, confirmation_prompt=True)
    if len(typed) < LEAST_CHARACTERS:
        raise BadArgument("password", f"at least {LEAST_CHARACTERS} characters")
    return typed, False
