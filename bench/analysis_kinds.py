"""Analysis by kind of file: files a second that one probing child reads, its cover included, compared with FFmpeg's own
`ffprobe`, called once for each file, as media managers do; of documents and pictures `ffprobe` reads less, or nothing.

`python -m bench.analysis_kinds [--json] [--seconds S]`: so long for each kind and reader (2). Without an installed ffprobe
(`apt install ffmpeg`) its column is empty."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from schemas.found import MediaType
from streams.analysis import wire
from streams.analysis.children import Children
from streams.settings import AnalysisSettings
from tests.support import books, media, pictures

Make = Callable[[Path], object]

NFO = "<movie><title>Solaris</title><year>1972</year><plot>A station above an ocean.</plot></movie>"


def _written(data: Callable[[], bytes]) -> Make:
    return lambda path: path.write_bytes(data())


def _pages(path: Path) -> object:
    page = media.picture(1_400, 2_000)
    return books.zipped(path, {f"{number:03d}.jpg": page for number in range(24)})


KINDS: tuple[tuple[str, str, MediaType, Make], ...] = (
    ("film, 1080p, 10 s", "film.mp4", "video", lambda path: media.video(path, 10, size=(1_920, 1_080))),
    ("film, 320×180, 2 s", "film.mkv", "video", media.video),
    ("transport stream", "film.ts", "video", lambda path: media.video(path, 4, size=(1_280, 720))),
    ("song with a cover", "song.mp3", "audio", media.song),
    ("song without one", "bare.mp3", "audio", lambda path: media.song(path, cover=False)),
    ("FLAC", "song.flac", "audio", lambda path: media.sound(path, "flac", {"title": "x"}, 60)),
    ("photo, 800×600", "small.jpg", "image", _written(lambda: media.picture(800, 600))),
    ("photo, 24 million pixels", "photo.jpg", "image", _written(lambda: media.picture(6_000, 4_000))),
    ("HEIC, 1,024×768", "photo.heic", "image", _written(lambda: pictures.heic((1_024, 768)))),
    ("EPUB", "book.epub", "book", lambda path: media.book(path, cover=media.picture(600, 900))),
    ("PDF, 17 pages", "book.pdf", "book", _written(lambda: books.pdf(17))),
    ("comic, 24 pages", "comic.cbz", "book", _pages),
    ("facts", "film.nfo", "other", _written(NFO.encode)),
)
"""Description, file name, media type, and how one is made."""


async def ours(path: Path, media_type: MediaType, seconds: float) -> float:
    """Files a second of one child."""
    children = Children(AnalysisSettings(workers=1))
    await children.start()
    try:
        count, began = 0, time.monotonic()
        while (taken := time.monotonic() - began) < seconds:
            descriptor = os.open(path, os.O_RDONLY)
            try:
                reply = await children.probe(wire.Request(media_type, path.name), descriptor)
            finally:
                os.close(descriptor)
            if reply.status != "done" or (reply.found is not None and reply.found.warnings):
                raise RuntimeError(f"{path.name}: {reply}")
            count += 1
    finally:
        await children.stop()
    return count / taken


def theirs(path: Path, seconds: float) -> float | None:
    """Files a second of ffprobe; None where it cannot read such a file at all, or is not installed."""
    program = shutil.which("ffprobe")
    if program is None:
        return None
    words = [program, "-v", "error", "-show_format", "-show_streams", "-of", "json", str(path)]
    count, began = 0, time.monotonic()
    while (taken := time.monotonic() - began) < seconds:
        if subprocess.run(words, capture_output=True, check=False).returncode != 0:
            return None
        count += 1
    return count / taken


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.analysis_kinds", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    table = Table("kind", "files a second", "ffprobe", "times", title="one probing child, its cover included")
    with tempfile.TemporaryDirectory(prefix="catalogizer-bench-") as folder:
        for kind, name, media_type, make in KINDS:
            path = Path(folder) / name
            make(path)
            mine, other = asyncio.run(ours(path, media_type, given.seconds)), theirs(path, given.seconds)
            if given.json:
                print(json.dumps({"kind": kind, "per_second": mine, "ffprobe_per_second": other}), flush=True)
            times = "" if other is None else f"{mine / other:.1f}"
            table.add_row(kind, f"{mine:,.0f}", "" if other is None else f"{other:,.0f}", times)
    if not given.json:
        Console().print(table)


if __name__ == "__main__":
    main()
