"""Every analysis job ends in a result, whatever its file is and whatever happens to the worker."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import psutil
import pytest

from cli.up.embedded.kafka import EmbeddedKafka
from runtime.kafka import Kafka
from schemas.analysis import Job
from schemas.codec import encode
from schemas.found import MediaType
from schemas.lanes import lane_of
from schemas.paths import to_wire
from schemas.topics import ANALYSIS_JOBS, COVERS, JOB_PARTITIONS, RAW
from streams.settings import AnalysisSettings, StreamsSettings
from tests.support import media
from tests.support.stream_worker import Shared, StreamWorker, shared, working
from tests.support.topic import NewRecord, decoded, read, write
from tests.support.waiting import wait_until

LIBRARY = "home"


def settings(root: Path) -> StreamsSettings:
    return StreamsSettings(analysis=AnalysisSettings(roots={"movies": root}, seconds=30))


@pytest.fixture(scope="module")
def running(broker: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    folder = tmp_path_factory.mktemp("worker")
    (folder / "movies").mkdir()
    with shared(broker, settings(folder / "movies"), folder) as running:
        yield running


@pytest.fixture
def movies(running: Shared) -> Path:
    """The root of the running worker."""
    return running.folder / "movies"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root for a worker of the test's own."""
    root = tmp_path / "movies"
    root.mkdir()
    return root


def job(number: int, path: Path, kind: MediaType = "video", *, root: str = "movies", site: str = "main") -> Job:
    name, b64 = to_wire(path.name)
    return Job(
        job=f"job-{number}", media_id=number, library=LIBRARY, root=root, site=site, path=name, path_b64=b64,
        file=media.state_of(path), media_type=kind,
    )  # fmt: skip


def publish_jobs(kafka: Kafka, *jobs: Job) -> None:
    write(
        kafka,
        *(
            NewRecord(ANALYSIS_JOBS, encode(job), str(job.media_id).encode(), job.media_id % JOB_PARTITIONS)
            for job in jobs
        ),
    )


def results(kafka: Kafka) -> dict[object, dict[str, object]]:
    """By job; the last one of each."""
    return {value["job"]: value for value in decoded(read(kafka, RAW)) if value["kind"] == "result"}


def wait_for(kafka: Kafka, jobs: Iterable[Job]) -> list[dict[str, object]]:
    """The results of these jobs, in their order."""
    wanted = [job.job for job in jobs]
    wait_until(lambda: results(kafka).keys() >= set(wanted), 60, what="all results", every=0.2)
    found = results(kafka)
    return [found[name] for name in wanted]


def test_a_result_goes_to_the_lane_of_its_library_and_its_cover_before_it(running: Shared, movies: Path) -> None:
    asked = job(1, media.video(movies / "The.Long.Voyage.2004.mkv", 0.5))
    publish_jobs(running.kafka, asked)
    (result,) = wait_for(running.kafka, [asked])
    found = result["found"]
    assert isinstance(found, dict)
    assert (result["status"], result["media_id"], found["video_codec"]) == ("done", 1, "h264")
    (told,) = [record for record in read(running.kafka, RAW) if b'"job-1"' in (record.value or b"")]
    (cover,) = [record for record in read(running.kafka, COVERS) if record.key == str(found["cover"]).encode()]
    assert (told.key, told.partition) == (b"home", lane_of(LIBRARY, running.kafka.lanes))
    assert cover.timestamp <= told.timestamp


def _swapped(root: Path) -> Job:
    path = root / "swapped.mkv"
    path.write_bytes(b"x")
    asked = job(20, path)
    path.unlink()
    os.mkfifo(path)
    return asked


def _vanished(root: Path) -> Job:
    path = root / "vanished.mkv"
    path.write_bytes(b"x")
    asked = job(21, path)
    path.unlink()
    return asked


def _linked(root: Path) -> Job:
    (root.parent / "outside.mkv").write_bytes(b"x")
    (root / "linked.mkv").symlink_to(root.parent / "outside.mkv")
    return job(22, root / "linked.mkv")


def _rewritten(root: Path) -> Job:
    path = root / "rewritten.mkv"
    path.write_bytes(b"x")
    asked = job(23, path)
    path.write_bytes(b"something longer")
    return asked


