"""Films as large as there are, and songs with more in them than any, are read within what a child is given."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from schemas.found import MediaType
from streams.analysis.children import Children
from streams.analysis.wire import Reply, Request
from streams.settings import AnalysisSettings
from tests.support import containers, media


def probed(path: Path, kind: MediaType) -> Reply:
    """By a child with the memory and the time that are set where nobody sets others."""

    async def main() -> Reply:
        children = Children(AnalysisSettings(workers=1))
        await children.start()
        descriptor = os.open(path, os.O_RDONLY)
        try:
            return await children.probe(Request(kind, path.name), descriptor)
        finally:
            os.close(descriptor)
            await children.stop()

    return asyncio.run(main())


@pytest.mark.parametrize(("codec", "name", "pixels", "options"), [
    ("libx264", "h264", "yuv420p", {"preset": "ultrafast"}),
    ("libx265", "hevc", "yuv420p10le", {"preset": "ultrafast", "x265-params": "pools=none:log-level=none"}),
    ("libsvtav1", "av1", "yuv420p10le", {"preset": "12"}),
    ("prores", "prores", "yuv422p10le", {}),
])  # fmt: skip
def test_a_film_of_8k_has_its_size_and_its_picture(
    tmp_path: Path, codec: str, name: str, pixels: str, options: dict[str, str]
) -> None:
    path = containers.film(tmp_path / "a.mkv", codec, frames=2, size=(7680, 4320), pixels=pixels, options=options)
    reply = probed(path, "video")
    assert (reply.status, reply.reason) == ("done", None)
    assert reply.found is not None
    found = reply.found
    assert (found.video_codec, found.width, found.height, found.quality) == (name, 7680, 4320, "4320p")
    assert found.warnings == ()
    assert reply.picture is not None
    assert (reply.picture.width, reply.picture.height) == (480, 270)


def test_a_song_with_a_cover_of_two_hundred_megabytes_is_read_without_it(tmp_path: Path) -> None:
    path = media.song(tmp_path / "a.mp3", cover=False)
    picture = b"\3image/jpeg\0\3\0" + os.urandom(200_000_000)
    head = b"APIC" + containers.synchsafe(len(picture)) + b"\0\0"
    tag = b"ID3\4\0\0" + containers.synchsafe(len(head) + len(picture)) + head + picture
    path.write_bytes(tag + path.read_bytes())
    reply = probed(path, "audio")
    assert (reply.status, reply.reason, reply.picture) == ("done", None, None)
    assert reply.found is not None
    assert reply.found.warnings == ("a picture in it is not read: it is too large",)
