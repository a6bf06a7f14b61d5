"""A program to be run as a child, and how a child is tied to its parent's life.

The kernel kills a child when its parent dies, even by kill -9 (PR_SET_PDEATHSIG). It watches the *thread* that started
the child, and a change of user clears the setting: so children are started from the main thread, and the setting is made
after the change of user, just before exec. Every child leads a process group of its own: Ctrl-C reaches only the
supervisor, and whatever a child leaves behind can be killed by its group.
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
"""The working directory of whoever reads this path: how a program is told of its own folder, whatever its name."""

SETTINGS = "CATALOGIZER_"
"""How variables with settings begin. A child has those that it was given and no others."""

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
    """What to run. `environment`: beside the parent's own, which is handed on without the platform's settings.
    `stop_signal` asks it to end."""

    name: str
    argv: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    user: SystemUser | None = None
    stop_signal: signal.Signals = signal.SIGTERM


def python(name: str, arguments: tuple[str, ...], environment: Mapping[str, str]) -> Program:
    """A Python program of ours. It imports from this installation, never from the folder in which it is started."""
    told = {**environment, "PYTHONPATH": str(INSTALLATION), "PYTHONUNBUFFERED": "1"}
    return Program(name=name, argv=(sys.executable, "-P", *arguments), directory=Path.cwd(), environment=told)


def tie(parent: int) -> Callable[[], None]:
    """The function that a child calls before exec, so that it dies with `parent`."""

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

    No pipe of asyncio's own: a process with one has ended, for asyncio, only when its pipe has, and that may be
    held open by a child that outlives it (Python 3.11)."""
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
    """The lines, of at most `limit` bytes, of a pipe's reading end, which the transport owns from now on."""
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
    """Ours without any setting of the platform, some of which are secrets, and what the program is to have of its
    own."""
    return {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)} | dict(own)
