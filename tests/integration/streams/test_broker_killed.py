"""A worker outlives the death of its broker, by itself or by ending hard and being started anew, and works on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from confluent_kafka import KafkaException

from cli.provisioning.topics import apply
from runtime.kafka import Kafka
from schemas.analysis import Job
from schemas.codec import encode
from schemas.topics import ANALYSIS_JOBS, RAW
from streams.settings import AnalysisSettings, StreamsSettings
from tests.support import media
from tests.support.servers import Brokers, clients
from tests.support.stream_worker import StreamWorker
from tests.support.topic import NewRecord, decoded, read, write
from tests.support.waiting import wait_until

DOWN_SECONDS = 15.0


class Supervised:
    """A worker that is started again when it has ended, as the supervisor does."""

    def __init__(self, make: Callable[[], StreamWorker]) -> None:
        self._make = make
        self.worker = make()
        self.starts = 1

    def look(self) -> bool:
        """Start it again if it is dead; true when it is ready."""
        if self.worker.died is not None:
            self.worker = self._make()
            self.starts += 1
        return self.worker.ready


def ended(kafka: Kafka) -> set[object]:
    """Jobs with a result; none while the broker cannot be read yet."""
    try:
        return _ended(kafka)
    except KafkaException:
        return set()


def _ended(kafka: Kafka) -> set[object]:
    return {value["job"] for value in decoded(read(kafka, RAW)) if value["kind"] == "result"}


def test_after_a_broker_was_killed_and_came_back_jobs_are_done_again_and_without_one_the_worker_still_ends(
    broker_factory: Brokers, tmp_path: Path
) -> None:
    broker = broker_factory()
    kafka = clients(broker)
    asyncio.run(apply(kafka))
    root = tmp_path / "movies"
    root.mkdir()
    song = media.song(root / "a.mp3", 0.2)
    settings = StreamsSettings(analysis=AnalysisSettings(workers=1, roots={"movies": root}))

    def publish_job(number: int) -> None:
        job = Job(
            job=f"job-{number}", media_id=number, library="home", root="movies", site="main", path="a.mp3",
            file=media.state_of(song), media_type="audio",
        )  # fmt: skip
        write(kafka, NewRecord(ANALYSIS_JOBS, encode(job), b"%d" % number, number))

    supervised = Supervised(lambda: StreamWorker(kafka, settings, tmp_path, wait=False))
    try:
        wait_until(supervised.look, 40, what="the worker to be ready")
        publish_job(1)
        wait_until(lambda: "job-1" in ended(kafka), 20, what="the first result")
        broker.kill()
        up_again = time.monotonic() + DOWN_SECONDS
        wait_until(lambda: (supervised.look(), time.monotonic() > up_again)[1], 60, what="the outage", every=0.5)
        broker.start()
        broker.wait_ready()
        publish_job(2)
        wait_until(lambda: supervised.look() and "job-2" in ended(kafka), 60, what="the second result", every=0.5)
        broker.kill()
        assert supervised.worker.end(10) == 0, supervised.worker.log.read_text()[-6_000:]
    finally:
        if supervised.worker.died is None:
            supervised.worker.kill()
