"""`catalogizer user` on a real database: what an operator can do to accounts, and what is refused."""

from __future__ import annotations

import asyncio
import json
import os
import pty
from pathlib import Path

import pytest

from gateway.access.account_admin import Ensured, admin_password_is, ensure_admin, set_password
from tests.support.accounts import UserCommand
from tests.support.terminal import read_until

PASSWORD = "correct horse battery"


@pytest.fixture
def user(migrated: str) -> UserCommand:
    """The command, for a database with no account in it."""
    return UserCommand(migrated)


def is_admin_password(database_url: str, password: str) -> bool:
    return asyncio.run(admin_password_is(database_url, password))


EVERYTHING = {"channels": ["*"], "libraries": [], "storage_roots": ["*"]}
NEW = {"sessions": 0, "created_at": ""}


def test_accounts_are_added_listed_disabled_enabled_and_given_roles(user: UserCommand) -> None:
    assert user("add", "Anna", "--role", "admin", "--password-stdin", typed=PASSWORD)[:2] == (
        0,
        "Anna can sign in\n",
    )
    assert user("add", "bob", "--email", "bob@example.org", "--password-stdin", typed=PASSWORD)[0] == 0
    assert user("disable", "BOB")[:2] == (0, "BOB is disabled\n")
    listed = json.loads(user("list", "--json")[1])
    assert [{**account, "created_at": ""} for account in listed] == [
        {"user": "Anna", "email": None, "role": "admin", **EVERYTHING, "disabled": False, **NEW},
        {"user": "bob", "email": "bob@example.org", "role": "viewer", **EVERYTHING, "disabled": True, **NEW},
    ]
    assert user("enable", "bob")[0] == 0
    assert json.loads(user("role", "bob", "admin", "--json")[1]) == {"user": "bob", "role": "admin"}
    listed = json.loads(user("list", "--json")[1])
    assert [(account["role"], account["disabled"]) for account in listed] == [("admin", False)] * 2


def test_what_an_account_may_see_is_given_and_taken(user: UserCommand) -> None:
    def sees(name: str) -> tuple[list[str], list[str], list[str]]:
        account = next(one for one in json.loads(user("list", "--json")[1]) if one["user"] == name)
        return account["channels"], account["libraries"], account["storage_roots"]

    assert user("add", "kim", "--library", "family", "--password-stdin", typed=PASSWORD)[0] == 0
    assert sees("kim") == (["*"], ["family"], [])
    assert user("rights", "kim", "--root", "music", "--channel", "media_updates")[1] == (
        "kim sees root music; channels media_updates\n"
    )
    assert sees("kim") == (["media_updates"], [], ["music"])
    code, _, err = user("rights", "kim", "--channel", "medja_updates")
    assert code == 2
    assert "no channel 'medja_updates'; there are media_updates" in err
    assert user("rights", "kim")[1] == "kim sees all roots\n"
    assert sees("kim") == (["*"], [], ["*"])
    assert json.loads(user("sessions", "--json")[1]) == []
    code, _, err = user("end-session", "0" * 32)
    assert (code, "catalogizer user sessions" in err) == (1, True)


def test_a_change_is_logged_with_who_made_it_and_without_the_password(user: UserCommand) -> None:
    printed = [
        user("add", "anna", "--password-stdin", typed=PASSWORD)[2],
        user("password", "anna", "--password-stdin", typed=PASSWORD + "!")[2],
        user("role", "anna", "admin")[2],
    ]
    logged = [json.loads(line) for text in printed for line in text.splitlines()]
    assert [(line["event"], line["level"], line["user"], line["by"]) for line in logged] == [
        ("account added", "info", "anna", "command line"),
        ("password changed", "info", "anna", "command line"),
        ("role changed", "info", "anna", "command line"),
    ]
    assert not any(PASSWORD in text for text in printed)


REFUSED: tuple[tuple[tuple[str, ...], int, str], ...] = (
    (("add", "ANNA", "--generate"), 1, "name 'ANNA' belongs to another account"),
    (("add", "bob", "--email", "Anna@Example.org", "--generate"), 1, "email 'Anna@Example.org' belongs to"),
    (("add", "bob", "--password-stdin"), 2, "password: 8 to 1024 characters"),
    (("add", "bob"), 2, "--password-stdin"),
    (("password", "anna"), 2, "--password-file"),
    (("password", "bob", "--generate"), 1, "no account 'bob'"),
    (("role", "bob", "admin"), 1, "no account 'bob'"),
    (("disable", "anna"), 1, "anna is the last administrator"),
    (("role", "anna", "viewer"), 1, "anna is the last administrator"),
)


