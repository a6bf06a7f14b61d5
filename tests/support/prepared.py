"""Processes of the product that begin with its modules loaded: forks of one that has done nothing but import them.

A gateway takes 1.2 s of processor time for its imports alone, and the suite starts hundreds of processes. What runs is the
same program as `python -m MODULE ARGUMENT…`, in a process of its own with its own environment, streams and signals; it is
no child of the test's process. Processes are started as users start them by the tests of `up`, of commands, and of the
benchmarks.

`python -m tests.support.prepared SOCKET MODULE…` is the one that forks: it loads the modules, and starts what the socket
asks for until that is closed.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[2]
MAX_BYTES = 1 << 20
PID_BYTES, STATUS_BYTES = 8, 4


class Forked:
    """One process, with what tests use of `subprocess.Popen`. `told`: a pipe on which its pid comes, and its exit status
    when it has ended."""

    def __init__(self, told: int) -> None:
        self._told = told
        self.returncode: int | None = None
        self.pid = int.from_bytes(os.read(told, PID_BYTES), sys.byteorder)
        if not self.pid:
            raise ChildProcessError("the process that forks has ended")

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Until it has ended. Raises subprocess.TimeoutExpired."""
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired([str(self.pid)], timeout or 0.0)
        return code

    def send_signal(self, number: int) -> None:
        """Nothing where it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _ended(self, seconds: float | None) -> int | None:
        if self.returncode is None and select.select([self._told], [], [], seconds)[0]:
            status = os.read(self._told, STATUS_BYTES)
            if not status:
                raise ChildProcessError("the process that forks has ended")
            os.close(self._told)
            self.returncode = os.waitstatus_to_exitcode(int.from_bytes(status, sys.byteorder))
        return self.returncode

    def __del__(self) -> None:
        if self.returncode is None:
            with contextlib.suppress(OSError):
                os.close(self._told)


def start(
    module: str, *arguments: str, env: Mapping[str, str], stdout: IO[Any] | None = None, stderr: IO[Any] | None = None,
    cwd: Path = ROOT, also: tuple[str, ...] = (), new_session: bool = False,
) -> Forked:  # fmt: skip
    """`python -m module arguments`, with standard input empty. `also`: modules that it imports only when it runs."""
    asked = {
        "module": module,
        "arguments": arguments,
        "env": dict(env),
        "cwd": str(cwd),
        "new_session": new_session,
    }
    ours, theirs = os.pipe()
    try:
        out, err = (stdout or sys.__stdout__), (stderr or sys.__stderr__)
        assert out is not None
        assert err is not None
        descriptors = [out.fileno(), err.fileno(), theirs]
        socket.send_fds(_forker(module, also), [json.dumps(asked).encode()], descriptors)
    finally:
        os.close(theirs)
    return Forked(ours)


@functools.cache
def _forker(module: str, also: tuple[str, ...]) -> socket.socket:
    """The socket of the one that forks for this module. It ends when the socket is closed, at the latest with this process,
    which alone has it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.prepared", str(theirs.fileno()), module, *also],
            pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, cwd=ROOT,
        )  # fmt: skip

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


# -- the process that forks -------------------------------------------------------------------------------------


def _asked(ours: socket.socket) -> dict[str, Any] | None:
    """Serves until the socket is closed: None. In a fork it returns what that is to be."""
    ended, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    running: dict[int, int] = {}
    while True:
        ready = select.select([ours.fileno(), ended], [], [])[0]
        if ended in ready:
            os.read(ended, 4_096)
            _report(running)
        if ours.fileno() not in ready:
            continue
        message, descriptors, _, _ = socket.recv_fds(ours, MAX_BYTES, 3)
        if not message:
            return None
        out, err, told = descriptors
        pid = os.fork()
        if not pid:
            for descriptor, standard in ((out, 1), (err, 2)):
                os.dup2(descriptor, standard)
            for descriptor in (ended, wake, out, err, told, *running.values()):
                os.close(descriptor)
            signal.set_wakeup_fd(-1)
            ours.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            found: dict[str, Any] = json.loads(message)
            return found
        os.close(out)
        os.close(err)
        os.write(told, pid.to_bytes(PID_BYTES, sys.byteorder))
        running[pid] = told


def _report(running: dict[int, int]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        told = running.pop(pid)
        with contextlib.suppress(BrokenPipeError):  # nobody waits for it
            os.write(told, status.to_bytes(STATUS_BYTES, sys.byteorder))
        os.close(told)


def main() -> None:
    """Load the modules, serve; in a fork become the program."""
    module = sys.argv[2]
    for name in sys.argv[2:]:
        importlib.import_module(name)
    del sys.modules[module]  # it is read again, as the main one, in the fork's own environment
    assert threading.active_count() == 1  # a fork has only the thread that forks
    gc.collect()
    gc.freeze()
    asked = _asked(socket.socket(fileno=int(sys.argv[1])))
    if asked is None:
        os._exit(0)
    os.environ.clear()
    os.environ.update(asked["env"])
    time.tzset()
    os.chdir(asked["cwd"])
    if asked["new_session"]:
        os.setsid()
    gc.unfreeze()
    sys.argv = [module, *asked["arguments"]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
