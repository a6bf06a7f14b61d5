"""The producer as a process of its own, that tests stop and kill, also at named points.

`python -m tests.support.producer_process KAFKA_JSON PRODUCER_JSON STATE_DIR [POINT N [FILE]]`: what `catalogizer watch`
runs; with a point, it kills itself there the n-th time (that it is passed while the file is there). It writes the file named
by CATALOGIZER_READY_FILE when it is ready.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from producer.main import watch
from producer.ports import Point, Points, no_points
from producer.settings import ProducerSettings
from runtime import log
from runtime.kafka import Kafka
from runtime.lifecycle import READY_FILE, Stop, run
from runtime.settings import KafkaSettings, LogSettings
from tests.support import cutting, prepared
from tests.support.waiting import wait_until

READY_SECONDS = 40.0


class ProducerProcess:
    """One producer, which computes no MD5 unless its settings say so. The constructor returns when it is ready or dead,
    unless `wait` is false. `kill_at`: the point and the hit, counted while the file `armed` is there; `under`: a command
    that it is run under."""

    def __init__(
        self, kafka: Kafka, settings: ProducerSettings, state_dir: Path, kill_at: tuple[Point, int] | None = None,
        *, wait: bool = True, armed: Path | None = None, under: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self._ready = state_dir / "ready"
        self._ready.unlink(missing_ok=True)
        state_dir.mkdir(parents=True, exist_ok=True)
        self.log = state_dir / "log"
        if "md5_bytes_per_second" not in settings.model_fields_set:
            settings = settings.model_copy(update={"md5_bytes_per_second": 0})
        words = [kafka.settings.model_dump_json(by_alias=False), settings.model_dump_json(), str(state_dir)]
        words += [] if kill_at is None else [kill_at[0], str(kill_at[1]), *([] if armed is None else [str(armed)])]
        environment = os.environ | {READY_FILE: str(self._ready)}
        module = "tests.support.producer_process"
        with self.log.open("a") as errors:
            self._process: subprocess.Popen[bytes] | prepared.Forked = (
                subprocess.Popen([*under, sys.executable, "-m", module, *words], env=environment, stderr=errors)
                if under
                else prepared.start(module, *words, env=environment, stderr=errors)
            )
        if wait:
            self._wait_ready(may_die=kill_at is not None)

    def _wait_ready(self, *, may_die: bool) -> None:
        wait_until(lambda: self._ready.exists() or self.died is not None, READY_SECONDS, what="the producer")
        assert may_die or self.died is None, self.log.read_text()[-2_000:]

    @property
    def died(self) -> int | None:
        """The exit code, None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait()

    def wait(self, seconds: float = 30.0) -> int:
        """Wait for its end; the exit code."""
        return self._process.wait(seconds)

    def terminate(self) -> int:
        """SIGTERM, and wait for the end; the exit code."""
        self._process.terminate()
        return self._process.wait(15)

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def memory_mb(self) -> float:
        """Resident memory."""
        return float(psutil.Process(self._process.pid).memory_info().rss) / 1e6


@contextlib.contextmanager
def producing(
    kafka: Kafka, settings: ProducerSettings, state_dir: Path, kill_at: tuple[Point, int] | None = None
) -> Iterator[ProducerProcess]:
    """A producer that is killed at the latest when the block ends."""
    process = ProducerProcess(kafka, settings, state_dir, kill_at)
    try:
        yield process
    finally:
        process.kill()


def killing(point: Point, hit: int, armed: Path | None = None) -> Points:
    """Points of which one kills the process, the n-th time it is passed (while the file is there)."""
    hits = 0

    def passed(at: Point) -> None:
        nonlocal hits
        if at == point and (armed is None or armed.exists()):
            hits += 1
            if hits == hit:
                os.kill(os.getpid(), signal.SIGKILL)

    return passed


def main(words: list[str]) -> None:
    """Run the producer."""
    kafka = Kafka(KafkaSettings.model_validate_json(words[0], by_name=True), "watch")
    settings = ProducerSettings.model_validate_json(words[1])
    points: Points = no_points
    if len(words) > 3:
        points = killing(words[3], int(words[4]), *map(Path, words[5:]))  # type: ignore[arg-type]

    async def producing_until(stop: Stop) -> None:
        await watch(kafka, settings, Path(words[2]), stop, points=points)

    log.configure(LogSettings(), "watch")
    cutting.obey()
    run(producing_until)


if __name__ == "__main__":
    main(sys.argv[1:])
