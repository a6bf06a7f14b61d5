"""Why a database cannot be used is told in our words: what helps, and nothing of what the server said."""

from __future__ import annotations

import psycopg
import pytest

from gateway.tables.database import UNMIGRATED, reason_of


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ('connection to server at "10.0.0.7", port 5432 failed: FATAL:  password authentication failed for user'
         ' "bob"', "password"),
        ('FATAL:  database "secret_name" does not exist', "no database"),
        ('FATAL:  role "bob" does not exist', "no user"),
        ('connection to server at "10.0.0.7", port 5432 failed: Connection refused', "nothing listens"),
        ("failed to resolve host 'db.internal': Name or service not known", "name of its host"),
        ("connection timeout expired", "does not answer"),
        ("FATAL:  the database system is starting up", "starting"),
        ("FATAL:  sorry, too many clients already", "no more connections"),
        ("FATAL:  Passwort-Authentifizierung für Benutzer »bob« fehlgeschlagen", "cannot be reached"),
    ],
)  # fmt: skip
def test_a_connection_that_failed(said: str, word: str) -> None:
    reason = reason_of(psycopg.OperationalError(said))
    assert word in reason
    assert not any(leaked in reason for leaked in ("bob", "10.0.0.7", "secret_name", "db.internal", "FATAL"))


def test_tables_that_are_not_there_are_told_with_the_command() -> None:
    assert reason_of(psycopg.errors.UndefinedTable('relation "schema_migrations" does not exist')) == UNMIGRATED


def test_no_answer_in_time() -> None:
    assert "does not answer" in reason_of(TimeoutError())
