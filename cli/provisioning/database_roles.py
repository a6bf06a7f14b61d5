"""The database roles: one for each process and one that owns the tables, none of them a superuser.

The owner creates and changes tables and accounts. On an external server its administrator creates the roles; their
permissions are granted whenever tables are migrated, to the roles that exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import LiteralString

import psycopg
from psycopg import sql

from runtime.database import OPTIONS, refusals_named

OWNER = "catalogizer_owner"
PROJECT = "catalogizer_project"
SERVE = "catalogizer_serve"
ROLES = (OWNER, PROJECT, SERVE)

_ACCOUNTS = (
    "users", "sessions", "service_tokens", "used_tickets", "audit_outbox", "external_identities", "external_sessions",
    "external_logouts", "schema_migrations",
)  # fmt: skip
"""Tables that the projector may not use."""

_GRANTS: Mapping[str, tuple[LiteralString, ...]] = {
    PROJECT: (
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        "REVOKE ALL ON {accounts} FROM {role}",
        "GRANT SELECT ON schema_migrations TO {role}",
    ),
    SERVE: (
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}",
        # Administrators manage accounts by REST too. Only the projector writes the catalogue.
        "GRANT INSERT, UPDATE, DELETE ON users, sessions, service_tokens, used_tickets, audit_outbox TO {role}",
        "GRANT INSERT, UPDATE, DELETE ON external_identities, external_sessions, external_logouts TO {role}",
    ),
}


def make_roles(superuser_url: str, passwords: Mapping[str, str]) -> None:
    """Create the roles with these passwords and make the owner role own the database, including existing tables. Can be
    repeated. Raises psycopg.Error."""
    with psycopg.connect(superuser_url, autocommit=True, **OPTIONS) as connection, connection.transaction():
        _give_passwords(connection, passwords)
        database = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, sql.Identifier(OWNER)))
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            words = sql.SQL("ALTER TABLE {} OWNER TO {}")
            connection.execute(words.format(sql.Identifier(table), sql.Identifier(OWNER)))


def make_logins(owner_url: str, passwords: Mapping[str, str]) -> None:
    """Create these roles with these passwords, as a database owner that may create roles and is no superuser. Can be
    repeated: passwords that differ are changed. Raises SettingsError, psycopg.Error."""
    with refusals_named(owner_url):
        opened = psycopg.connect(owner_url, autocommit=True, **OPTIONS)
    with opened as connection, connection.transaction():
        _give_passwords(connection, passwords)


def _give_passwords(connection: psycopg.Connection, passwords: Mapping[str, str]) -> None:
    for role, password in passwords.items():
        found = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).rowcount
        words = sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}" if found else "CREATE ROLE {} LOGIN PASSWORD {}")
        connection.execute(words.format(sql.Identifier(role), sql.Literal(password)))


def grant(connection: psycopg.Connection) -> None:
    """Grant each existing role what it needs on the present tables, in one transaction. Does nothing in a database without
    tables of accounts (roles belong to the server, so they may exist for another database). Raises psycopg.Error."""
    accounts = sql.SQL(", ").join(map(sql.Identifier, _ACCOUNTS))
    there = connection.execute(
        "SELECT FROM pg_tables WHERE schemaname = 'public' AND tablename = ANY(%s)", [[*_ACCOUNTS]]
    )
    if there.rowcount < len(_ACCOUNTS):
        return
    with connection.transaction():
        for role, statements in _GRANTS.items():
            if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).rowcount:
                for statement in statements:
                    words = sql.SQL(statement)
                    connection.execute(words.format(role=sql.Identifier(role), accounts=accounts))
