"""Deciding or delivering alerts as a process of its own, without the rest of a stream worker, that tests kill at a point.

`python -m tests.support.alert_worker KAFKA_JSON ALERTS_JSON POINT`: sends itself SIGKILL when a delivery passes the point.
It decides only where the settings name no target, so that what tests deliver are their own alerts. A target is asked again
within a second, for two seconds in all.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from runtime import log
from runtime.dead_letters import DeadLetters
from runtime.epochs import read_epochs
from runtime.kafka import Kafka, stop_client
from runtime.lifecycle import Stop, run
from runtime.settings import KafkaSettings, LogSettings
from runtime.waits import Waits
from schemas.topics import ALERTS
from streams.alerts.delivery import Delivery, Points
from streams.alerts.service import AlertingService
from streams.alerts.settings import AlertSettings, limits_of
from streams.alerts.targets import targets_of, wanted_of
from streams.confirmed import Confirmed
from streams.group_offsets import GroupOffsets
from tests.support import prepared

WAITS = Waits(0.1, 0.5)
PATIENCE = 2.0


class AlertWorker:
    """One process. `settings`: of alerts, with secrets as they are; `point`: where it is to kill itself."""

    def __init__(self, kafka: Kafka, settings: dict[str, object], folder: Path, point: str = "") -> None:
        self.log = folder / f"alerts-{len([*folder.iterdir()])}.log"
        words = [kafka.settings.model_dump_json(by_alias=False), msgspec.json.encode(settings).decode(), point]
        with self.log.open("w") as errors:
            self._process = prepared.start("tests.support.alert_worker", *words, env=os.environ, stderr=errors)

    @property
    def died(self) -> int | None:
        """The exit code, None while it runs."""
        return self._process.poll()

    def wait_killed(self, seconds: float = 30.0) -> None:
        """Until it has killed itself."""
        assert self._process.wait(seconds) == -signal.SIGKILL, self.log.read_text()[-3_000:]

    def kill(self) -> None:
        """SIGKILL, and wait."""
        self._process.kill()
        self._process.wait(10)

    def end(self) -> None:
        """SIGTERM; it ends cleanly."""
        self._process.terminate()
        assert self._process.wait(15) == 0, self.log.read_text()[-3_000:]


@contextmanager
def alerting(kafka: Kafka, settings: dict[str, object], folder: Path) -> Iterator[AlertWorker]:
    """A worker for the block; ended cleanly after it."""
    worker = AlertWorker(kafka, settings, folder)
    try:
        yield worker
        worker.end()
    finally:
        if worker.died is None:
            worker.kill()


async def work(kafka: Kafka, settings: AlertSettings, stop: Stop, points: Points) -> None:
    """Decide or deliver until requested to stop."""
    producer = kafka.producer()
    await producer.start()
    targets = targets_of(settings)
    service: AlertingService | Delivery
    if targets:
        epoch = (await read_epochs(kafka))[ALERTS.name].epoch
        service = Delivery(
            kafka, instance="a", epoch=epoch, targets=targets, wanted=wanted_of(settings),
            letters=DeadLetters(kafka, producer), waits=WAITS, patience=PATIENCE, points=points,
        )  # fmt: skip
    else:
        confirmed = Confirmed(kafka, producer)
        service = AlertingService(
            kafka, instance="a", confirmed=confirmed, limits=limits_of(settings), offsets=GroupOffsets(kafka, {})
        )
    try:
        await service.start()
        await stop.wait()
        await service.stop()
    finally:
        await stop_client(producer)


def main() -> None:
    """Run it."""
    kafka = Kafka(KafkaSettings.model_validate_json(sys.argv[1]), "stream")
    settings = AlertSettings.model_validate_json(sys.argv[2])
    log.configure(LogSettings(level="INFO", format="text"), "stream")

    def points(name: str) -> None:
        if name == sys.argv[3]:
            os.kill(os.getpid(), signal.SIGKILL)

    run(lambda stop: work(kafka, settings, stop, points))


if __name__ == "__main__":
    main()
