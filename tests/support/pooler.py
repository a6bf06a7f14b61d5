"""PgBouncer before a database, in transaction mode: each transaction goes to another connection of the server's. Where it
is not to be had the test is skipped, and says why."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import psycopg

from cli.up import ports
from tests.support.debian import program
from tests.support.waiting import wait_until

SERVER_CONNECTIONS = 4
START_SECONDS = 10.0
_PACKAGES = ("pgbouncer", "libc-ares2")
_CONFIG = """
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {connections}
server_round_robin = 1
logfile = {folder}/log
"""
_LEFT = """
SELECT pg_backend_pid(), array(
    SELECT 'setting ' || name FROM pg_settings WHERE source = 'session' AND name NOT LIKE 'transaction_%'
    UNION ALL SELECT 'prepared ' || statement FROM pg_prepared_statements
    UNION ALL SELECT 'temporary ' || relname FROM pg_class WHERE relnamespace = pg_my_temp_schema()
    UNION ALL SELECT 'lock ' || locktype FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'
)
"""
_POOLERS_OWN = frozenset(
    f"setting {name}"
    for name in ("application_name", "client_encoding", "DateStyle", "standard_conforming_strings", "TimeZone")
)
"""What PgBouncer keeps for each client itself."""


@contextmanager
def pooled(url: str) -> Iterator[str]:
    """The database's address through a pooler of its own."""
    found, environment = program("pgbouncer", *_PACKAGES)
    parts = urlsplit(url)
    port = ports.free_port()
    with TemporaryDirectory(prefix="catalogizer-pooler-") as name:
        folder = Path(name)
        folder.chmod(0o777)
        (folder / "users").write_text(f'"{parts.username}" "{parts.password}"\n')
        config = folder / "pgbouncer.ini"
        config.write_text(
            _CONFIG.format(
                host=parts.hostname, port=parts.port, own_port=port, folder=folder, connections=SERVER_CONNECTIONS
            )
        )
        as_other = ("-u", "nobody") if os.geteuid() == 0 else ()  # it refuses to be root
        process = subprocess.Popen(
            [found, *as_other, str(config)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            address = f"postgresql://{parts.username}:{parts.password}@127.0.0.1:{port}{parts.path}"
            wait_until(lambda: _answers(address), START_SECONDS, what="the pooler to answer")
            yield address
        finally:
            process.kill()
            process.wait()


def left_in_sessions(url: str) -> dict[int, list[str]]:
    """What is left in each session of the server behind a pooler that outlasts a transaction, by its process."""
    found: dict[int, list[str]] = {}
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        for _ in range(4 * SERVER_CONNECTIONS):
            pid, left = connection.execute(_LEFT).fetchone() or (0, [])
            found[pid] = [what for what in left if what not in _POOLERS_OWN]
    return found


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
