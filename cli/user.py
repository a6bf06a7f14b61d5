"""`catalogizer user`: the accounts with which people sign in."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli import passwords
from cli.accounts_database import BY, Channels, Libraries, RoleName, Roots, changed, rights_of, rules, shown
from cli.console import print_json, print_table
from cli.errors import CommandError
from cli.options import AsJson

app = typer.Typer(no_args_is_help=True, help="Accounts.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The user name, letters' case aside.")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="1 to 64 characters, no spaces, no @.")],
    role: Annotated[RoleName, typer.Option(help="What it may do.")] = RoleName.VIEWER,
    email: Annotated[str | None, typer.Option(metavar="ADDRESS", help="To sign in with, beside the name.")] = None,
    channel: Channels = None,
    library: Libraries = None,
    root: Roots = None,
    stdin: passwords.FromStdin = False,
    file: passwords.FromFile = None,
    generate: passwords.Generate = False,
    as_json: AsJson = False,
) -> None:
    """Add an account. The password is read from a prompt, standard input or a file; 8 characters at least.

    \b
    catalogizer user add anna
    catalogizer user add anna --role admin --email anna@example.org --generate
    catalogizer user add anna --password-stdin < password.txt
    catalogizer user add kim --library family --root music
    """
    from gateway.access import account_admin
    from gateway.access.account_rules import check_email, check_name
    from gateway.access.roles import ROLE_IDS

    with rules():
        check_name(name)
        if email is not None:
            check_email(email)
    password = passwords.read(name, stdin=stdin, file=file, generate=generate)
    rights = rights_of(channel, library, root)
    changed(
        lambda url: account_admin.add(
            url, name, password.text, role_id=ROLE_IDS[role.value], email=email, rights=rights, by=BY
        )
    )
    _print_result(f"{name} can sign in", {"user": name, "role": role.value}, password, as_json)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show the accounts.

    \b
    catalogizer user list
    """
    from gateway.access.account_admin import accounts
    from gateway.access.roles import role_of

    found = changed(accounts)
    if as_json:
        print_json(
            [
                {
                    "user": account.username,
                    "email": account.email,
                    "role": role_of(account.role_id).name.lower(),
                    **account.rights.names(),
                    "disabled": account.disabled,
                    "sessions": account.sessions,
                    "created_at": account.created_at,
                }
                for account in found
            ]
        )
        return
    rows = [
        (
            account.username,
            role_of(account.role_id).name.lower(),
            shown(account.rights),
            "disabled" if account.disabled else "",
            account.email or "",
            str(account.sessions),
            account.created_at.isoformat(timespec="seconds"),
        )
        for account in found
    ]
    print_table("Accounts", ("user", "role", "sees", "state", "e-mail", "sessions", "added"), rows)


@app.command()
def password(
    name: Name,
    stdin: passwords.FromStdin = False,
    file: passwords.FromFile = None,
    generate: passwords.Generate = False,
    as_json: AsJson = False,
) -> None:
    """Change an account's password; its users must sign in again.

    Use it too if the administrator's password is forgotten. The new password stays over restarts.

    \b
    catalogizer user password admin
    catalogizer user password anna --generate
    """
    from gateway.access import account_admin

    given = passwords.read(name, stdin=stdin, file=file, generate=generate)
    changed(lambda url: account_admin.set_password(url, name, given.text, by=BY))
    _print_result(f"{name} has another password", {"user": name}, given, as_json)


@app.command()
def disable(name: Name, as_json: AsJson = False) -> None:
    """Keep an account from signing in, and end its sessions within seconds. The last administrator cannot be disabled.

    \b
    catalogizer user disable anna
    """
    from gateway.access import account_admin

    changed(lambda url: account_admin.disable(url, name, by=BY))
    _print_result(f"{name} is disabled", {"user": name, "disabled": True}, None, as_json)


@app.command()
def enable(name: Name, as_json: AsJson = False) -> None:
    """Let a disabled account sign in again, with the password it had.

    \b
    catalogizer user enable anna
    """
    from gateway.access import account_admin

    changed(lambda url: account_admin.enable(url, name, by=BY))
    _print_result(f"{name} is enabled", {"user": name, "disabled": False}, None, as_json)


@app.command()
def role(
    name: Name, role: Annotated[RoleName, typer.Argument(help="What it may do.")], as_json: AsJson = False
) -> None:
    """Change an account's role; its users must sign in again. The last administrator keeps the role.

    \b
    catalogizer user role anna admin
    """
    from gateway.access import account_admin
    from gateway.access.roles import ROLE_IDS

    changed(lambda url: account_admin.set_role(url, name, ROLE_IDS[role.value], by=BY))
    _print_result(f"{name} is {role.value} now", {"user": name, "role": role.value}, None, as_json)