HOSTILE: dict[str, Callable[[Path], Job]] = {
    "failed: its end is missing: N % of it is there, and nothing can be read without it": lambda root: job(
        10, media.truncated(media.video(root / "cut.mp4", 0.5), 0.4)
    ),
    "failed: OEBPS/book.opf in it is larger than 4194304 bytes": lambda root: job(
        11, media.zip_bomb(root / "bomb.epub", 30_000_000), "book"
    ),
    "done: None": lambda root: job(12, media.huge_png(root / "huge.png"), "image"),
    "unreadable: not a regular file": _swapped,
    "unreadable: the file is not there any more": _vanished,
    "unreadable: the file has changed since the job was asked": _rewritten,
    "unreadable: this site does not know where root music is (streams.analysis.roots)": lambda root: job(
        24, media.huge_png(root / "other.png"), "image", root="music"
    ),
}


def test_every_hostile_file_ends_in_a_result_and_the_worker_lives(running: Shared, movies: Path) -> None:
    link = _linked(movies)
    expected = {said: make(movies) for said, make in HOSTILE.items()}
    good = job(99, media.song(movies / "good.mp3"), "audio")
    publish_jobs(running.kafka, *expected.values(), link, good)
    told = wait_for(running.kafka, [*expected.values(), link, good])
    reasons = [re.sub("[0-9]+ %", "N %", str(result.get("reason"))) for result in told]
    assert [f"{result['status']}: {reason}" for result, reason in zip(told, reasons, strict=True)] == [
        *expected,
        "unreadable: not a regular file",
        "done: None",
    ]
    assert running.worker.died is None


def test_jobs_of_other_sites_are_not_ours(running: Shared, movies: Path) -> None:
    song = media.song(movies / "a.mp3")
    theirs, ours = job(112, song, "audio", site="attic"), job(124, song, "audio")  # both in one partition
    publish_jobs(running.kafka, theirs, ours)
    wait_for(running.kafka, [ours])
    assert theirs.job not in results(running.kafka)


def test_a_child_killed_in_the_middle_costs_one_result_at_most(running: Shared, movies: Path) -> None:
    films = [job(200 + n, media.video(movies / f"{n}.mkv", 0.4)) for n in range(30)]
    publish_jobs(running.kafka, *films)
    wait_until(lambda: bool(results(running.kafka).keys() & {f.job for f in films}), 30, what="work in flight")
    children = running.worker.children
    for child in children:
        child.kill()
    reasons = [result.get("reason") for result in wait_for(running.kafka, films)]
    assert set(reasons) <= {None, "the probe was ended by SIGKILL"}
    assert len([reason for reason in reasons if reason]) <= len(children)


def test_every_job_ends_although_its_worker_is_killed_again_and_again(
    kafka: Kafka, root: Path, tmp_path: Path
) -> None:
    films = [job(n, media.video(root / f"{n}.mkv", 0.4)) for n in range(90)]
    for life in range(3):
        publish_jobs(
            kafka, *films[life * 30 :][:30]
        )  # so that each life has work, however fast the one before was
        before = len(results(kafka))
        worker = StreamWorker(kafka, settings(root), tmp_path)
        wait_until(lambda before=before: len(results(kafka)) > before, 30, what="work in flight")  # type: ignore[misc]
        children = worker.children
        worker.kill()
        _, alive = psutil.wait_procs(children, timeout=5)
        assert alive == []
    with working(kafka, settings(root), tmp_path):
        assert {result["status"] for result in wait_for(kafka, films)} == {"done"}


def test_after_a_clean_stop_no_job_comes_again(kafka: Kafka, root: Path, tmp_path: Path) -> None:
    songs = [job(n, media.song(root / f"{n}.mp3", 0.2), "audio") for n in range(20)]
    after = job(77, root / "0.mp3", "audio")
    with working(kafka, settings(root), tmp_path):
        publish_jobs(kafka, *songs)
        wait_for(kafka, songs)
    with working(kafka, settings(root), tmp_path):
        publish_jobs(kafka, after)
        wait_for(kafka, [after])
    told = Counter(value["job"] for value in decoded(read(kafka, RAW)) if value["kind"] == "result")
    assert set(told.values()) == {1}
