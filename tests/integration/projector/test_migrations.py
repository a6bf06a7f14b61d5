"""Migrations: each once, in order, whole or not at all, whoever else applies them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from cli.provisioning.database_roles import ROLES
from cli.provisioning.tables import (
    ChangedMigration,
    LateMigration,
    Migration,
    NewerDatabase,
    apply_migrations,
    migrations,
)
from cli.provisioning.tables_lock import TablesLocked, tables_locked
from runtime.health import product_version
from tests.support.waiting import wait_until

FIRST = Migration("0001_first.sql", "CREATE TABLE one (a int); CREATE INDEX one_a ON one (a)")
SECOND = Migration("0002_second.sql", "CREATE TABLE two (a int)")
ROOT = Path(__file__).parents[3]
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


def test_a_database_of_a_newer_program_is_refused_naming_both_versions(database: str) -> None:
    apply_migrations(database, [FIRST, SECOND])
    with pytest.raises(NewerDatabase) as refused:
        apply_migrations(database, [FIRST])
    for word in (SECOND.name, FIRST.name, product_version()):
        assert word in str(refused.value)


def test_nothing_is_put_before_what_is_applied(database: str) -> None:
    apply_migrations(database, [SECOND])
    with pytest.raises(LateMigration, match=r"0001_first\.sql.*0002_second\.sql"):
        apply_migrations(database, [FIRST, SECOND])
    assert tables(database) == {"schema_migrations", "two"}


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


def test_a_wait_that_is_too_long_ends_with_the_holder_of_the_lock(database: str) -> None:
    with (
        tables_locked(database, "the test"),
        pytest.raises(
            TablesLocked, match=r"by the test \(process \d+ of the database, user \w+, from 127\.0\.0\.1"
        ),
    ):
        apply_migrations(database, wait_seconds=0.2)
    assert apply_migrations(database) == [migration.name for migration in migrations()]


SLOW = """
import sys
from cli.provisioning.tables import Migration, apply_migrations
slow = "CREATE TABLE half (a int); SELECT pg_sleep({})"
print(apply_migrations(sys.argv[1], [Migration("0001_slow.sql", slow.format(sys.argv[2]))]))
"""


def slow_migration(url: str, seconds: float) -> subprocess.Popen[str]:
    """A process that applies a migration which takes so long."""
    words = [sys.executable, "-c", SLOW, url, str(seconds)]
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def in_the_middle(url: str) -> bool:
    """Whether a migration is under way."""
    with psycopg.connect(url) as connection:
        query = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
        return connection.execute(query).rowcount == 1


def test_killed_in_the_middle_it_leaves_nothing_and_who_waits_goes_on(database: str) -> None:
    with slow_migration(database, 600) as killed:
        wait_until(lambda: in_the_middle(database), 20, what="the migration to be under way")
        with slow_migration(database, 0) as waiting:
            killed.kill()
            assert waiting.communicate(timeout=30)[0] == "['0001_slow.sql']\n"
    assert tables(database) == {"schema_migrations", "half"}


def test_the_command_needs_the_database_alone_and_two_at_once_apply_once(database: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CATALOGIZER_")}
    environment |= {"CATALOGIZER_DATABASE__URL": database}
    words = [sys.executable, "-m", "cli.main", "migrate", "--json"]
    with ExitStack() as both:
        two = [
            both.enter_context(
                subprocess.Popen(words, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(2)
        ]
        told = [json.loads(process.communicate(timeout=60)[0]) for process in two]
    assert sorted(name for names in told for name in names) == [migration.name for migration in migrations()]
