"""What a container holds is found, and how it is seen."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from schemas.found import AudioTrack, Chapter, SubtitleTrack
from tests.support import containers, media
from tests.support.probing import found, read


def seen(path: Path) -> tuple[int, int]:
    """The size of its thumbnail."""
    picture = read(path, "video").picture
    assert picture is not None
    return picture.width, picture.height


def test_every_track_is_listed_and_the_one_played_first_speaks_for_all(tmp_path: Path) -> None:
    has = found(containers.tracks(tmp_path / "a.mkv", [(0, "Start"), (200, "End")]))
    assert has.audio_tracks == (
        AudioTrack("aac", "ger", 2),
        AudioTrack("aac", "eng", 2, "Original", default=True),
        AudioTrack("aac", "eng", 2, "With the director " + "x" * 42, commentary=True),
    )
    assert has.subtitle_tracks == (
        SubtitleTrack("subrip", "ger", "Signs", forced=True), SubtitleTrack("subrip", "eng", sdh=True),
    )  # fmt: skip
    assert (has.languages, has.subtitles, has.channels) == (("ger", "eng"), ("ger", "eng"), 2)
    assert has.chapters == (Chapter(0, "Start"), Chapter(200, "End"))
    assert has.warnings == ()


def test_a_book_that_is_read_has_chapters_and_no_more_than_a_record_holds(tmp_path: Path) -> None:
    path = containers.chaptered(tmp_path / "a.m4b", [(index * 5, f"Chapter {index}") for index in range(120)])
    has = found(path, "audio")
    assert (len(has.chapters), has.chapters[1]) == (100, Chapter(5, "Chapter 1"))
    assert has.warnings == ("only the first 100 of its 120 chapters are listed",)


@pytest.mark.parametrize(("transfer", "kind"), [(16, "HDR10"), (18, "HLG"), (1, None)])
def test_the_kind_of_high_dynamic_range_is_that_of_its_transfer_function(
    tmp_path: Path, transfer: int, kind: str | None
) -> None:
    path = containers.film(tmp_path / "a.mp4", transfer=transfer)
    assert (found(path).hdr_kind, found(path).hdr) == (kind, kind is not None)


def test_metadata_that_changes_with_the_scenes_is_hdr10_plus(tmp_path: Path) -> None:
    path = containers.film(
        tmp_path / "a.mkv", "libx265", frames=3, pixels="yuv420p10le", transfer=16,
        before_each=containers.hdr10_plus_message(), options={"x265-params": "log-level=none"},
    )  # fmt: skip
    assert found(path).hdr_kind == "HDR10+"


@pytest.mark.parametrize(("extension", "codec"), [("h264", "libx264"), ("m2v", "mpeg2video")])
def test_a_bare_stream_of_pictures_has_one(tmp_path: Path, extension: str, codec: str) -> None:
    path = containers.film(tmp_path / f"a.{extension}", codec)
    assert (seen(path), found(path).warnings) == ((320, 180), ())


def test_dolby_vision_is_read_by_its_configuration(tmp_path: Path) -> None:
    path = containers.film(
        tmp_path / "a.mp4", "libx265", frames=3, pixels="yuv420p10le", transfer=16,
        options={"x265-params": "log-level=none"},
    )  # fmt: skip
    assert found(path).hdr_kind == "HDR10"
    assert found(containers.dolby_vision(path)).hdr_kind == "Dolby Vision"


def test_a_film_of_wide_pixels_has_the_size_that_is_seen(tmp_path: Path) -> None:
    path = containers.film(
        tmp_path / "a.mkv", size=(720, 576), aspect=Fraction(64, 45), rate=Fraction(24_000, 1_001)
    )
    has = found(path)
    assert (has.width, has.height, has.quality, has.frame_rate) == (1_024, 576, "576p", 23.976)
    assert seen(path) == (480, 270)


def test_a_film_on_its_side_is_upright_though_nothing_of_it_can_be_decoded(tmp_path: Path) -> None:
    path = media.turned(containers.film(tmp_path / "a.mp4"), tmp_path / "b.mp4", 90)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"avc1\0\0\0\0", b"zzz1\0\0\0\0"))
    has = found(path)
    assert (has.width, has.height, has.video_codec) == (180, 320, "zzz1")
    assert has.warnings == ("no picture of it: its codec is not known here",)


def test_the_codec_of_sound_that_nobody_knows_is_said_as_the_container_calls_it(tmp_path: Path) -> None:
    path = media.sound(tmp_path / "a.mka", "flac", {})
    path.write_bytes(path.read_bytes().replace(b"A_FLAC", b"A_NEXT"))
    has = found(path, "audio")
    assert (has.audio_codec, has.duration_ms) == ("A_NEXT", 500)
    assert has.warnings == ("its sound is in a codec that is not known here",)
