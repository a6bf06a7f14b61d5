"""What a container holds is found, whichever it is and whatever it is called; what is missing of it is said, and what is
whole is never called otherwise."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import mutagen.apev2
import mutagen.asf
import mutagen.mp4
import pytest
from msgspec import json

from schemas.found import AudioTrack, Chapter, Found, MediaType, SubtitleTrack, Tags
from streams.analysis import probe
from streams.analysis.probe import excess, matroska, sniff, tags, text, tracks, view
from streams.analysis.wire import Reply, Request
from tests.support import containers, media

asf: Any = mutagen.asf
mp4: Any = mutagen.mp4

TOLD = {
    "title": "Nordlicht", "artist": "Die Ålande", "album_artist": "Viele", "album": "Fjord", "track": "3/12",
    "disc": "1/2", "date": "2019-05-01", "genre": "Folk", "composer": "Edvard", "publisher": "Verlag",
    "language": "ger", "description": "Im Norden", "narrator": "Ada", "series": "Meere", "series-part": "2.5",
}  # fmt: skip
WHOLE = Tags(
    "Nordlicht", "Die Ålande", "Fjord", 3, 1, "Folk", "2019-05-01", "Viele", "Edvard", 12, 2, "Ada", "Meere", "2.5",
    language="ger", publisher="Verlag", description="Im Norden",
)  # fmt: skip
ID3 = {
    "TIT2": "Nordlicht", "TPE1": "Die Ålande", "TPE2": "Viele", "TALB": "Fjord", "TRCK": "3/12", "TPOS": "1/2",
    "TDRC": "2019-05-01", "TCON": "Folk", "TCOM": "Edvard", "TPUB": "Verlag", "TLAN": "ger", "TDES": "Im Norden",
    "TXXX:NARRATOR": "Ada", "TXXX:SERIES": "Meere", "TXXX:SERIES-PART": "2.5",
}  # fmt: skip


def read(path: Path, kind: MediaType, name: str | None = None) -> Reply:
    with path.open("rb") as file:
        return probe.probe(file, Request(kind, name or path.name))


def found(path: Path, kind: MediaType = "video", name: str | None = None) -> Found:
    reply = read(path, kind, name)
    assert reply.status == "done", reply.reason
    assert reply.found is not None
    return reply.found


def seen(path: Path) -> tuple[int, int]:
    """The size of its thumbnail."""
    picture = read(path, "video").picture
    assert picture is not None
    return picture.width, picture.height


# tags


@pytest.mark.parametrize(("extension", "codec"), [
    ("flac", "flac"), ("opus", "libopus"), ("ogg", "libopus"), ("mka", "flac"), ("aiff", "pcm_s16be"),
    ("mp3", "libmp3lame"), ("wv", "wavpack"), ("tta", "tta"), ("wma", "wmav2"),
])  # fmt: skip
def test_all_tags_of_sound_are_read(tmp_path: Path, extension: str, codec: str) -> None:
    path = media.sound(tmp_path / f"a.{extension}", codec, TOLD)
    assert found(path, "audio").tags == WHOLE


def test_tags_in_front_of_a_file_and_at_its_end_are_read(tmp_path: Path) -> None:
    assert found(containers.dsf(tmp_path / "a.dsf", ID3), "audio").tags == WHOLE
    flac = containers.behind_id3(media.sound(tmp_path / "a.flac", "flac", {}), ID3)
    assert found(flac, "audio").tags == WHOLE
    names = {
        "Title": "Nordlicht",
        "Artist": ["Die Ålande", "Viele"],
        "Year": "2019",
        "Track": "3/12",
        "Album Artist": "V",
    }
    assert found(containers.monkeys_audio(tmp_path / "a.ape", names), "audio").tags == Tags(
        "Nordlicht", "Die Ålande", track=3, tracks=12, date="2019", album_artist="V"
    )


def test_a_song_of_microsofts_has_its_year_and_publisher(tmp_path: Path) -> None:
    path = media.sound(tmp_path / "a.wma", "wmav2", {"title": "Nordlicht"})
    tagged = asf.ASF(path)
    for name, value in (
        ("WM/Year", "2019"),
        ("WM/TrackNumber", "3"),
        ("WM/PartOfSet", "1/2"),
        ("WM/Publisher", "V"),
    ):
        tagged[name] = [value]
    tagged.save()
    assert found(path, "audio").tags == Tags("Nordlicht", track=3, disc=1, discs=2, date="2019", publisher="V")


def test_what_a_wav_can_say_is_read(tmp_path: Path) -> None:
    told = found(media.sound(tmp_path / "a.wav", "pcm_s16le", TOLD), "audio").tags
    assert told is not None
    assert (told.title, told.artist, told.album, told.track, told.date, told.genre) == (
        "Nordlicht", "Die Ålande", "Fjord", 3, "2019-05-01", "Folk",
    )  # fmt: skip


def test_what_an_old_windows_wrote_is_read_as_it_was_meant(tmp_path: Path) -> None:
    path = media.sound(tmp_path / "a.wav", "pcm_s16le", {"title": "Nordlicht", "artist": "Die AElande"})
    path.write_bytes(path.read_bytes().replace(b"Die AElande", b"Die \xc4lande "))
    told = found(path, "audio").tags
    assert told is not None
    assert told.artist == "Die Älande"


def test_an_audiobook_has_its_narrator_and_its_series(tmp_path: Path) -> None:
    path = media.sound(tmp_path / "a.m4a", "aac", {"genre": "Audiobook", "composer": "Ada", "title": "Sea"})
    assert found(path, "audio").tags == Tags("Sea", genre="Audiobook", composer="Ada", narrator="Ada")
    atoms = mp4.MP4(path)
    atoms["\xa9nrt"], atoms["\xa9mvn"], atoms["\xa9mvi"], atoms["\xa9pub"] = "Nell", "Seas", [2], "Press"
    atoms.save()
    seen = found(path, "audio")
    assert seen.tags == Tags(
        "Sea", genre="Audiobook", composer="Ada", narrator="Nell", series="Seas", number="2", publisher="Press"
    )
    assert seen.category == "audiobook"


def test_a_movement_of_a_symphony_is_no_series(tmp_path: Path) -> None:
    path = media.sound(tmp_path / "a.m4a", "aac", {"genre": "Classical", "composer": "Edvard"})
    atoms = mp4.MP4(path)
    atoms["\xa9mvn"] = "Allegro"
    atoms.save()
    assert found(path, "audio").tags == Tags(genre="Classical", composer="Edvard")
    assert found(path, "audio").category == "music"


def test_totals_stand_beside_or_alone(tmp_path: Path) -> None:
    told = {"track": "3", "TRACKTOTAL": "12", "disc": "1", "TOTALDISCS": "2"}
    path = media.sound(tmp_path / "a.flac", "flac", told)
    assert found(path, "audio").tags == Tags(track=3, tracks=12, disc=1, discs=2)


@pytest.mark.parametrize("extension", ["mp4", "mkv"])
def test_an_episode_says_which_it_is(tmp_path: Path, extension: str) -> None:
    told = {
        "title": "Ebb",
        "show": "Tides",
        "season_number": "1",
        "episode_sort": "2",
        "date": "2019",
        "synopsis": "Water.",
    }
    path = containers.film(tmp_path / f"a.{extension}", tags=told)
    assert found(path).tags == Tags("Ebb", show="Tides", season=1, episode=2, date="2019", description="Water.")


def test_an_episode_known_by_its_id_alone_has_a_number(tmp_path: Path) -> None:
    path = containers.film(tmp_path / "a.mp4", tags={"show": "Tides", "episode_id": "S01E07"})
    assert found(path).tags == Tags(show="Tides", episode=7)


def test_a_tag_of_matroska_speaks_of_the_series_the_season_or_the_episode(tmp_path: Path) -> None:
    levels = (70, {"TITLE": "Tides"}), (60, {"PART_NUMBER": "3"}), (50, {"TITLE": "Ebb", "PART_NUMBER": "4"})
    path = containers.tagged_by_level(tmp_path / "a.mkv", *levels)
    assert found(path).tags == Tags("Ebb", show="Tides", season=3, episode=4)


def test_a_song_of_an_album_in_matroska_has_the_title_of_the_song(tmp_path: Path) -> None:
    levels = (30, {"TITLE": "Nordlicht", "PART_NUMBER": "3"}), (50, {"TITLE": "Fjord", "ARTIST": "Die Ålande"})
    path = containers.tagged_by_level(tmp_path / "a.mkv", *levels)
    with path.open("rb") as file:
        said = tags.Said([matroska.tags_by_level(file, 100)])
    assert tags.of_sound(said) == Tags("Nordlicht", "Die Ålande", "Fjord", 3)


def test_a_tag_of_monkeys_audio_behind_an_mp3_is_read(tmp_path: Path) -> None:
    path = media.sound(tmp_path / "a.mp3", "libmp3lame", {})
    ape: Any = mutagen.apev2.APEv2()  # type: ignore[no-untyped-call]
    ape["Title"], ape["Artist"], ape["Track"] = "Nordlicht", ["Die Ålande", "Viele"], "3/12"
    ape.save(path)
    assert found(path, "audio").tags == Tags("Nordlicht", "Die Ålande", track=3, tracks=12)


# tracks and chapters


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


# what is seen


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


def test_dolby_vision_is_told_by_its_configuration(tmp_path: Path) -> None:
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


# what is missing


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
    ("audio", "a.dsf", lambda path: containers.dsf(path, {"TIT2": "Nordlicht"})),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "make"), WHOLES)
@pytest.mark.parametrize("share", [0.51, 0.8])
def test_a_file_that_lost_its_end_is_done_and_says_so(
    tmp_path: Path, kind: MediaType, name: str, make: Callable[[Path], Path], share: float
) -> None:
    path = make(tmp_path / name)
    whole = found(path, kind)
    assert whole.warnings == ()
    has = found(cut(path, share), kind)
    (warning,) = [w for w in has.warnings if w.startswith("its end is missing")]
    said = int(warning.removeprefix("its end is missing: ").removesuffix(" % of it is there"))
    assert abs(said - share * 100) <= (12 if name == "a.mp3" else 3)  # a song's cover is not counted
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


# too much


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


# what it is


def test_sound_under_the_name_of_a_film_is_sound(tmp_path: Path) -> None:
    song = media.sound(tmp_path / "a.m4a", "aac", {"title": "Nordlicht"})
    has = found(song, "video", "a.mp4")
    assert (has.media_type, has.category, has.tags) == ("audio", "music", Tags("Nordlicht"))
    assert found(song, "audio").media_type is None


def test_a_film_under_the_name_of_sound_is_a_film(tmp_path: Path) -> None:
    has = found(containers.film(tmp_path / "a.mp4"), "audio", "a.m4a")
    assert (has.media_type, has.width, has.category) == ("video", 320, None)
    assert found(media.song(tmp_path / "a.mp3"), "audio").media_type is None


@pytest.mark.parametrize("name", ["app.ts", "index.d.mts", "go.mod", "a.m2ts", "x.dat", "list.m3u8", "disc.cue"])
def test_text_under_a_name_that_films_share_is_neither(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("export const name: string = 'Jürgen';\n" * 300, encoding="utf-8")
    assert found(path) == Found(media_type="other")


@pytest.mark.parametrize(("head", "kind"), [
    (b"", "empty"), (b"\xef\xbb\xbfimport x\n\tfrom y\r\n", "text"), ("aä".encode()[:2], "text"),
    (b"\xff\xfea\0b\0", "text"),
    (b"\xc4nderung\n", None), (b"a\0b", None), (b"\x1b[0m", None), (b"%PDF-1.7", "pdf"), (b"PK\3\4" + bytes(30), "zip"),
    (b"PK\3\4" + bytes(26) + b"mimetypeapplication/epub+zip", "epub"), (b"RIFF\0\0\0\0WEBP", "picture"),
    (b"RIFF\0\0\0\0WAVE", "audio"), (b"\0\0\0\x18ftypM4A ", "audio"), (b"\0\0\0\x18ftypheic", "picture"),
    (b"\0\0\0\x18ftypisom", "video"), (b"\x1aE\xdf\xa3", "video"), (b"\xff\xd8\xff\xe0", "picture"),
])  # fmt: skip
def test_a_head_says_what_a_file_is(head: bytes, kind: str | None) -> None:
    assert sniff.kind_of(head) == kind


@pytest.mark.parametrize("name", ["song.mod", "level.dat"])
def test_what_nobody_plays_under_a_name_that_says_nothing_is_not_damaged(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\1\2\3 instruments" * 200)
    assert found(tmp_path / name) == Found(media_type="other")


def test_midi_is_music_of_which_little_is_known(tmp_path: Path) -> None:
    (tmp_path / "a.mid").write_bytes(b"MThd\0\0\0\6\0\1\0\1\0\x60" + b"MTrk\0\0\0\4\0\xff\x2f\0")
    assert found(tmp_path / "a.mid", "audio") == Found(category="music", container="midi")


def test_text_under_a_name_of_films_alone_has_failed(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    path.write_text("nothing of the kind")
    assert (
        read(path, "video").reason == "it is neither video nor sound that can be read, although its name says so"
    )
    path.write_bytes(b"")
    assert read(path, "video").reason == "it is empty"
