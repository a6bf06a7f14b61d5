"""The life of a process: start, ready, asked to stop, drained, exit code.

A process is ready when it does its work, not when it was started: it then writes its pid to the file named by
`CATALOGIZER_READY_FILE` (the supervisor waits for it). SIGTERM, SIGINT and SIGHUP ask it to stop; it drains and exits
0, or ends hard where it could not in time. SIGHUP means that its terminal was closed; a process that was started with
SIGHUP ignored (`nohup`) goes on.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime import log

READY_FILE = "CATALOGIZER_READY_FILE"
END_SECONDS = 9.5
"""From being asked to stop to the end, below the ten seconds after which container engines kill."""

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
    main: Callable[[Stop], Awaitable[None]],
    new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
    end_seconds: float = END_SECONDS,
) -> None:
    """Run a process's coroutine until it returns; the signals `asking` to stop set the given Stop, and the process
    ends hard when it has not ended in time. `new_loop` makes the event loop where another than asyncio's own is wanted."""

    async def supervised(asked: Callable[[], None]) -> None:
        stop = Stop()

        def ask(reason: str) -> None:
            asked()
            stop.ask(reason)

        loop = asyncio.get_running_loop()
        numbers = (signal.SIGINT, *asking())
        for number in numbers:
            loop.add_signal_handler(number, ask, number.name)
        await main(stop)
        _log.info("stopped", reason=stop.reason)
        if signal.SIGHUP in numbers:  # one closed terminal may send several, by several ways, some of them late
            loop.remove_signal_handler(signal.SIGHUP)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

    with _ending_within(end_seconds) as asked, asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(supervised(asked))


def asking() -> tuple[signal.Signals, ...]:
    """The signals that ask to stop, beside Ctrl-C's."""
    hang_up = () if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (signal.SIGHUP,)
    return (signal.SIGTERM, *hang_up)


@contextmanager
def _ending_within(seconds: float) -> Iterator[Callable[[], None]]:
    """Once called, the process has so long for the rest of the block. A thread of its own sees to it: what may
    hang is the event loop, or its end, which waits for tasks that swallow their cancellation."""
    late = threading.Timer(seconds, end_hard, [f"not ended within {seconds:g} s"])
    late.daemon = True

    def asked() -> None:
        if late.ident is None:
            late.start()

    try:
        yield asked
    finally:
        late.cancel()


def collect_rarely() -> None:
    """Look for garbage in cycles every 100,000 objects and not every 700: a process that keeps hundreds of
    thousands of objects for good, and makes records by the thousand, spends a seventh of its time on that
    otherwise (`python -m bench.fold`). What is not in a cycle is freed at once as ever."""
    gc.set_threshold(100_000, 10, 10)


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
