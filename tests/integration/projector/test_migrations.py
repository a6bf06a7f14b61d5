"""Migrations: each once, in order, whole or not at all, whoever else applies them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg import sql

from cli.provisioning.database_roles import ROLES
from cli.provisioning.tables import (
    ChangedMigration,
    Migration,
    UnknownMigration,
    apply_migrations,
    migrations,
)

FIRST = Migration("0001_first.sql", "CREATE TABLE one (a int); CREATE INDEX one_a ON one (a)")
SECOND = Migration("0002_second.sql", "CREATE TABLE two (a int)")
BROKEN = Migration("0002_second.sql", "CREATE TABLE two (a int); CREATE TABLE one (a int)")


@pytest.fixture(autouse=True)
def _roles(database: str) -> None:
    """The processes' roles are the server's: another database's start has made them before."""
    with psycopg.connect(database, autocommit=True) as connection:
        for role in ROLES:
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).rowcount:
                connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))


def tables(url: str) -> set[str]:
    """The tables that are there."""
    with psycopg.connect(url) as connection:
        return {
            row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        }


def test_our_files_are_applied_once(database: str) -> None:
    assert apply_migrations(database) == [migration.name for migration in migrations()]
    assert apply_migrations(database) == []
    assert {"change_log", "media_items", "sink_offset", "users"} <= tables(database)


def test_only_what_is_missing_is_applied(database: str) -> None:
    assert apply_migrations(database, [FIRST]) == [FIRST.name]
    assert apply_migrations(database, [FIRST, SECOND]) == [SECOND.name]


def test_a_file_edited_after_it_was_applied_is_refused(database: str) -> None:
    apply_migrations(database, [FIRST])
    edited = Migration(FIRST.name, FIRST.statements + " -- edited")
    with pytest.raises(ChangedMigration, match=r"0001_first\.sql"):
        apply_migrations(database, [edited, SECOND])
    assert "two" not in tables(database)


def test_a_database_of_a_newer_program_is_refused(database: str) -> None:
    apply_migrations(database, [FIRST, SECOND])
    with pytest.raises(UnknownMigration, match=r"0002_second\.sql"):
        apply_migrations(database, [FIRST])


def test_a_migration_that_fails_leaves_nothing_of_itself(database: str) -> None:
    with pytest.raises(psycopg.errors.DuplicateTable):
        apply_migrations(database, [FIRST, BROKEN])
    assert tables(database) == {"schema_migrations", "one"}
    assert apply_migrations(database, [FIRST, SECOND]) == [SECOND.name]


def test_of_many_at_once_one_applies_and_the_others_wait(database: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        applied = list(pool.map(apply_migrations, [database] * 6))
    assert sorted(names for result in applied for names in result) == [
        migration.name for migration in migrations()
    ]
