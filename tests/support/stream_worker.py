"""A stream worker as a process of its own, that tests stop and kill.

`python -m tests.support.stream_worker KAFKA_JSON STREAMS_JSON STATE_DIR [ALERTS_JSON]`: what `catalogizer stream` runs. It
writes the file named by CATALOGIZER_READY_FILE when it is ready.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from cli.provisioning.topics import apply
from cli.up.embedded.kafka import EmbeddedKafka
from runtime import log
from runtime.kafka import Kafka
from runtime.lifecycle import READY_FILE, Stop, run
from runtime.settings import KafkaSettings, LogSettings
from streams.alerts.settings import AlertSettings
from streams.main import stream
from streams.settings import StreamsSettings
from tests.support import prepared
from tests.support.servers import clients
from tests.support.waiting import wait_until

READY_SECONDS = 90.0

_numbers = itertools.count()


class StreamWorker:
    """One worker process. The constructor returns when it is ready, unless `wait` is false. `alerts`: their settings, with
    secrets as they are."""

    def __init__(
        self, kafka: Kafka, settings: StreamsSettings, state_dir: Path, *, wait: bool = True,
        alerts: dict[str, object] | None = None,
    ) -> None:  # fmt: skip
        number = next(_numbers)
        self._ready = state_dir / f"ready-{number}"
        self.log = state_dir / f"log-{number}"
        state_dir.mkdir(parents=True, exist_ok=True)
        words = [kafka.settings.model_dump_json(by_alias=False), settings.model_dump_json(), str(state_dir)]
        words.append(json.dumps(alerts or {}))
        with self.log.open("a") as errors:
            self._process = prepared.start(
                "tests.support.stream_worker",
                *words,
                env=os.environ | {READY_FILE: str(self._ready)},
                stderr=errors,
            )
        if wait:
            self._wait_ready()

    def _wait_ready(self) -> None:
        try:
            wait_until(lambda: self.ready or self.died is not None, READY_SECONDS, what="the worker to be ready")
            assert self.ready, self.log.read_text()[-2_000:]
        except (TimeoutError, AssertionError):
            self.kill()
            raise

    @property
    def ready(self) -> bool:
        """True once it has announced that it is ready."""
        return self._ready.exists()

    @property
    def died(self) -> int | None:
        """The exit code, None while it runs."""
        return self._process.poll()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def children(self) -> list[psutil.Process]:
        """Its probing children."""
        return psutil.Process(self.pid).children()

    def wait(self, seconds: float) -> int:
        """Wait for its end; the exit code."""
        return self._process.wait(seconds)

    def kill(self) -> None:
        """SIGKILL, and wait."""
        self._process.kill()
        self._process.wait(10)

    def end(self, seconds: float = 10.0) -> int:
        """SIGTERM; the exit code. Raises AssertionError with what it was doing when it has not ended in time."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGUSR1)
            time.sleep(0.5)
            self.kill()
            raise AssertionError(f"not ended in {seconds:g} s: {self.log.read_text()[-8_000:]}") from None


@contextlib.contextmanager
def working(kafka: Kafka, settings: StreamsSettings, state_dir: Path) -> Iterator[StreamWorker]:
    """A worker for a block; ended cleanly after it."""
    worker = StreamWorker(kafka, settings, state_dir)
    try:
        yield worker
        assert worker.end() == 0, worker.log.read_text()[-2_000:]
    finally:
        if worker.died is None:
            worker.kill()


@dataclass(frozen=True, slots=True)
class Shared:
    """A worker for several tests. `folder`: its state; `kafka`: clients of the same topics."""

    kafka: Kafka
    worker: StreamWorker
    folder: Path


@contextlib.contextmanager
def shared(broker: EmbeddedKafka, settings: StreamsSettings, folder: Path) -> Iterator[Shared]:
    """A worker on topics of its own: starting one costs more than most of the tests."""
    kafka = clients(broker)
    asyncio.run(apply(kafka))
    with working(kafka, settings, folder) as worker:
        yield Shared(kafka, worker, folder)


def main() -> None:
    """Run the worker; SIGUSR1 makes it write down its threads' stacks."""
    faulthandler.register(signal.SIGUSR1)
    kafka = Kafka(KafkaSettings.model_validate_json(sys.argv[1]), "stream")
    settings = StreamsSettings.model_validate_json(sys.argv[2])
    alerts = AlertSettings.model_validate_json(sys.argv[4] if len(sys.argv) > 4 else "{}")
    log.configure(LogSettings(level="INFO", format="text"), "stream")

    async def work(stop: Stop) -> None:
        await stream(kafka, settings, Path(sys.argv[3]), stop, alerts)

    run(work)


if __name__ == "__main__":
    main()
