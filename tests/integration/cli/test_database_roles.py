"""Who may do what in the database: the gateway signs people in and reads, the projector writes what it projects, the owner
makes tables and accounts, and none of them is a superuser."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from psycopg_pool import AsyncConnectionPool
from typer.testing import CliRunner

from cli.main import app
from cli.provisioning.database_roles import OWNER, PROJECT, ROLES, SERVE, make_roles
from cli.provisioning.tables import apply_migrations
from cli.up.embedded.postgres import EmbeddedPostgres
from gateway.access.account_admin import ensure_admin, set_password
from gateway.access.accounts import Accounts, Opened, Origin
from gateway.access.oidc.judging import Subject
from gateway.access.oidc.mapping import Granted
from gateway.access.oidc.people import People
from gateway.access.oidc.provider_settings import Grant, ProviderSettings
from gateway.access.oidc.provisioning import ExternalUser
from gateway.access.refresh_tokens import RefreshTokens
from schemas.changes import Created
from schemas.topics import CHANGES
from streams.projector.new_tables import NewTables
from streams.projector.plan import rows_of
from streams.projector.positions import Partition, PartitionPosition
from streams.projector.store import Batch, PostgresStore
from tests.support.gateway import PASSWORD, SECRET
from tests.support.projector_log import Log, at
from tests.support.servers import fresh_database


@pytest.fixture(scope="module")
def urls(postgres: EmbeddedPostgres) -> Iterator[dict[str, str]]:
    """The database of each role. Its tables were made by the superuser first, as they were before there were roles."""
    with fresh_database(postgres) as url:
        apply_migrations(url)
        passwords = postgres.role_passwords(ROLES)
        for _ in range(2):
            make_roles(url, passwords)
        parts = urlsplit(url)
        found = {
            role: f"postgresql://{role}:{word}@{parts.hostname}:{parts.port}{parts.path}"
            for role, word in passwords.items()
        }
        apply_migrations(found[OWNER])
        asyncio.run(ensure_admin(found[OWNER], PASSWORD))
        yield found
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"REASSIGN OWNED BY {OWNER} TO CURRENT_USER")


@pytest.mark.parametrize("role", ROLES)
def test_no_role_is_a_superuser_s_or_makes_others(urls: dict[str, str], role: str) -> None:
    with psycopg.connect(urls[role]) as connection:
        row = connection.execute(
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert row == (False, False, False, False)
        with pytest.raises(InsufficientPrivilege):
            connection.execute("SELECT pg_read_file('/etc/passwd')")


def test_the_gateway_signs_in_refreshes_and_signs_out(urls: dict[str, str]) -> None:
    async def life() -> None:
        async with AsyncConnectionPool(urls[SERVE], min_size=1, kwargs={"autocommit": True}) as pool:
            accounts = Accounts(pool, RefreshTokens(SECRET), 30)
            opened = await accounts.open(await accounts.find("admin"), PASSWORD, Origin("127.0.0.1"))
            assert isinstance(opened, Opened)
            again = await accounts.refresh(opened.refresh_token)
            assert isinstance(again, Opened)
            assert again.session_id == opened.session_id
            await accounts.sign_out(opened.session_id, "anna")
            assert await accounts.refresh(again.refresh_token) is None
            accounts.close()

    asyncio.run(life())


def test_the_gateway_keeps_those_who_sign_in_elsewhere(urls: dict[str, str]) -> None:
    settings = ProviderSettings(
        id="corp", name="Corp", issuer="https://id.example", client_id="c", default=Grant()
    )
    now = int(time.time())
    subject = Subject(settings.issuer, "0815", "sid", "c", now, now + 60)
    external_user = ExternalUser(settings, subject, "anna", None, Granted(2, Grant().rights))
    origin = Origin("127.0.0.1", "a test", "oidc:corp")

    async def life() -> None:
        async with AsyncConnectionPool(urls[SERVE], min_size=1, kwargs={"autocommit": True}) as pool:
            people = People(pool, accounts := Accounts(pool, RefreshTokens(SECRET), 30))
            opened = await people.sign_in(external_user, "once", "sealed", origin)
            assert opened.user.username == "corp:anna"
            assert (await people.bearer(external_user, origin)).user_id == opened.user.id
            await people.answered(opened.session_id, None, Granted(1, Grant().rights), by="oidc:corp")
            ended = await people.signed_out(settings.issuer, "jti", "0815", None, now, by="oidc:corp")
            assert ended is not None
            assert opened.session_id in ended
            accounts.close()
            async with pool.connection() as connection:
                rows = await (await connection.execute("SELECT event FROM audit_outbox ORDER BY id")).fetchall()
        reported = [(event["action"], event["by"]) for (event,) in rows if event["subject"] == "corp:anna"]
        assert reported == [
            ("account_added", "oidc:corp"),
            ("signed_in", "corp:anna"),
            ("signed_in", "corp:anna"),
            ("role_changed", "oidc:corp"),
            ("session_ended", "oidc:corp"),
            ("session_ended", "oidc:corp"),
        ]

    asyncio.run(life())


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        (SERVE, "UPDATE media_items SET title = ''"),
        (SERVE, "INSERT INTO schema_migrations VALUES ('x', 'x')"),
        (SERVE, "DELETE FROM media_items"),
        (SERVE, "CREATE TABLE x ()"),
        (SERVE, "DROP TABLE sessions"),
        (PROJECT, "SELECT subject FROM external_identities"),
        (PROJECT, "SELECT password_hash FROM users"),
        (PROJECT, "SELECT session_id FROM sessions"),
        (PROJECT, "SELECT secret_hash FROM service_tokens"),
        (PROJECT, "SELECT event FROM audit_outbox"),
        (PROJECT, "INSERT INTO schema_migrations VALUES ('x', 'x')"),
        (PROJECT, "CREATE TABLE x ()"),
    ],
)
def test_a_role_can_do_no_more_than_its_work(urls: dict[str, str], role: str, statement: str) -> None:
    with psycopg.connect(urls[role]) as connection, pytest.raises(InsufficientPrivilege):
        connection.execute(statement.encode())


def test_the_projector_reads_and_writes_and_the_owner_keeps_accounts(urls: dict[str, str]) -> None:
    with psycopg.connect(urls[PROJECT]) as connection:
        connection.execute("DELETE FROM media_items")
        assert connection.execute("SELECT count(*) > 0 FROM schema_migrations").fetchone() == (True,)
    asyncio.run(set_password(urls[OWNER], "admin", "another password", by="test"))


def test_the_owner_makes_the_tables_anew_and_the_others_go_on_with_them(urls: dict[str, str]) -> None:
    record = Log().change(
        Created(library="home", root="movies", at=at(1), path="a.mkv", type="file", origin="live", size=1)
    )
    partition = Partition(CHANGES.name, 0)

    async def run() -> None:
        async with await psycopg.AsyncConnection.connect(urls[OWNER]) as connection:
            tables = NewTables(connection)
            await tables.make()
            await tables.finish()
            await tables.swap({partition: PartitionPosition(0, "e")})
        store = PostgresStore(urls[PROJECT], many=1)
        assert await store.apply(Batch(partition, 0, 1, tuple(rows_of(CHANGES, record))))
        await store.close()

    asyncio.run(run())
    with psycopg.connect(urls[SERVE]) as connection:
        assert connection.execute("SELECT path FROM change_log").fetchall() == [("a.mkv",)]


def test_migrate_makes_the_roles_whose_passwords_are_set(
    postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a managed server has it: the owner may make roles and is no superuser, its URL is without a password."""
    with fresh_database(postgres) as url, psycopg.connect(url, autocommit=True) as superuser:
        parts = urlsplit(url)
        owner, words = "migrating_owner", {PROJECT: "first-of-the-projector", SERVE: "first-of-the-gateway"}
        superuser.execute(f"CREATE ROLE {owner} LOGIN CREATEROLE PASSWORD 'the owner of all'")
        superuser.execute(f"ALTER DATABASE {parts.path[1:]} OWNER TO {owner}")
        for role in words:  # of other databases of this server; who makes a role may change it
            superuser.execute(f"GRANT {role} TO {owner} WITH ADMIN OPTION") if _there(superuser, role) else None
        try:
            for _ in range(2):
                monkeypatch.setenv(
                    "CATALOGIZER_DATABASE__URL", f"postgresql://{owner}@{parts.netloc.split('@')[-1]}{parts.path}"
                )
                monkeypatch.setenv("PGPASSWORD", "the owner of all")
                monkeypatch.setenv("CATALOGIZER_DATABASE__PROJECT_PASSWORD", words[PROJECT])
                monkeypatch.setenv("CATALOGIZER_DATABASE__SERVE_PASSWORD", words[SERVE])
                result = CliRunner().invoke(app, ["migrate"])
                assert result.exit_code == 0, result.output
                monkeypatch.delenv("CATALOGIZER_DATABASE__PROJECT_PASSWORD")
                monkeypatch.delenv("CATALOGIZER_DATABASE__SERVE_PASSWORD")
                for role, word in words.items():
                    monkeypatch.setenv("PGPASSWORD", word)
                    with psycopg.connect(
                        f"postgresql://{role}@{parts.netloc.split('@')[-1]}{parts.path}"
                    ) as connection:
                        assert connection.execute("SELECT count(*) FROM media_items").fetchone() == (0,)
                words = {role: word.replace("first", "second") for role, word in words.items()}
        finally:
            superuser.execute(f"REASSIGN OWNED BY {owner} TO CURRENT_USER")


def _there(connection: psycopg.Connection, role: str) -> bool:
    return connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).rowcount > 0
