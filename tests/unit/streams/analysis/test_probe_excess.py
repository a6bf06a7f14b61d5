"""However much there is in a file, it is read as far as is bounded."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import mutagen.mp4
import pytest
from msgspec import json

from schemas.found import AudioTrack, Chapter, Found, SubtitleTrack, Tags
from streams.analysis.probe import excess, tags, text, tracks, view
from tests.support import containers, media
from tests.support.probing import found, read

mp4: Any = mutagen.mp4


def test_a_hundred_thousand_tags_are_read_as_far_as_is_bounded(tmp_path: Path) -> None:
    path = containers.crowded(media.song(tmp_path / "a.mp3", cover=False), 100_000)
    began = time.monotonic()
    has = found(path, "audio")
    assert time.monotonic() - began < 2
    assert has.tags is not None
    assert (has.tags.title, has.tags.artist) == ("Nordlicht", "Die Ålande")
    assert has.warnings == (excess.TOO_MANY,)


CROWDED: list[tuple[str, str]] = [
    ("flac", "flac"), ("opus", "libopus"), ("m4a", "aac"), ("mka", "flac"), ("wv", "wavpack"), ("wma", "wmav2"),
    ("aiff", "pcm_s16be"),
]  # fmt: skip


@pytest.mark.parametrize(("extension", "codec"), CROWDED)
def test_too_many_tags_are_no_reason_to_wait_in_any_container(tmp_path: Path, extension: str, codec: str) -> None:
    many = {f"K{number:05}": "v" for number in range(excess.MAX_TAGS + 2_000)}
    path = tmp_path / f"a.{extension}"
    if extension == "m4a":
        atoms = mp4.MP4(media.sound(path, codec, {"title": "Nordlicht"}))
        atoms.update({f"----:com.apple.iTunes:{name}": b"v" for name in many})
        atoms.save()
    else:
        media.sound(path, codec, {"title": "Nordlicht"} | many)
    has = found(path, "audio")
    assert has.warnings == (excess.NONE if extension == "mka" else excess.TOO_MANY,)
    assert (has.duration_ms or 0) >= 500


def test_more_chapters_than_anybody_makes_are_left_out(tmp_path: Path) -> None:
    atom = containers.element(b"\xb6", containers.element(b"\x73\xc4", b"\1") + containers.element(b"\x91", b"\0"))
    edition = containers.element(b"\x45\xb9", atom * 50_000)
    path = containers.film(tmp_path / "a.mkv", container={"live": "1"})
    data = path.read_bytes()
    at = data.index(b"\x1f\x43\xb6\x75")
    path.write_bytes(data[:at] + containers.element(b"\x10\x43\xa7\x70", edition) + data[at:])
    assert found(path).warnings == (excess.CHAPTERS,)


def test_a_cover_of_thirty_megabytes_is_left_out(tmp_path: Path) -> None:
    path = media.song(tmp_path / "a.mp3", cover=False)
    picture = b"\3image/jpeg\0\3\0" + os.urandom(30_000_000)
    frames = (
        b"TIT2"
        + containers.synchsafe(5)
        + b"\0\0\3Nord"
        + b"APIC"
        + containers.synchsafe(len(picture))
        + b"\0\0"
        + picture
    )
    path.write_bytes(b"ID3\4\0\0" + containers.synchsafe(len(frames)) + frames + path.read_bytes())
    reply = read(path, "audio")
    assert (reply.status, reply.picture) == ("done", None)
    assert reply.found is not None
    assert reply.found.tags is not None
    assert (reply.found.tags.title, reply.found.warnings) == ("Nord", (excess.TOO_LARGE,))


def test_a_cover_that_cannot_be_read_decides_nothing_else(tmp_path: Path) -> None:
    path = media.song(tmp_path / "a.mp3", cover=False)
    picture = b"\3image/jpeg\0\3\0\xff\xd8\xff" + bytes(500)
    frame = b"APIC" + containers.synchsafe(len(picture)) + b"\0\0" + picture
    path.write_bytes(b"ID3\4\0\0" + containers.synchsafe(len(frame)) + frame + path.read_bytes())
    reply = read(path, "audio")
    assert (reply.status, reply.picture) == ("done", None)
    assert found(path, "audio").warnings == ("its cover cannot be read",)


def test_a_hole_is_not_searched_to_its_end(tmp_path: Path) -> None:
    path = containers.film(tmp_path / "a.mkv")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"\x1f\x43\xb6\x75")])
    os.truncate(path, 4 << 30)
    began = time.monotonic()
    reply = read(path, "video")
    assert time.monotonic() - began < view.MAX_SECONDS
    assert reply.reason == "what it holds was not found in the part of it that is read"


def test_all_that_can_be_found_fits_into_a_record() -> None:
    """Every list full, every text as long as it may be, of characters of four bytes."""
    long, title = "\U00020000" * text.MAX_TEXT, tags.title_of({"title": "\U00020000" * 400})
    tongue = "a" * text.MAX_LANGUAGE
    told: dict[str, Any] = {name: long for name in Tags.__struct_fields__ if "str" in Tags.__annotations__[name]}
    has = Found(
        languages=(tongue,) * 50, subtitles=(tongue,) * 50, tags=Tags(**told),
        audio_tracks=(AudioTrack("c" * 60, tongue, 99, title, True, True),) * tracks.MAX_TRACKS,
        subtitle_tracks=(SubtitleTrack("c" * 60, tongue, title, True, True, True),) * tracks.MAX_TRACKS,
        chapters=(Chapter(text.MAX_NUMBER, title),) * tracks.MAX_CHAPTERS,
    )  # fmt: skip
    assert len(json.encode(has)) < 60_000


def test_what_is_nested_without_end_is_not_walked_to_its_end(tmp_path: Path) -> None:
    nothing = b"\xec\x80" * 3_000
    many = containers.element(b"\x12\x54\xc3\x67", containers.element(b"\x73\x73", nothing) * 3_000)
    path = containers.film(tmp_path / "a.mkv", container={"live": "1"})
    data = path.read_bytes()
    at = data.index(b"\x1f\x43\xb6\x75")
    path.write_bytes(data[:at] + many + data[at:])
    began = time.monotonic()
    assert found(path).warnings == (excess.NONE,)
    assert time.monotonic() - began < 2