def test_what_cannot_be_is_one_line_and_changes_nothing(user: UserCommand) -> None:
    user("add", "anna", "--email", "anna@example.org", "--role", "admin", "--password-stdin", typed=PASSWORD)
    before = user("list", "--json")[1]
    for arguments, code, text in REFUSED:
        exited, out, err = user(*arguments, typed="1234567")
        assert (exited, out) == (code, ""), arguments
        assert err.startswith("error: ") and err.count("\n") == 1, err
        assert text in err
    assert user("list", "--json")[1] == before


def test_a_generated_password_is_printed_once_and_is_the_one(user: UserCommand, migrated: str) -> None:
    made = json.loads(user("add", "admin", "--role", "admin", "--generate", "--json")[1])["password"]
    assert is_admin_password(migrated, made)
    again = json.loads(user("password", "admin", "--generate", "--json")[1])["password"]
    assert is_admin_password(migrated, again)
    assert not is_admin_password(migrated, made)


def test_a_password_from_a_file_is_never_printed(user: UserCommand, migrated: str, tmp_path: Path) -> None:
    (tmp_path / "password").write_text(PASSWORD + "\n")
    code, out, err = user("add", "admin", "--role", "admin", "--password-file", str(tmp_path / "password"))
    assert (code, PASSWORD in out + err) == (0, False)
    assert is_admin_password(migrated, PASSWORD)


def test_on_a_terminal_it_is_prompted_for_twice_and_not_shown(user: UserCommand, migrated: str) -> None:
    terminal, theirs = pty.openpty()
    process = user.on_terminal(theirs, "add", "admin", "--role", "admin")
    os.close(theirs)
    printed = b""
    for prompt in (b"Password of admin: ", b"Repeat for confirmation: "):
        printed += read_until(terminal, prompt)
        os.write(terminal, PASSWORD.encode() + b"\n")
    printed += read_until(terminal, b"admin can sign in")
    assert process.wait(30) == 0
    os.close(terminal)
    assert PASSWORD.encode() not in printed
    assert is_admin_password(migrated, PASSWORD)


def test_of_several_that_add_one_name_at_once_one_does(user: UserCommand) -> None:
    started = [user.start("add", name, "--generate") for name in ("anna", "Anna", "ANNA", "bob")]
    codes = [process.communicate(timeout=60) and process.returncode for process in started]
    assert sorted(codes[:3]) == [0, 1, 1]
    assert codes[3] == 0
    assert len(json.loads(user("list", "--json")[1])) == 2


def test_two_administrators_that_demote_each_other_at_once_leave_one(user: UserCommand) -> None:
    for name in ("anna", "bob"):
        user("add", name, "--role", "admin", "--generate")
    started = [user.start(*change) for change in (("role", "anna", "viewer"), ("disable", "bob"))]
    codes = [process.communicate(timeout=60) and process.returncode for process in started]
    assert sorted(codes) == [0, 1]


def test_the_command_of_a_deployment_makes_the_first_account_and_leaves_a_changed_password(
    user: UserCommand, migrated: str
) -> None:
    def deployed(password: str) -> object:
        return json.loads(user("admin", "--json", ADMIN_PASSWORD=password)[1])["done"]

    assert deployed("set by the deployment") == "made"
    user("password", "admin", "--password-stdin", typed=PASSWORD)
    assert deployed("set by the deployment") == "left alone"
    assert is_admin_password(migrated, PASSWORD)
    assert deployed("another setting") == "password set"
    assert is_admin_password(migrated, "another setting")


def test_the_command_of_a_deployment_without_a_setting_makes_a_password_once(
    user: UserCommand, migrated: str
) -> None:
    first = json.loads(user("admin", "--json")[1])
    assert is_admin_password(migrated, first["password"])
    assert json.loads(user("admin", "--json")[1]) == {"user": "admin", "done": "left alone"}
    assert is_admin_password(migrated, first["password"])


def test_a_setting_that_was_taken_away_and_comes_back_is_applied(migrated: str) -> None:
    async def starts() -> list[Ensured]:
        made = await ensure_admin(migrated, "a setting")
        await set_password(migrated, "admin", PASSWORD, by="test")
        return [made, *[await ensure_admin(migrated, setting) for setting in ("a setting", None, "a setting")]]

    done = asyncio.run(starts())
    assert done == [Ensured.MADE, Ensured.LEFT_ALONE, Ensured.LEFT_ALONE, Ensured.PASSWORD_SET]
    assert is_admin_password(migrated, "a setting")


def test_the_first_start_of_several_at_once_makes_one_account(migrated: str) -> None:
    async def several() -> list[Ensured]:
        return await asyncio.gather(*(ensure_admin(migrated, None, lambda: PASSWORD) for _ in range(6)))

    done = asyncio.run(several())
    assert sorted(ensured.value for ensured in done) == ["left alone"] * 5 + ["made"]
    assert is_admin_password(migrated, PASSWORD)
