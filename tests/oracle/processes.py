"""The three processes of the pipeline, under a supervisor: killed, suspended, resumed; and restarted where one has ended by
itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import psutil

from producer.settings import PollingSpec, ProducerSettings, RootSpec
from runtime.kafka import Kafka
from streams.settings import AnalysisSettings, StreamsSettings
from tests.oracle.ways import LocalWay
from tests.support.producer_process import ProducerProcess
from tests.support.projector_run import Process
from tests.support.stream_worker import StreamWorker

DEBOUNCE_MS = 200
RENAME_MS = 1_500
MAX_HOLD_MS = 3_000
END_SECONDS = 15.0

POLLED_RENAME_MS = 20_000
POLLED = {"hot_seconds": 0.5, "cold_seconds": 3.0}
POLLED_RECONCILE_SECONDS = 15.0
"""A write in place in a cold directory is found by a reconcile; so everything is recorded well within a minute."""


class Running(Protocol):
    """One process. `died`: its exit code, None while it runs."""

    @property
    def pid(self) -> int: ...
    @property
    def died(self) -> int | None: ...
    def wait(self, seconds: float) -> int: ...


class Processes:
    """`watch`, `stream` and `project` on the same topics; those named in `away` stay away until they are started again."""

    def __init__(
        self,
        kafka: Kafka,
        url: str,
        folder: Path,
        roots: Mapping[str, Path],
        library: str,
        way: LocalWay = "inotify",
    ) -> None:
        is_polled = way == "polling"
        specs = tuple(
            RootSpec(
                name=name, library=library, path=path, debounce_ms=DEBOUNCE_MS, max_hold_ms=MAX_HOLD_MS,
                rename_window_ms=POLLED_RENAME_MS if is_polled else RENAME_MS, watch=way, polling=PollingSpec(**POLLED),
            )
            for name, path in roots.items()
        )  # fmt: skip
        reconcile = POLLED_RECONCILE_SECONDS if is_polled else 86_400
        watched = ProducerSettings(roots=specs, reconcile_seconds=reconcile)
        streams = StreamsSettings(analysis=AnalysisSettings(workers=1), status=False)
        self._makers: dict[str, Callable[[], Running]] = {
            "watch": lambda: ProducerProcess(kafka, watched, folder / "watch", wait=False),
            "stream": lambda: StreamWorker(kafka, streams, folder / "stream", wait=False),
            "project": lambda: Process(kafka, url),
        }
        self._running: dict[str, Running] = {}
        self.away: set[str] = set()
        self.ended: list[str] = []
        self.peak_mb: dict[str, float] = {}

    def start(self, name: str) -> None:
        """Start it, if it does not run; it becomes ready later."""
        self.away.discard(name)
        if name not in self._running:
            self._running[name] = self._makers[name]()

    def start_all(self) -> None:
        """Start those that are away, and resume those that are suspended."""
        for name in self._makers:
            self.thaw(name)
            self.start(name)

    def stop(self, name: str, number: signal.Signals) -> None:
        """End it and keep it away: by SIGTERM, or killed."""
        self.away.add(name)
        self._end(name, number)

    def slay(self, name: str) -> None:
        """kill -9, and start it again at once unless it is to be away."""
        self._end(name, signal.SIGKILL)
        if name not in self.away:
            self.start(name)

    def freeze(self, name: str) -> None:
        """SIGSTOP."""
        self._signal(name, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """SIGCONT."""
        self._signal(name, signal.SIGCONT)

    def tend(self) -> None:
        """Restart what has ended by itself, as a supervisor would."""
        for name, process in list(self._running.items()):
            if process.died is not None:
                self.ended.append(f"{name} ended with {process.died}")
                del self._running[name]
                self.start(name)

    def look(self) -> None:
        """Record how much memory each takes."""
        for name, process in self._running.items():
            with suppress(psutil.NoSuchProcess):
                resident = psutil.Process(process.pid).memory_info().rss / 1e6
                self.peak_mb[name] = max(self.peak_mb.get(name, 0.0), resident)

    def end(self) -> None:
        """kill -9 to all that run."""
        for name in list(self._running):
            self._end(name, signal.SIGKILL)

    def _signal(self, name: str, number: signal.Signals) -> None:
        if (process := self._running.get(name)) is not None and process.died is None:
            os.kill(process.pid, number)

    def _end(self, name: str, number: signal.Signals) -> None:
        process = self._running.pop(name, None)
        if process is None or process.died is not None:
            return
        for one in (signal.SIGCONT, number):
            os.kill(process.pid, one)
        process.wait(END_SECONDS)
