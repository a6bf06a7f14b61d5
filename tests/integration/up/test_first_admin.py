"""User `admin` over the starts of a platform: made once, then left to who changes it; and where its password is."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pydantic import SecretStr

from cli.up.first_admin import AdminPassword, first_admin
from gateway.access.account_admin import add, admin_password_is, set_password
from gateway.access.roles import ADMIN as ADMIN_ROLE

PASSWORD = "correct horse battery"


def start(database_url: str, kept: Path, configured: str | None = None) -> AdminPassword:
    secret = None if configured is None else SecretStr(configured)
    return asyncio.run(first_admin(database_url, secret, kept))


def change(database_url: str, password: str) -> None:
    asyncio.run(set_password(database_url, "admin", password, by="test"))


def holds(database_url: str, password: str) -> bool:
    return asyncio.run(admin_password_is(database_url, password))


def test_the_first_start_makes_a_password_and_keeps_it_in_a_file_of_its_owner(
    migrated: str, tmp_path: Path
) -> None:
    kept = tmp_path / "secrets" / "admin-password"
    assert start(migrated, kept) is AdminPassword.KEPT
    password = kept.read_text().strip()
    assert holds(migrated, password)
    assert kept.stat().st_mode & 0o777 == 0o600
    assert start(migrated, kept) is AdminPassword.KEPT
    assert kept.read_text().strip() == password


def test_a_changed_password_stays_over_starts_and_the_file_goes(migrated: str, tmp_path: Path) -> None:
    kept = tmp_path / "admin-password"
    start(migrated, kept)
    change(migrated, PASSWORD)
    for _ in range(2):
        assert start(migrated, kept) is AdminPassword.CHANGED
        assert holds(migrated, PASSWORD)
        assert list(tmp_path.iterdir()) == []


def test_a_configured_password_is_written_nowhere(migrated: str, tmp_path: Path) -> None:
    kept = tmp_path / "admin-password"
    assert start(migrated, kept, PASSWORD) is AdminPassword.CONFIGURED
    assert holds(migrated, PASSWORD)
    assert list(tmp_path.iterdir()) == []


def test_a_setting_replaces_a_made_password_and_the_file_goes(migrated: str, tmp_path: Path) -> None:
    kept = tmp_path / "admin-password"
    start(migrated, kept)
    assert start(migrated, kept, PASSWORD) is AdminPassword.CONFIGURED
    assert holds(migrated, PASSWORD)
    assert list(tmp_path.iterdir()) == []


def test_only_a_setting_that_was_changed_overrules_who_changed_the_password(migrated: str, tmp_path: Path) -> None:
    kept = tmp_path / "admin-password"
    start(migrated, kept, "the first setting")
    change(migrated, PASSWORD)
    assert start(migrated, kept, "the first setting") is AdminPassword.CHANGED
    assert holds(migrated, PASSWORD)
    assert start(migrated, kept, "another setting") is AdminPassword.CONFIGURED
    assert holds(migrated, "another setting")
    assert start(migrated, kept) is AdminPassword.CHANGED, "the setting is gone, the password is not"
    assert holds(migrated, "another setting")


def test_where_there_are_accounts_no_other_is_made(migrated: str, tmp_path: Path) -> None:
    asyncio.run(add(migrated, "anna", PASSWORD, role_id=ADMIN_ROLE.id, by="test"))
    start(migrated, tmp_path / "admin-password")
    assert not holds(migrated, "")
    assert list(tmp_path.iterdir()) == []
