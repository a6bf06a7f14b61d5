"""The demo library is made of real files: each opens as the type in its name."""

from __future__ import annotations

import zipfile
from pathlib import Path

import av
import mutagen
import pytest
from PIL import Image

from cli.up.demo import library as demo
from cli.up.state import DEMO_ROOTS, StateFolder

VIDEOS = {".mkv", ".mp4"}
SOUNDS = {".flac", ".mp3", ".ogg", ".m4a"}
PICTURES = {".jpg", ".png", ".webp"}
BOOKS = {".epub", ".cbz"}


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> StateFolder:
    """A state folder with the library in it."""
    state = StateFolder(tmp_path_factory.mktemp("demo"))
    demo.make(state.library)
    return state


def files(state: StateFolder, suffixes: set[str]) -> list[Path]:
    found = [path for path in state.library.rglob("*") if path.suffix in suffixes]
    assert found
    return found


def test_there_are_some_thirty_files_of_every_kind_in_both_roots(state: StateFolder) -> None:
    found = files(state, VIDEOS | SOUNDS | PICTURES | BOOKS | {".srt"})
    assert 28 <= len(found) <= 36
    assert {path.suffix for path in found} == VIDEOS | SOUNDS | PICTURES | BOOKS | {".srt"}
    assert {path.relative_to(state.library).parts[0] for path in found} == set(DEMO_ROOTS)
    assert len({path.read_bytes() for path in found}) == len(found)


def test_every_video_has_a_picture_and_a_sound_that_decode(state: StateFolder) -> None:
    for path in files(state, VIDEOS):
        with av.open(str(path)) as container:
            assert {stream.type for stream in container.streams} == {"video", "audio"}
            assert sum(1 for _ in container.decode(video=0)) >= 12
        with av.open(str(path)) as container:
            assert sum(frame.samples for frame in container.decode(audio=0)) > 40_000


def test_every_sound_decodes_and_has_its_tags(state: StateFolder) -> None:
    for path in files(state, SOUNDS):
        with av.open(str(path)) as container:
            assert sum(frame.samples for frame in container.decode(audio=0)) > 40_000
        tags = mutagen.File(path, easy=True)
        assert tags["artist"]
        assert tags["title"][0] in path.name


def test_every_picture_opens(state: StateFolder) -> None:
    for path in files(state, PICTURES):
        with Image.open(path) as image:
            image.load()
            assert min(image.size) >= 400


def test_the_book_and_the_comic_are_archives_that_begin_as_they_must(state: StateFolder) -> None:
    for path in files(state, {".epub"}):
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            assert archive.namelist()[0] == "mimetype"
            assert archive.read("mimetype") == b"application/epub+zip"
    for path in files(state, {".cbz"}):
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            assert all(name.endswith(".jpg") for name in archive.namelist())


def test_a_making_that_was_killed_is_begun_anew(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    half = state.library / DEMO_ROOTS[0] / "half.mkv"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    demo.make(state.library)
    assert not half.exists()
    assert state.demo_marker.exists()
