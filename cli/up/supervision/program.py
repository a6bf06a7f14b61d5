"""A program to be run as a child, and how a child is tied to its parent's life.

The kernel kills a child when its parent dies, even by kill -9 (PR_SET_PDEATHSIG). It watches the *thread* that started the
child, and a change of user clears the setting: so children are started from the main thread, and the option is set after the
change of user, just before exec. Every child leads its own process group: Ctrl-C reaches only the supervisor, and whatever a
child leaves behind can be killed by its group.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
STATE_MARK = "SUPERVISED_STATE_DIR"
"""Set in the environment of every child: the next start finds leftover processes by it (`leftovers`)."""

HERE = "/proc/self/cwd"
"""The working directory of the process that opens this path: lets a program refer to its own folder, whatever its name."""

SETTINGS = "CATALOGIZER_"
"""Prefix of variables with settings. A child gets only those of its program."""

INSTALLATION = Path(__file__).parents[3]
"""The folder of our packages."""

_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class SystemUser:
    """A Unix user: the numbers of the user and of its group."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. `environment`: added to the parent's own, which is passed on without the platform's settings.
    `stop_signal` requests its end."""

    name: str
    argv: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    user: SystemUser | None = None
    stop_signal: signal.Signals = signal.SIGTERM


def python(name: str, arguments: tuple[str, ...], environment: Mapping[str, str]) -> Program:
    """One of our Python programs. It imports from this installation, never from its working directory."""
    given = {**environment, "PYTHONPATH": str(INSTALLATION), "PYTHONUNBUFFERED": "1"}
    return Program(name=name, argv=(sys.executable, "-P", *arguments), directory=Path.cwd(), environment=given)


def tie(parent: int) -> Callable[[], None]:
    """A function for a child to call before exec, so that it dies with `parent`."""

    def before_exec() -> None:
        tied = _LIBC.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0) == 0
        if not tied or os.getppid() != parent:  # the parent may have died before the tie was made
            os._exit(os.EX_OSERR)

    return before_exec


def start(program: Program, output: IO[bytes] | int) -> subprocess.Popen[bytes]:
    """Start it, with standard output and error to `output`. Raises OSError. Call from the main thread."""
    user = program.user
    return subprocess.Popen(
        program.argv,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=program.directory,
        env=environment_for(program.environment),
        process_group=0,
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
        preexec_fn=tie(os.getpid()),
    )


async def start_async(program: Program, output: int) -> asyncio.subprocess.Process:
    """Start it, with standard output and error to the descriptor `output`. Raises OSError.

    It uses no asyncio pipe: with one, asyncio considers a process ended only when the pipe is closed, and a grandchild that
    outlives it may keep that open (Python 3.11)."""
    user = program.user
    return await asyncio.create_subprocess_exec(
        *program.argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        cwd=program.directory,
        env=environment_for(program.environment),
        process_group=0,
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
        preexec_fn=tie(os.getpid()),
    )


async def reader_of(pipe: int, limit: int) -> tuple[asyncio.StreamReader, asyncio.ReadTransport]:
    """A line reader for a pipe's reading end (lines of at most `limit` bytes); the transport owns the pipe from now on."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=limit)
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(pipe, "rb", buffering=0)
    )
    return reader, transport


def sweep(group: int) -> None:
    """Kill what is left of a child's process group."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def environment_for(own: Mapping[str, str]) -> dict[str, str]:
    """Our environment without the platform's settings, some of which are secrets, plus the program's own variables."""
    return {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)} | dict(own)
