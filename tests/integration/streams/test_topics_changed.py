"""A stream worker whose topics an operator's tools change under it: reported within a minute, by its health or by its
end with one line, and nothing is passed over in silence."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from cli.provisioning.topics import apply
from cli.up import ports
from cli.up.embedded.kafka import EmbeddedKafka
from runtime.health import HealthSettings
from runtime.kafka import Kafka
from runtime.lifecycle import SOFTWARE
from schemas.analysis import Job
from schemas.codec import encode
from schemas.topics import ANALYSIS_JOBS, POSITIONS, RAW, REPORTS
from streams.settings import StreamsSettings
from tests.support.lane import a_file
from tests.support.operator import Operator
from tests.support.servers import clients
from tests.support.stream_worker import StreamWorker
from tests.support.topic import NewRecord, decoded, read, write
from tests.support.waiting import wait_until

TOLD_SECONDS = 60.0
DONE_SECONDS = 60.0
BEFORE, AFTER = range(4), range(10, 18)
"""Jobs of before the change and of after it; these are more, so that what is made anew grows past where we stood."""


class Worked:
    """A worker on topics of its own that has done some jobs, and folded their results."""

    def __init__(self, broker: EmbeddedKafka, folder: Path) -> None:
        self.kafka: Kafka = clients(broker)
        asyncio.run(apply(self.kafka))
        self.operator = Operator(self.kafka)
        self._folder = folder
        self.start()
        self.publish_jobs(BEFORE)

    def start(self) -> None:
        """A process, ready."""
        self._port = ports.free_port()
        self.worker = StreamWorker(
            self.kafka, StreamsSettings(health=HealthSettings(port=self._port)), self._folder
        )

    def publish_jobs(self, jobs: range) -> None:
        """Write jobs."""
        write(self.kafka, *(NewRecord(ANALYSIS_JOBS, encode(_job(number)), b"%d" % number) for number in jobs))

    def has_done(self, jobs: range) -> bool:
        """Whether the change log has the result of each."""
        done = {value["job"] for value in decoded(read(self.kafka, RAW)) if value["kind"] == "result"}
        return {_job(number).job for number in jobs} <= done

    def has_folded(self) -> bool:
        """Whether its position is in the log."""
        return any(position["next_offset"] != 0 for position in decoded(read(self.kafka, POSITIONS)))

    def unready(self) -> str:
        """Why it does not do its work."""
        answer = httpx.get(f"http://127.0.0.1:{self._port}/health/ready", timeout=5).json()
        return " ".join(answer["problems"].values())

    def reported(self) -> str:
        """What is wrong, as it reports it."""
        beats = [report for report in decoded(read(self.kafka, REPORTS)) if report.get("status") == "error"]
        return str(beats[-1]["message"]) if beats else ""

    def ended_with(self) -> str:
        """Waits for its end; the line."""
        wait_until(lambda: self.worker.died is not None, TOLD_SECONDS, what="the worker to end")
        assert self.worker.died == SOFTWARE
        (line,) = (line for line in self.worker.log.read_text().splitlines() if "ending hard" in line)
        return line


def _job(number: int) -> Job:
    return Job(
        job=f"job-{number}", media_id=number + 1, library="home", root="movies", site="main", path="a.mp3",
        file=a_file(1, 1_000), media_type="audio",
    )  # fmt: skip


CHANGES = ("log anew", "jobs anew", "jobs anew, killed", "log gone", "log cut and extended")


@pytest.fixture(scope="module")
def workers(broker: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Worked]]:
    """A worker for each change, each of which is made at once: their minutes are the same minute."""
    with ExitStack() as ended:
        found: dict[str, Worked] = {}
        for name in CHANGES:
            found[name] = worked = Worked(broker, tmp_path_factory.mktemp("worker"))
            ended.callback(_end, worked)
        for worked in found.values():
            wait_until(lambda w=worked: w.has_done(BEFORE) and w.has_folded(), DONE_SECONDS, what="the first jobs")  # type: ignore[misc]
        found["log anew"].operator.make_anew(RAW)
        for name in ("jobs anew", "jobs anew, killed"):
            found[name].operator.make_anew(ANALYSIS_JOBS)
        found["log gone"].operator.delete(RAW)
        cut = found["log cut and extended"]
        lane = next(record.partition for record in read(cut.kafka, RAW))
        cut.operator.delete_records(RAW, lane, 2)
        cut.operator.extend(RAW, cut.kafka.lanes + 2)
        found["log anew"].publish_jobs(AFTER)
        for name in ("jobs anew", "jobs anew, killed"):
            found[name].publish_jobs(AFTER)
        found["jobs anew, killed"].worker.kill()
        found["jobs anew, killed"].start()
        yield found


def _end(worked: Worked) -> None:
    if worked.worker.died is None:
        worked.worker.kill()


def test_a_change_log_made_anew_ends_the_worker_and_is_not_folded_onto_the_old_one(
    workers: dict[str, Worked],
) -> None:
    worked = workers["log anew"]
    assert f"{RAW.name} was made anew: its epoch was" in worked.ended_with()
    worked.start()
    wait_until(lambda: "log_epoch_changed" in worked.unready(), TOLD_SECONDS, what="it to say so")


def test_of_a_topic_of_jobs_made_anew_and_grown_past_the_old_place_every_job_is_done(
    workers: dict[str, Worked],
) -> None:
    worked = workers["jobs anew"]
    assert f"{ANALYSIS_JOBS.name} was made anew: its epoch was" in worked.ended_with()
    worked.start()
    wait_until(lambda: worked.has_done(AFTER), DONE_SECONDS, what="the jobs of the new topic")


def test_a_worker_that_was_killed_before_it_noticed_does_every_job_of_the_new_topic(
    workers: dict[str, Worked],
) -> None:
    worked = workers["jobs anew, killed"]
    wait_until(lambda: worked.has_done(AFTER), DONE_SECONDS, what="the jobs of the new topic")


def test_a_change_log_that_is_gone_makes_the_worker_unready(workers: dict[str, Worked]) -> None:
    worked = workers["log gone"]
    line = f"{worked.kafka.name(RAW)} is not there: run `catalogizer topics apply`"
    wait_until(lambda: line in worked.unready(), TOLD_SECONDS, what="it to say so")


def test_records_deleted_and_partitions_added_are_published(workers: dict[str, Worked]) -> None:
    worked = workers["log cut and extended"]
    name, lanes = worked.kafka.name(RAW), worked.kafka.lanes
    wait_until(lambda: f"records of {name} were deleted" in worked.reported(), TOLD_SECONDS, what="it to say so")
    assert f"{name} has {lanes + 2} partitions and was declared with {lanes}" in worked.reported()
    worked.publish_jobs(AFTER)
    wait_until(lambda: worked.has_done(AFTER), DONE_SECONDS, what="it to go on")
    assert worked.worker.end() == 0
    worked.start()
    wait_until(lambda: "log_truncated" in worked.unready(), TOLD_SECONDS, what="it to say so")
