"""Films as large as there are, and songs with more in them than any, are read within what a child is given, one after the
other."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from schemas.found import MediaType
from streams.analysis.children import Children
from streams.analysis.wire import Reply, Request
from streams.settings import AnalysisSettings
from tests.support import containers, media

LARGEST: dict[str, tuple[str, str, dict[str, str]]] = {
    "h264": ("libx264", "yuv420p", {"preset": "ultrafast"}),
    "hevc": ("libx265", "yuv420p10le", {"preset": "ultrafast", "x265-params": "pools=none:log-level=none"}),
    "av1": ("libsvtav1", "yuv420p10le", {"preset": "12"}),
    "prores": ("prores", "yuv422p10le", {}),
}


def probed(paths: Sequence[Path], kind: MediaType) -> list[Reply]:
    """By one child with the memory and the time that it has where nobody sets others."""

    async def main() -> list[Reply]:
        children = Children(AnalysisSettings(workers=1))
        await children.start()
        try:
            return [await _ask(children, path, kind) for path in paths]
        finally:
            await children.stop()

    return asyncio.run(main())


async def _ask(children: Children, path: Path, kind: MediaType) -> Reply:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return await children.probe(Request(kind, path.name), descriptor)
    finally:
        os.close(descriptor)


def test_films_of_8k_have_their_size_and_their_picture(tmp_path: Path) -> None:
    paths = [
        containers.film(
            tmp_path / f"{name}.mkv", codec, frames=2, size=(7680, 4320), pixels=pixels, options=options
        )
        for name, (codec, pixels, options) in LARGEST.items()
    ]
    for path, reply in zip(paths * 2, probed(paths * 2, "video"), strict=True):
        assert (reply.status, reply.reason) == ("done", None)
        assert reply.found is not None
        found = reply.found
        assert (found.video_codec, found.width, found.height, found.quality) == (path.stem, 7680, 4320, "4320p")
        assert found.warnings == ()
        assert reply.picture is not None
        assert (reply.picture.width, reply.picture.height) == (480, 270)


def test_a_song_with_a_cover_of_two_hundred_megabytes_is_read_without_it(tmp_path: Path) -> None:
    path = media.song(tmp_path / "a.mp3", cover=False)
    picture = b"\3image/jpeg\0\3\0" + bytes(200_000_000)
    head = b"APIC" + containers.synchsafe(len(picture)) + b"\0\0"
    tag = b"ID3\4\0\0" + containers.synchsafe(len(head) + len(picture)) + head + picture
    path.write_bytes(tag + path.read_bytes())
    (reply,) = probed([path], "audio")
    assert (reply.status, reply.reason, reply.picture) == ("done", None, None)
    assert reply.found is not None
    assert reply.found.warnings == ("a picture in it is not read: it is too large",)
