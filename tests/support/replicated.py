"""A database server and another that follows it: to be cut off, promoted and taken back, as in a fail-over."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import psycopg

from cli.up import ports
from cli.up.embedded import system_user
from cli.up.embedded.postgres import DATABASE, EmbeddedPostgres
from cli.up.supervision.program import HERE, Program
from tests.support.waiting import wait_until


class Replicated(EmbeddedPostgres):
    """The embedded server, such that others may follow it."""

    def program(self, environment: Mapping[str, str] | None = None) -> Program:
        """With what replication needs."""
        program = super().program(environment)
        options = ("-c", "wal_level=replica", "-c", "max_wal_senders=4", "-c", "hot_standby=on")
        return replace(program, argv=(*program.argv, *options))

    def follower(self, folder: Path) -> Replicated:
        """One that follows this one, which runs; started."""
        other = Replicated(folder, ports.free_port(), fsync=False)
        data = folder / "data"
        data.mkdir(parents=True, mode=0o700)
        (folder / "password").write_text((self.folder / "password").read_text())
        user = system_user.for_server()
        if user is not None:
            os.chown(data, user.uid, user.gid)
        subprocess.run(
            (
                str(system_user.programs() / "bin" / "pg_basebackup"),
                *(
                    "--dbname",
                    self.url("postgres"),
                    "--pgdata",
                    HERE,
                    "--write-recovery-conf",
                    "--checkpoint=fast",
                ),
            ),
            check=True,
            capture_output=True,
            cwd=data,
            user=user.uid if user else None,
            group=user.gid if user else None,
        )
        other.start()
        other.wait_ready()
        return other

    def follows(self) -> bool:
        """Whether it is up with nothing but what another writes."""
        return bool(self.query("SELECT pg_is_in_recovery()"))

    def caught_up_with(self, other: Replicated) -> None:
        """Wait until it has all that the other has written."""
        end = other.query("SELECT pg_current_wal_lsn()::text")
        wait_until(
            lambda: bool(self.query(f"SELECT pg_last_wal_replay_lsn() >= '{end}'::pg_lsn")),
            20,
            what="the follower",
        )

    def cut_off(self) -> None:
        """Stop replication: later writes do not reach this server."""
        self.query("ALTER SYSTEM SET primary_conninfo = ''")
        self.query("SELECT pg_reload_conf()")
        wait_until(
            lambda: self.query("SELECT count(*) FROM pg_stat_wal_receiver") == 0, 20, what="it to be cut off"
        )

    def promote(self) -> None:
        """Promote it to primary."""
        self.query("SELECT pg_promote()")

    def query(self, statement: str) -> object:
        """The single value of a query; None if there is no row."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            row = cursor.fetchone() if cursor.description else None
        return None if row is None else row[0]


@contextmanager
def replicated() -> Iterator[Replicated]:
    """One server, running, with the platform's database."""
    with TemporaryDirectory(prefix="catalogizer-replicated-", ignore_cleanup_errors=True) as name:
        server = Replicated(Path(name) / "first", ports.free_port(), fsync=False)
        server.prepare()
        server.start()
        try:
            server.wait_ready()
            yield server
        finally:
            server.kill()


def either(first: EmbeddedPostgres, second: EmbeddedPostgres) -> str:
    """The address of both, as it is given to processes."""
    parts = urlsplit(first.url())
    hosts = ",".join(f"127.0.0.1:{server.port}" for server in (first, second))
    return f"postgresql://{parts.username}:{parts.password}@{hosts}/{DATABASE}"
