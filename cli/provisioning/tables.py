"""The database's schema: the numbered files of `schemas/sql`, applied in order, each once and in one transaction.

Each applied file is recorded with its checksum, and a file that was changed afterwards is rejected, because the database
would no longer match it. Forward only: nothing is undone, and no file may be added before applied ones. If several processes
apply at once, one does, and the others wait (`tables_lock`).

    MigrationError         (a `CommandError`)
    ├── ChangedMigration   a file differs from what was applied under its name
    ├── LateMigration      a file is numbered before others that are applied already
    └── NewerDatabase      the database was migrated by a newer program
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files

import psycopg
from psycopg import sql

from cli.errors import CommandError
from cli.provisioning.database_roles import grant
from cli.provisioning.tables_lock import WAIT_SECONDS, tables_locked
from runtime.health import product_version

_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    name       text PRIMARY KEY,
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


class MigrationError(CommandError):
    """Root of the tree. `name`: the migration."""

    def __init__(self, name: str, what: str) -> None:
        self.name = name
        super().__init__(f"migration {name}: {what}")


class ChangedMigration(MigrationError):
    """The file was edited after it had been applied to this database."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "was applied with other contents; add a new numbered file instead of editing it")


class LateMigration(MigrationError):
    """The file was not applied, but the later `newest` was: the order would differ from that of other databases."""

    def __init__(self, name: str, newest: str) -> None:
        self.newest = newest
        super().__init__(name, f"stands before {newest}, which is applied already: give it a higher number")


class NewerDatabase(MigrationError):
    """The database has migrations that this program does not know; `known`: the program's newest."""

    def __init__(self, name: str, known: str) -> None:
        self.known = known
        super().__init__(
            name,
            f"is in the database, and the newest that this program (version {product_version()}) knows is {known}:"
            " run a newer version",
        )


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file. `checksum`: SHA-256, hex."""

    name: str
    statements: str

    @property
    def checksum(self) -> str:
        """Of the file's text."""
        return hashlib.sha256(self.statements.encode()).hexdigest()


def migrations() -> list[Migration]:
    """The files of `schemas/sql` in the order of their numbers."""
    folder = files("schemas").joinpath("sql")
    found = [Migration(file.name, file.read_text()) for file in folder.iterdir() if file.name.endswith(".sql")]
    return sorted(found, key=lambda migration: migration.name)


def apply_migrations(
    database_url: str, known: list[Migration] | None = None, *, wait_seconds: float = WAIT_SECONDS
) -> list[str]:
    """Apply what is missing of `known` (the files of `schemas/sql`) and grant the processes' roles what they need; returns
    the names applied now. Each is one transaction with its record, so a kill leaves whole migrations only. Raises
    MigrationError, TablesLocked, psycopg.Error."""
    known = migrations() if known is None else known
    with tables_locked(database_url, "catalogizer migrate", wait_seconds) as connection:
        connection.execute(_TABLE)
        missing = _missing(known, _applied(connection))
        for migration in missing:
            with connection.transaction():
                connection.execute(sql.SQL(migration.statements))
                connection.execute(
                    "INSERT INTO schema_migrations (name, checksum) VALUES (%s, %s)",
                    (migration.name, migration.checksum),
                )
        grant(connection)
        return [migration.name for migration in missing]


def _applied(connection: psycopg.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT name, checksum FROM schema_migrations").fetchall())


def _missing(known: list[Migration], applied: dict[str, str]) -> list[Migration]:
    newest = max(applied, default="")
    unknown = applied.keys() - {migration.name for migration in known}
    if unknown:
        raise NewerDatabase(max(unknown), known[-1].name if known else "none")
    for migration in known:
        if applied.get(migration.name, migration.checksum) != migration.checksum:
            raise ChangedMigration(migration.name)
    missing = [migration for migration in known if migration.name not in applied]
    if missing and missing[0].name < newest:
        raise LateMigration(missing[0].name, newest)
    return missing
