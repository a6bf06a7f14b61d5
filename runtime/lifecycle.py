"""The life of a process: start, ready, asked to stop, drained, exit code.

A process is ready when it does its work, not when it was started: it then writes its pid to the file named by
`CATALOGIZER_READY_FILE` (the supervisor waits for it). SIGTERM and SIGINT ask it to stop; it drains and exits 0.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

from runtime import log

READY_FILE = "CATALOGIZER_READY_FILE"

_log = log.get(__name__)


class Stop:
    """Whether the process was asked to stop; waits for it. Handed to whoever runs until then."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.reason: str | None = None

    def ask(self, reason: str) -> None:
        """Ask to stop; the first reason is kept."""
        self.reason = self.reason or reason
        self._event.set()

    @property
    def asked(self) -> bool:
        """True once asked."""
        return self._event.is_set()

    async def wait(self, seconds: float | None = None) -> bool:
        """Wait until asked, or for `seconds`; True when asked."""
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return False
        return True


def run(
    main: Callable[[Stop], Awaitable[None]], new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None
) -> None:
    """Run a process's coroutine until it returns; SIGTERM and SIGINT set the given Stop. `new_loop` makes the
    event loop where another than asyncio's own is wanted."""

    async def supervised() -> None:
        stop = Stop()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.ask, signal.Signals(number).name)
        await main(stop)
        _log.info("stopped", reason=stop.reason)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(supervised())


def announce_ready() -> None:
    """Tell the supervisor, if there is one, that this process does its work now."""
    _log.info("ready")
    if name := os.environ.get(READY_FILE):
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}")
        part.write_text(f"{os.getpid()}\n")
        part.replace(path)


def end_hard(reason: str) -> None:
    """End the process at once, without any clean-up that could commit what must not be: its supervisor starts
    it anew. For the cases in which going on could lose or repeat something."""
    _log.critical("ending hard", reason=reason)
    os._exit(70)  # EX_SOFTWARE
