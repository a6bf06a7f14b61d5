"""The reason why a database cannot be used is in our own words: what helps, and nothing of the server's message."""

from __future__ import annotations

import psycopg
import pytest

from gateway.tables.database import UNMIGRATED, reason_of
from runtime.errors import SecretFileError


@pytest.mark.parametrize(
    ("message", "word"),
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
        ("FATAL:  no more connections allowed (max_client_conn)", "no more connections"),
        ("FATAL:  server login has been failing, try again later (server_login_retry)", "the pooler"),
        ("FATAL:  unsupported startup parameter: search_path", "the pooler"),
        ('FATAL:  no such database: secret_name', "no database"),
        ("session is read-only", "read-only"),
        ("SSL error: certificate verify failed", "is not trusted"),
        ('root certificate file "/etc/bob.pem" does not exist', "trusted cannot be read"),
        ('server certificate for "db.internal" does not match host name "10.0.0.7"', "another host"),
        ("server does not support SSL, but SSL was required", "does not speak TLS"),
        ("FATAL:  Passwort-Authentifizierung für Benutzer »bob« fehlgeschlagen", "cannot be reached"),
    ],
)  # fmt: skip
def test_a_connection_that_failed(message: str, word: str) -> None:
    reason = reason_of(psycopg.OperationalError(message))
    assert word in reason
    assert not any(leaked in reason for leaked in ("bob", "10.0.0.7", "secret_name", "db.internal", "FATAL"))


def test_missing_tables_are_reported_with_the_command() -> None:
    assert reason_of(psycopg.errors.UndefinedTable('relation "schema_migrations" does not exist')) == UNMIGRATED


def test_of_several_servers_the_readable_one_is_reported() -> None:
    message = "connection refused\nMultiple connection attempts failed. All failures were:\n- session is read-only"
    assert "read-only" in reason_of(psycopg.OperationalError(message))


def test_an_unreadable_file_is_reported_by_the_setting_that_names_it() -> None:
    reason = reason_of(SecretFileError("CATALOGIZER_DATABASE__PASSWORD_FILE", "/run/secrets/bob is empty"))
    assert reason == "the file that CATALOGIZER_DATABASE__PASSWORD_FILE names cannot be used"


def test_no_answer_in_time() -> None:
    assert "does not answer" in reason_of(TimeoutError())
