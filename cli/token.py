"""`catalogizer token`: tokens for machines."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.accounts_database import BY, Channels, Libraries, RoleName, Roots, changed, rights_of, shown
from cli.console import print_json, print_table
from cli.options import AsJson

app = typer.Typer(no_args_is_help=True, help="Tokens for machines.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Its name, letters' case aside.")]


@app.command()
def add(
    name: Name,
    role: Annotated[RoleName, typer.Option(help="What it may do.")] = RoleName.VIEWER,
    channel: Channels = None,
    library: Libraries = None,
    root: Roots = None,
    days: Annotated[int, typer.Option(metavar="N", help="It expires after so many days.")] = 90,
    as_json: AsJson = False,
) -> None:
    """Issue a token for a machine, to be sent as `Authorization: Bearer`. It is shown only once.

    \b
    catalogizer token add dashboard --root films --days 365
    """
    from gateway.access import machine_tokens
    from gateway.access.roles import ROLE_IDS

    rights = rights_of(channel, library, root)
    issued = changed(lambda url: machine_tokens.issue(url, name, ROLE_IDS[role.value], rights, days, by=BY))
    if as_json:
        print_json(
            {
                "name": name,
                "token": issued.token,
                "role": role.value,
                "expires_at": issued.expires_at,
                **rights.names(),
            }
        )
        return
    ends = issued.expires_at.isoformat(timespec="seconds")
    print(f"{name} ({role.value}, {shown(rights)}) until {ends}; token: {issued.token}")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show the valid tokens.

    \b
    catalogizer token list
    """
    from gateway.access import machine_tokens
    from gateway.access.roles import role_of

    found = [(one, role_of(one.role_id).name.lower(), one.rights) for one in changed(machine_tokens.machines)]
    if as_json:
        print_json(
            [
                {
                    "name": one.name, "role": role, **rights.names(), "created_by": one.created_by,
                    "created_at": one.created_at, "expires_at": one.expires_at,
                }
                for one, role, rights in found
            ]
        )  # fmt: skip
        return
    rows = [
        (one.name, role, shown(rights), one.created_by, one.expires_at.isoformat(timespec="seconds"))
        for one, role, rights in found
    ]
    print_table("Tokens", ("token", "role", "sees", "issued by", "ends"), rows)


@app.command()
def revoke(name: Name, as_json: AsJson = False) -> None:
    """Revoke a token; its sockets are closed within seconds.

    \b
    catalogizer token revoke dashboard
    """
    from gateway.access import machine_tokens

    changed(lambda url: machine_tokens.revoke(url, name, by=BY))
    if as_json:
        print_json({"name": name, "revoked": True})
    else:
        print(f"{name} is revoked")
