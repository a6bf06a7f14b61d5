"""PgBouncer before a database, in transaction mode: each transaction goes to another connection of the server's.

Where it is not installed Debian's package is fetched and unpacked (`apt-get download`; nothing is installed); where that is
not possible either the test is skipped, and says why."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import psycopg
import pytest

from cli.up import ports
from cli.up.embedded.jars import cache_folder
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
    program, environment = _provided()
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
            [program, *as_other, str(config)],
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


def _provided() -> tuple[str, dict[str, str]]:
    """The program and its environment."""
    if (installed := shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")) is not None:
        return installed, dict(os.environ)
    folder = cache_folder() / "pgbouncer"
    program = folder / "usr" / "sbin" / "pgbouncer"
    if not program.exists():
        if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
            pytest.skip("no PgBouncer on this machine, and no apt-get to fetch it with: no pooler was tried")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with (folder.parent / "pgbouncer.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not program.exists():
                _fetch(folder)
    libraries = ":".join(str(path) for path in (folder / "usr" / "lib").glob("*-linux-*"))
    return str(program), os.environ | {"LD_LIBRARY_PATH": libraries}


def _fetch(folder: Path) -> None:
    with TemporaryDirectory(dir=folder.parent) as name:
        part = Path(name) / "unpacked"
        for words in (
            ("apt-get", "download", *_PACKAGES),
            ("apt-get", "update"),
            ("apt-get", "download", *_PACKAGES),
        ):
            done = subprocess.run(
                (*words, "-qq"), cwd=name, capture_output=True, text=True, check=False, timeout=120
            )
            if words[1] == "download" and done.returncode == 0:
                break
        else:
            last = " ".join(done.stderr.strip().splitlines()[-1:])
            pytest.skip(f"PgBouncer could not be fetched ({last}): no pooler was tried")
        for package in Path(name).glob("*.deb"):
            subprocess.run(("dpkg-deb", "--extract", str(package), str(part)), check=True, capture_output=True)
        part.rename(folder)