@app.command()
def link(
    name: Name,
    issuer: Annotated[str, typer.Argument(metavar="ISSUER", help="As the setting has it.")],
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="The person's `sub` at that issuer.")],
    as_json: AsJson = False,
) -> None:
    """Link an account to a person at an OpenID Connect provider, who then signs in with this account and its role.

    \b
    catalogizer user link anna https://id.example/realms/staff 248289761001
    """
    from gateway.access import account_admin

    changed(lambda url: account_admin.link(url, name, issuer, subject, by=BY))
    _print_result(
        f"{name} is {subject} of {issuer}", {"user": name, "issuer": issuer, "subject": subject}, None, as_json
    )


@app.command()
def rights(
    name: Name, channel: Channels = None, library: Libraries = None, root: Roots = None, as_json: AsJson = False
) -> None:
    """Change what an account may see: the named libraries and roots, or all if none is named. For its users who are signed
    in, this takes effect within seconds.

    \b
    catalogizer user rights kim --library family --root music
    catalogizer user rights kim
    """
    from gateway.access import account_admin

    given = rights_of(channel, library, root)
    changed(lambda url: account_admin.set_rights(url, name, given, by=BY))
    _print_result(f"{name} sees {shown(given)}", {"user": name, **given.names()}, None, as_json)


@app.command()
def sessions(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Of this account; default: of all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show who is signed in, from where and since when.

    \b
    catalogizer user sessions
    catalogizer user sessions anna
    """
    from gateway.access.sessions import sessions as open_sessions

    found = changed(lambda url: open_sessions(url, name=name))
    if as_json:
        print_json(
            [
                {
                    "session": one.session_id, "user": one.username, "method": one.method, "address": one.address,
                    "agent": one.agent, "created_at": one.created_at, "refreshed_at": one.refreshed_at,
                }
                for one in found
            ]
        )  # fmt: skip
        return
    rows = [
        (
            one.session_id,
            one.username,
            one.method,
            one.address,
            one.agent,
            one.created_at.isoformat(timespec="seconds"),
        )
        for one in found
    ]
    print_table("Sessions", ("session", "user", "by", "from", "browser", "since"), rows)


@app.command("end-session")
def end_session(
    session: Annotated[str, typer.Argument(metavar="SESSION", help="As `user sessions` shows it.")],
    as_json: AsJson = False,
) -> None:
    """End a session: its tokens become invalid and its sockets are closed within seconds.

    \b
    catalogizer user end-session 0123456789abcdef0123456789abcdef
    """
    from gateway.access.sessions import end_session as end

    if not changed(lambda url: end(url, session, by=BY)):
        raise CommandError(f"no session {session!r} is open: `catalogizer user sessions` shows them")
    _print_result("the session has ended", {"session": session, "ended": True}, None, as_json)


@app.command()
def admin(as_json: AsJson = False) -> None:
    """Create the first account, user `admin`, when a deployment is set up. Can be repeated at any time.

    The password is CATALOGIZER_ADMIN_PASSWORD (or the file that CATALOGIZER_ADMIN_PASSWORD_FILE names); if neither is set, a
    terminal prompts for it, and without a terminal one is generated and printed. An existing account is not changed, unless
    the setting has changed since the last time: then it becomes the password.

    \b
    CATALOGIZER_ADMIN_PASSWORD_FILE=/run/secrets/admin_password catalogizer user admin
    """
    from cli.settings import Settings
    from gateway.access.account_admin import ADMIN, Ensured, accounts, ensure_admin
    from runtime.configuration import load

    setting = load(Settings).admin_password
    configured = None if setting is None else setting.get_secret_value()
    first = None
    if configured is None and not changed(accounts):
        first = passwords.read(ADMIN, stdin=False, file=None, generate=not sys.stdin.isatty())
    generated = None if first is None else lambda: first.text
    done = changed(lambda url: ensure_admin(url, configured, generated, by=BY))
    text = {
        Ensured.MADE: f"{ADMIN} can sign in",
        Ensured.PASSWORD_SET: f"{ADMIN} has another password, as the setting has it now",
        Ensured.LEFT_ALONE: "nothing to do: there are accounts (`catalogizer user password` gives another password)",
    }[done]
    _print_result(text, {"user": ADMIN, "done": done.value}, first if done is Ensured.MADE else None, as_json)


def _print_result(text: str, facts: dict[str, object], password: passwords.Password | None, as_json: bool) -> None:
    shown = password.text if password is not None and password.generated else None
    if as_json:
        print_json(facts | ({} if shown is None else {"password": shown}))
    else:
        print(text if shown is None else f"{text}; password: {shown}")
