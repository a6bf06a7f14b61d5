"""Every analysis job ends in a result, whatever its file is and whatever happens to the worker."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from runtime.kafka import Kafka
from schemas.analysis import Job
from schemas.codec import encode
from schemas.lanes import lane_of
from schemas.media import MediaType
from schemas.paths import to_wire
from schemas.topics import ANALYSIS_JOBS, COVERS, JOB_PARTITIONS, RAW
from streams.settings import AnalysisSettings, StreamsSettings
from tests.support import media
from tests.support.stream_worker import StreamWorker, working
from tests.support.topic import Said, decoded, read, write
from tests.support.waiting import wait_until

LIBRARY = "home"


def settings(root: Path, **more: object) -> StreamsSettings:
    analysis = AnalysisSettings(roots={"movies": root}, seconds=30)
    return StreamsSettings(analysis=analysis.model_copy(update=more))


def job(number: int, path: Path, kind: MediaType = "video", *, root: str = "movies", site: str = "main") -> Job:
    name, b64 = to_wire(path.name)
    return Job(
        job=f"job-{number}", media_id=number, library=LIBRARY, root=root, site=site, path=name, path_b64=b64,
        file=media.state_of(path), media_type=kind,
    )  # fmt: skip


def ask(kafka: Kafka, *jobs: Job) -> None:
    write(
        kafka,
        *(
            Said(ANALYSIS_JOBS, encode(job), str(job.media_id).encode(), job.media_id % JOB_PARTITIONS)
            for job in jobs
        ),
    )


def results(kafka: Kafka) -> list[dict[str, object]]:
    return [value for value in decoded(read(kafka, RAW)) if value["kind"] == "result"]


def ended(kafka: Kafka) -> set[object]:
    return {result["job"] for result in results(kafka)}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "movies"
    root.mkdir()
    return root


def test_a_file_is_told_to_the_lane_of_its_library_and_its_cover_before_it(
    kafka: Kafka, root: Path, tmp_path: Path
) -> None:
    film = media.video(root / "The.Long.Voyage.2004.mkv", 0.5)
    with working(kafka, settings(root), tmp_path):
        ask(kafka, job(1, film))
        wait_until(lambda: ended(kafka) == {"job-1"}, 20, what="the result")
    (result,) = results(kafka)
    found = result["found"]
    assert isinstance(found, dict)
    assert (result["status"], result["media_id"], found["title"]) == ("done", 1, "The Long Voyage")
    (told,) = [record for record in read(kafka, RAW) if b'"result"' in (record.value or b"")]
    (cover,) = read(kafka, COVERS)
    assert (told.key, told.partition) == (b"home", lane_of(LIBRARY, kafka.lanes))
    assert cover.key == str(found["cover"]).encode()
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
    "failed: Invalid data found when processing input": lambda root: job(
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


def test_every_hostile_file_ends_in_a_result_and_the_worker_lives(
    kafka: Kafka, root: Path, tmp_path: Path
) -> None:
    jobs = {said: make(root) for said, make in HOSTILE.items()}
    link, good = _linked(root), job(99, media.song(root / "good.mp3"), "audio")
    with working(kafka, settings(root), tmp_path) as worker:
        ask(kafka, *jobs.values(), link, good)
        wait_until(lambda: len(ended(kafka)) == len(jobs) + 2, 60, what="all results")
        assert worker.died is None
    told = {result["job"]: f"{result['status']}: {result.get('reason')}" for result in results(kafka)}
    assert {asked.job: told[asked.job] for asked in jobs.values()} == {
        asked.job: said for said, asked in jobs.items()
    }
    assert told[link.job] == "unreadable: not a regular file"
    assert told[good.job] == "done: None"


def test_jobs_of_other_sites_are_not_ours(kafka: Kafka, root: Path, tmp_path: Path) -> None:
    song = media.song(root / "a.mp3")
    with working(kafka, settings(root), tmp_path):
        ask(kafka, job(12, song, "audio", site="attic"), job(24, song, "audio"))
        wait_until(lambda: ended(kafka) == {"job-24"}, 20, what="our result")


def test_a_child_killed_in_the_middle_costs_one_result_at_most(kafka: Kafka, root: Path, tmp_path: Path) -> None:
    films = [job(n, media.video(root / f"{n}.mkv", 0.4)) for n in range(30)]
    with working(kafka, settings(root), tmp_path) as worker:
        ask(kafka, *films)
        wait_until(lambda: len(ended(kafka)) >= 3, 20, what="work in flight")
        for child in worker.children:
            child.kill()
        wait_until(lambda: len(ended(kafka)) == len(films), 40, what="all results")
    bad = [result.get("reason") for result in results(kafka) if result["status"] != "done"]
    assert len(bad) <= 2
    assert set(bad) <= {"the probe was ended by SIGKILL"}


def test_every_job_ends_although_its_worker_is_killed_again_and_again(
    kafka: Kafka, root: Path, tmp_path: Path
) -> None:
    films = [job(n, media.video(root / f"{n}.mkv", 0.4)) for n in range(60)]
    ask(kafka, *films)
    for _ in range(4):
        worker = StreamWorker(kafka, settings(root), tmp_path)
        before = len(ended(kafka))
        wait_until(lambda before=before: len(ended(kafka)) > before, 20, what="work in flight")  # type: ignore[misc]
        children = worker.children
        worker.kill()
        _, alive = psutil.wait_procs(children, timeout=5)
        assert alive == []
    with working(kafka, settings(root), tmp_path):
        wait_until(lambda: len(ended(kafka)) == len(films), 60, what="all results")
    assert {result["status"] for result in results(kafka)} == {"done"}


def test_after_a_clean_stop_no_job_comes_again(kafka: Kafka, root: Path, tmp_path: Path) -> None:
    songs = [job(n, media.song(root / f"{n}.mp3", 0.2), "audio") for n in range(20)]
    with working(kafka, settings(root), tmp_path):
        ask(kafka, *songs)
        wait_until(lambda: len(ended(kafka)) == len(songs), 30, what="all results")
    with working(kafka, settings(root), tmp_path):
        ask(kafka, job(77, root / "0.mp3", "audio"))
        wait_until(lambda: "job-77" in ended(kafka), 20, what="the next result")
    assert set(Counter(result["job"] for result in results(kafka)).values()) == {1}
