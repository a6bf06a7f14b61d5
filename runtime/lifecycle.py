"""The life of a process: start, ready, asked to stop, drained, exit code.

A process is ready when it does its work, which is later than its start: it then writes its pid to the file named by
`CATALOGIZER_READY_FILE`, for which the supervisor waits. On SIGTERM, SIGINT or SIGHUP it finishes its work in progress and
exits 0; if that takes too long it ends at once with a failure. SIGHUP means that its terminal was closed; a process that
was started with SIGHUP ignored (`nohup`) goes on.
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
from typing import NoReturn

from runtime import log

READY_FILE = "CATALOGIZER_READY_FILE"
SOFTWARE = 70
"""Exit code of a process that must be started anew (EX_SOFTWARE)."""
USAGE = 2
"""Exit code of a process that no new start mends: settings, or a log, that are not for this program."""
END_SECONDS = 9.5
"""From the request to stop to the end; container engines kill after ten seconds."""

_log = log.get(__name__)


class Stop:
    """Whether the process was asked to stop, and a way to wait for that."""

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
    """Yields a function; once it is called, the process must leave the block within `seconds` or is ended. A thread
    enforces it, because the event loop itself may hang, or its end may, waiting for tasks that ignore cancellation."""
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
    """Run the cyclic garbage collector every 100,000 objects instead of every 700. A process that keeps hundreds of
    thousands of objects and makes records by the thousand otherwise spends a seventh of its time in it
    (`python -m bench.fold`). Objects outside cycles are still freed immediately."""
    gc.set_threshold(100_000, 10, 10)


def settled() -> None:
    """What the process holds now it holds for good: the cyclic garbage collector looks at it no more. All of it again takes
    50 to 90 ms in a gateway, in which nothing else is done (`python -m bench.fan_out_latency`)."""
    gc.collect()
    gc.freeze()


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the cyclic garbage collector: for work of some minutes that makes objects by the hundred million, all of which
    are freed when nobody holds them any more. It would go through the hundred thousand that are held meanwhile again and
    again: a quarter of a rebuild's processor time (`python -m bench.rebuild`)."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def announce_ready() -> None:
    """Tell the supervisor, if there is one, that this process does its work now."""
    _log.info("ready")
    if name := os.environ.get(READY_FILE):
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}")
        part.write_text(f"{os.getpid()}\n")
        part.replace(path)


def end_hard(reason: str, code: int = SOFTWARE) -> NoReturn:
    """End the process at once, without any clean-up, which might commit something that must not be committed; the
    supervisor restarts it. For cases in which continuing could lose or repeat a record."""
    _log.critical("ending hard", reason=reason)
    os._exit(code)
