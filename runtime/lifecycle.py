"""The life of a process: start, ready, requested to stop, drained, exit code.

A process is ready when it does its work, some time after its start: it then writes its pid to the file named by
`CATALOGIZER_READY_FILE`, for which the supervisor waits. On SIGTERM, SIGINT or SIGHUP it finishes its work in progress and
exits 0; if that takes too long it ends at once with a failure. SIGHUP means that its terminal was closed; a process that
was started with SIGHUP ignored (`nohup`) continues.
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
"""Exit code of a process that should be restarted (EX_SOFTWARE)."""
USAGE = 2
"""Exit code of a process that a restart does not help: its settings, or the log, do not fit this program."""
END_SECONDS = 9.5
"""From the request to stop to the end; container engines kill after ten seconds."""

_log = log.get(__name__)


class Stop:
    """Whether the process was requested to stop, and a way to wait for the request."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.reason: str | None = None

    def request(self, reason: str) -> None:
        """Request the stop; the first reason is kept."""
        self.reason = self.reason or reason
        self._event.set()

    @property
    def requested(self) -> bool:
        """True once the stop was requested."""
        return self._event.is_set()

    async def wait(self, seconds: float | None = None) -> bool:
        """Wait until the stop is requested, for at most `seconds`; True if it was."""
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

    async def supervised(on_request: Callable[[], None]) -> None:
        stop = Stop()

        def on_signal(reason: str) -> None:
            on_request()
            stop.request(reason)

        loop = asyncio.get_running_loop()
        numbers = (signal.SIGINT, *stop_signals())
        for number in numbers:
            loop.add_signal_handler(number, on_signal, number.name)
        await main(stop)
        _log.info("stopped", reason=stop.reason)
        if signal.SIGHUP in numbers:  # one closed terminal may send several, by several ways, some of them late
            loop.remove_signal_handler(signal.SIGHUP)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

    with _ending_within(end_seconds) as on_request, asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(supervised(on_request))


def stop_signals() -> tuple[signal.Signals, ...]:
    """The signals that request a stop, besides SIGINT."""
    hang_up = () if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (signal.SIGHUP,)
    return (signal.SIGTERM, *hang_up)


@contextmanager
def _ending_within(seconds: float) -> Iterator[Callable[[], None]]:
    """Yields a function; once it is called, the process must leave the block within `seconds` or is ended. A thread
    enforces it, because the event loop itself may hang, or its end may, waiting for tasks that ignore cancellation."""
    late = threading.Timer(seconds, end_hard, [f"not ended within {seconds:g} s"])
    late.daemon = True

    def on_request() -> None:
        if late.ident is None:
            late.start()

    try:
        yield on_request
    finally:
        late.cancel()


def collect_rarely() -> None:
    """Run the cyclic garbage collector every 100,000 objects instead of every 700. A process that keeps hundreds of
    thousands of objects and makes records by the thousand otherwise spends a seventh of its time in it
    (`python -m bench.fold`). Objects outside cycles are still freed immediately."""
    gc.set_threshold(100_000, 10, 10)


def freeze_objects() -> None:
    """Exclude all present objects from the cyclic garbage collector: they live as long as the process. A full collection
    that includes them pauses a gateway for 50 to 90 ms (`python -m bench.fan_out_latency`)."""
    gc.collect()
    gc.freeze()


@contextmanager
def without_collector() -> Iterator[None]:
    """Disable the cyclic garbage collector for the block: for work of some minutes that creates objects by the hundred
    million, all of which reference counting frees. The collector would traverse the hundred thousand live ones again and
    again: a quarter of a rebuild's processor time (`python -m bench.rebuild`)."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def announce_ready() -> None:
    """Notify the supervisor, if there is one, that this process is ready."""
    _log.info("ready")
    if name := os.environ.get(READY_FILE):
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}")
        part.write_text(f"{os.getpid()}\n")
        part.replace(path)


def end_hard(reason: str, code: int = SOFTWARE) -> NoReturn:
    """End the process at once, without clean-up: clean-up might commit what must not be committed. The supervisor restarts
    it. For cases in which continuing could lose or repeat a record."""
    _log.critical("ending hard", reason=reason)
    os._exit(code)
