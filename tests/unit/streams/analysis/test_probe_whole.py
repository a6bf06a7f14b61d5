"""A missing end of a file is reported, and a complete file is never reported as truncated."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.found import MediaType
from tests.support import containers, media
from tests.support.probing import found, read


def cut(path: Path, share: float) -> Path:
    return media.truncated(path, share)


WHOLES: list[tuple[MediaType, str, Callable[[Path], Path]]] = [
    ("video", "a.mp4", lambda path: containers.film(path, container={"movflags": "+faststart"})),
    ("video", "a.mov", lambda path: containers.film(path, container={"movflags": "+faststart"})),
    ("video", "a.mkv", containers.film),
    ("video", "a.webm", lambda path: containers.film(path, "libvpx-vp9", options={"deadline": "realtime", "cpu-used": "8"})),
    ("video", "a.avi", lambda path: containers.film(path, "mpeg4")),
    ("audio", "a.mp3", lambda path: media.song(path, 4.0)),
    ("audio", "b.mp3", lambda path: media.song(path, 2.0, cover=False)),
    ("audio", "a.wav", lambda path: media.sound(path, "pcm_s16le", {})),
    ("audio", "a.aiff", lambda path: media.sound(path, "pcm_s16be", {})),
    ("audio", "a.wma", lambda path: media.sound(path, "wmav2", {}, 2.0)),
    ("audio", "a.dsf", lambda path: containers.dsf(path, {"TIT2": "Nordlicht"})),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "make"), WHOLES)
@pytest.mark.parametrize("share", [0.51, 0.8])
def test_a_file_that_lost_its_end_is_done_with_a_warning(
    tmp_path: Path, kind: MediaType, name: str, make: Callable[[Path], Path], share: float
) -> None:
    path = make(tmp_path / name)
    whole = found(path, kind)
    assert whole.warnings == ()
    has = found(cut(path, share), kind)
    (warning,) = [w for w in has.warnings if w.startswith("its end is missing")]
    percent = int(warning.removeprefix("its end is missing: ").removesuffix(" % of it is there"))
    assert abs(percent - share * 100) <= (12 if name == "a.mp3" else 3)  # a song's cover is not counted
    assert (has.container, has.audio_codec, has.video_codec) == (
        whole.container,
        whole.audio_codec,
        whole.video_codec,
    )


OTHER_WHOLES: list[tuple[MediaType, str, Callable[[Path], Path]]] = [
    ("video", "a.mp4", lambda path: containers.film(path, container={"movflags": "+frag_keyframe+empty_moov"})),
    ("video", "b.mp4", containers.film),
    ("video", "a.mkv", lambda path: containers.film(path, container={"live": "1"})),
    ("video", "a.ts", containers.film),
    ("video", "a.mpg", lambda path: containers.film(path, "mpeg2video")),
    ("video", "a.flv", containers.film),
    ("audio", "a.opus", lambda path: media.sound(path, "libopus", {})),
    ("audio", "a.wma", lambda path: media.sound(path, "wmav2", {})),
    ("audio", "a.mp3", lambda path: with_id3v1(media.song(path, 1.0))),
    ("audio", "a.wav", lambda path: streamed(media.sound(path, "pcm_s16le", {}))),
]  # fmt: skip


def with_id3v1(path: Path) -> Path:
    path.write_bytes(path.read_bytes() + b"TAG" + bytes(125))
    return path


def streamed(path: Path) -> Path:
    """As it comes out of a pipe."""
    data = bytearray(path.read_bytes())
    at = data.index(b"data")
    data[4:8] = data[at + 4 : at + 8] = b"\xff" * 4
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(("kind", "name", "make"), OTHER_WHOLES)
def test_a_file_that_is_whole_is_never_called_otherwise(
    tmp_path: Path, kind: MediaType, name: str, make: Callable[[Path], Path]
) -> None:
    assert found(make(tmp_path / name), kind).warnings == ()


def test_a_recording_that_was_cut_anywhere_is_done(tmp_path: Path) -> None:
    """A transport stream that begins in the middle of a group of pictures, and one without any key frame but the first."""
    path = containers.film(tmp_path / "a.ts", frames=260, gop=250, size=(64, 36))
    data = path.read_bytes()
    for at in (188 * 3, 188 * 10 + 77, len(data) // 3, len(data) // 2):
        path.write_bytes(data[at:])
        assert found(path).video_codec == "h264"
    path = containers.film(
        tmp_path / "b.ts", frames=60, gop=25, size=(128, 72), options={"x264-params": "intra-refresh=1"}
    )
    data = path.read_bytes()
    path.write_bytes(data[len(data) // 3 :])
    assert found(path).video_codec == "h264"


def test_a_film_whose_table_is_lost_has_failed_in_words(tmp_path: Path) -> None:
    reply = read(cut(media.video(tmp_path / "a.mp4", 0.4), 0.5), "video")
    assert reply.status == "failed"
    words = r"its end is missing: [56][0-9] % of it is there, and nothing can be read without it"
    assert re.fullmatch(words, reply.reason or "")
