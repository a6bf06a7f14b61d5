"""Stops a platform for a copy: its supervisor keeps every component stopped, or, if none runs, none may start."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from cli.backup.errors import Unsteady
from cli.up.embedded import postgres
from cli.up.errors import StateInUse
from cli.up.run_file import RunFile, path_in
from cli.up.state import StateFolder, owned
from cli.up.supervision import leftovers
from cli.up.supervision.hold import held
from schemas.acls import COMPONENTS

SERVERS = {"kafka": signal.SIGTERM, "postgres": postgres.STOP_SIGNAL}
"""The signal that stops each server cleanly."""
BACK_SECONDS = 60.0
"""Longest wait for the servers to listen again (services started earlier would fail and be restarted), and then for the
services."""
_POLL_SECONDS = 0.1


@contextmanager
def at_rest(folder: Path) -> Iterator[StateFolder]:
    """Make sure that nothing writes to this state folder (absolute, it exists) during the block. The components of a
    running platform are stopped, and started again afterwards. Raises Unsteady, NotHeld, OSError."""
    with ExitStack() as stack:
        try:
            state = stack.enter_context(owned(folder))
        except StateInUse:
            state = StateFolder(folder)
            stack.enter_context(_all_held(state))
        yield state


@contextmanager
def _all_held(state: StateFolder) -> Iterator[None]:
    running = _run_file(state)
    with ExitStack() as services:
        for name in COMPONENTS:
            services.enter_context(held(state.hold(name), state.folder, running.pids.get(name)))
        try:
            with ExitStack() as servers:
                for server, number in SERVERS.items():
                    pid = running.pids.get(server)
                    servers.enter_context(held(state.hold(server), state.folder, pid, number))
                _check_none_runs(state)
                yield
        finally:
            _wait_for_servers(running)
    _wait_for_services(state)


def _run_file(state: StateFolder) -> RunFile:
    try:
        return msgspec.json.decode(path_in(state.folder).read_bytes(), type=RunFile)
    except (FileNotFoundError, msgspec.DecodeError):
        raise Unsteady(f"the platform in {state.folder} is starting or ending, or is of another version") from None


def _check_none_runs(state: StateFolder) -> None:
    """Raise if a component runs: one that had just died may have been restarted before its hold was taken."""
    left = set(leftovers.find(state.folder))
    for name, pid in _run_file(state).pids.items():
        if pid in left:
            raise Unsteady(f"{name} was started while the platform was brought to rest")


def _wait_for_servers(running: RunFile) -> None:
    deadline = time.monotonic() + BACK_SECONDS
    for url in (f"kafka://{running.bootstrap_servers}", running.database_url):
        place = urlsplit(url)
        while not _listens(str(place.hostname), place.port or 0) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)


def _wait_for_services(state: StateFolder) -> None:
    """Wait until the platform is ready, so that a following command can use it. A platform that ended is not waited for."""
    deadline = time.monotonic() + BACK_SECONDS
    while path_in(state.folder).exists() and not _all_ready(state) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def _all_ready(state: StateFolder) -> bool:
    """Whether each service's newest process has announced that it is ready."""
    try:
        pids = _run_file(state).pids
    except Unsteady:  # it has just ended
        return False
    files = {name: state.ready_file(name) for name in COMPONENTS}
    return all(files[name].exists() and files[name].read_text().strip() == str(pids.get(name)) for name in files)


def _listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0
