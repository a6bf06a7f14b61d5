"""Every job ends in an outcome, and the outcome is of the file that was meant."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec import structs

from schemas.analysis import Job
from schemas.found import Found
from schemas.paths import to_wire
from streams.analysis.analyst import Analyst, JobOutcome, result
from streams.analysis.wire import Picture, Reply, Request, failed
from tests.support.media import state_of
from tests.support.processes import descriptors


@dataclass
class Prober:
    """The prober's port: returns a given reply, and does something to the file meanwhile."""

    reply: Reply = Reply("done", None, Found(width=1))  # noqa: RUF009
    meanwhile: Callable[[], object] = lambda: None
    asked: list[Request] = field(default_factory=list)

    async def probe(self, request: Request, descriptor: int, seconds: float | None = None) -> Reply:
        assert os.fstat(descriptor).st_size > 0
        self.asked.append(request)
        self.meanwhile()
        return self.reply


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / os.fsdecode(b"caf\xe9.mkv")
    path.write_bytes(b"film")
    return path


def job(path: Path, root: str = "movies") -> Job:
    name, b64 = to_wire(path.name)
    return Job(
        job="j", media_id=5, library="home", root=root, site="main", path=name, path_b64=b64,
        file=state_of(path), media_type="video",
    )  # fmt: skip


def analyse(path: Path, prober: Prober, *jobs: Job) -> list[JobOutcome]:
    analyst = Analyst({"movies": path.parent}.get, prober)
    outcomes = []
    for one in jobs or (job(path),):
        outcome = asyncio.run(analyst.analyse(one))
        analyst.remember(one, outcome)
        outcomes.append(outcome)
    return outcomes


def test_a_done_job_gives_what_was_found_in_the_file_that_was_meant(path: Path) -> None:
    prober = Prober()
    (outcome,) = analyse(path, prober)
    assert prober.asked == [Request("video", "caf�.mkv")]
    told = result(job(path), outcome)
    state = state_of(path)
    assert (told.status, told.found, told.size) == ("done", Found(width=1), 4)
    assert (told.mtime_ns, told.inode, told.job, told.media_id) == (state.mtime_ns, state.inode, "j", 5)


def test_a_cover_is_known_by_the_hash_of_its_bytes(path: Path) -> None:
    picture = Picture("image/webp", 3, 2, b"data")
    (outcome,) = analyse(path, Prober(Reply("done", None, Found(), picture)))
    assert outcome.cover is not None
    assert outcome.found == Found(cover=outcome.cover.hash)
    assert outcome.cover.hash == hashlib.blake2b(b"data", digest_size=16).hexdigest()


def test_a_failed_probe_is_a_failed_job(path: Path) -> None:
    (outcome,) = analyse(path, Prober(failed("broken")))
    assert (outcome.status, outcome.reason) == ("failed", "broken")


def test_a_root_of_nowhere_is_unreadable(path: Path) -> None:
    (outcome,) = analyse(path, Prober(), job(path, "music"))
    assert (outcome.status, outcome.found) == ("unreadable", None)
    assert "music" in (outcome.reason or "")


def test_what_was_read_of_a_file_that_changes_meanwhile_is_discarded(path: Path) -> None:
    (outcome,) = analyse(path, Prober(meanwhile=lambda: path.write_bytes(b"other film")))
    assert (outcome.status, outcome.reason) == ("unreadable", "the file changed while it was read")


def test_the_same_file_is_probed_once(path: Path) -> None:
    prober = Prober()
    first, second = analyse(path, prober, job(path), structs.replace(job(path), job="other"))
    assert (len(prober.asked), second) == (1, first)


def test_on_request_it_is_probed_whatever_is_known_of_it(path: Path) -> None:
    prober = Prober()
    analyse(path, prober, job(path), structs.replace(job(path), job="other", request=7), job(path))
    assert len(prober.asked) == 2


def test_a_rewritten_file_is_probed_again(path: Path) -> None:
    prober = Prober()
    before = job(path)
    analyst = Analyst({"movies": path.parent}.get, prober)
    analyst.remember(before, asyncio.run(analyst.analyse(before)))
    path.write_bytes(b"another film")
    assert asyncio.run(analyst.analyse(job(path))).status == "done"
    assert len(prober.asked) == 2


def test_no_descriptor_is_left_open(path: Path) -> None:
    before = descriptors()
    analyse(path, Prober(), *(job(path) for _ in range(3)))
    assert descriptors() == before
