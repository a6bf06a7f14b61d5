"""Files on a real share are probed by a real, confined child, as those of a disk are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from cli.up.demo import media
from producer.backends.smb.backend import SmbBackend
from schemas.analysis import Job
from schemas.found import MediaType
from schemas.raw import FileState
from storage.share import Share
from streams.analysis.analyst import Analyst, JobOutcome
from streams.analysis.children import Children
from streams.analysis.shares import Shares
from streams.settings import AnalysisSettings
from tests.support.samba import Samba, samba

__all__ = ["samba"]

FILM, PICTURE, SONG = "Film (1999) 1080p.mkv", "poster.jpg", "01 Song.flac"
KINDS: dict[str, MediaType] = {FILM: "video", PICTURE: "image", SONG: "audio"}


@pytest.fixture
def share(samba: Samba, tmp_path: Path) -> Share:
    folder = samba.served["media"] / tmp_path.name
    folder.mkdir()
    media.video(folder / FILM, 1)
    media.picture(folder / PICTURE, 2, "A film")
    media.audio(folder / SONG, 3, {"title": "Song", "artist": "Somebody"})
    return samba.share(tmp_path.name)


@pytest.fixture
def shares() -> Iterator[Shares]:
    shares = Shares(patience_seconds=0)
    yield shares
    shares.close()


def job(share: Share, name: str) -> Job:
    """A job as the fold requests it for what the producer has observed."""
    backend = SmbBackend(share)
    with backend.open() as tree:
        state = tree.stat(name)
    backend.close()
    return Job(
        job=name, media_id=1, library="home", root="nas", site="main", path=name, media_type=KINDS.get(name, "video"),
        file=state or FileState("file", 1, 1, 1, 1),
    )  # fmt: skip


def analysed(place: Share | Path, shares: Shares, *jobs: Job) -> list[JobOutcome]:
    async def run() -> list[JobOutcome]:
        children = Children(AnalysisSettings(workers=2))
        await children.start()
        try:
            analyst = Analyst({"nas": place}.get, children, shares)
            return list(await asyncio.gather(*(analyst.analyse(one) for one in jobs)))
        finally:
            await children.stop()

    return asyncio.run(run())


def test_what_is_found_on_a_share_is_what_is_found_on_the_disk(samba: Samba, share: Share, shares: Shares) -> None:
    over = analysed(share, shares, *(job(share, name) for name in KINDS))
    disk = samba.served["media"] / share.folder
    local = []
    for name in KINDS:
        status = (disk / name).stat()
        file = FileState("file", status.st_size, status.st_mtime_ns, status.st_dev, status.st_ino)
        local.append(structs.replace(job(share, name), file=file))
    beside = analysed(disk, shares, *local)
    assert [outcome.status for outcome in over] == ["done"] * 3
    assert [outcome.found for outcome in over] == [outcome.found for outcome in beside]
    assert [outcome.cover for outcome in over] == [outcome.cover for outcome in beside]


def test_what_is_no_file_below_the_root_is_unreadable(samba: Samba, share: Share, shares: Shares) -> None:
    (samba.served["media"] / share.folder / "up").symlink_to("..")
    asked = job(share, FILM)
    paths = (
        "../other.mkv",
        "none.mkv",
        f"up/{share.folder}/{FILM}",
        "up",
        "",
        "a\\b",
        "half \udced",
    )
    outcomes = analysed(share, shares, *(structs.replace(asked, job=path, path=path) for path in paths))
    assert [outcome.status for outcome in outcomes] == ["unreadable"] * len(paths)


def test_a_file_that_is_another_one_by_now_is_not_probed(samba: Samba, share: Share, shares: Shares) -> None:
    asked = job(share, PICTURE)
    media.picture(samba.served["media"] / share.folder / PICTURE, 9, "Another film")
    (outcome,) = analysed(share, shares, asked)
    assert (outcome.status, outcome.reason) == ("unreadable", "the file has changed since the job was asked")


def test_a_share_that_does_not_answer_ends_the_job_and_the_next_one_is_read(
    samba: Samba, share: Share, shares: Shares
) -> None:
    asked = job(share, PICTURE)
    samba.kill()
    (outcome,) = analysed(share, shares, asked)
    samba.start()
    assert outcome.status == "unreadable"
    assert outcome.reason is not None
    assert outcome.reason.startswith("the share cannot be read: 127.0.0.1")
    (outcome,) = analysed(share, shares, asked)
    assert outcome.status == "done"
