"""What a reader finds in a real file is what was put into it; a damaged file is an answer."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import ExifTags, Image

from schemas.found import Found, MediaType, Tags
from streams.analysis import probe
from streams.analysis.probe import thumbnail
from streams.analysis.wire import Reply, Request
from tests.support import media


def read(path: Path, kind: MediaType, name: str | None = None) -> Reply:
    with path.open("rb") as file:
        return probe.probe(file, Request(kind, name or path.name))


def found(reply: Reply) -> Found:
    assert reply.status == "done", reply.reason
    assert reply.found is not None
    return reply.found


def test_a_film_gives_its_streams_and_its_name_is_read_elsewhere(tmp_path: Path) -> None:
    path = media.video(tmp_path / "The.Long.Voyage.2004.1080p.mkv")
    reply = read(path, "video")
    seen = found(reply)
    assert seen.duration_ms is not None
    assert abs(seen.duration_ms - 2000) < 100
    assert (seen.container, seen.video_codec, seen.audio_codec) == ("matroska", "h264", "aac")
    assert (seen.width, seen.height, seen.quality, seen.hdr) == (320, 180, None, False)
    assert (seen.sample_rate, seen.channels, seen.languages) == (44_100, 2, ("ger",))
    assert (seen.title, seen.year, seen.category, seen.warnings) == (None, None, None, ())
    assert reply.picture is not None
    assert (reply.picture.mime, reply.picture.width, reply.picture.height) == ("image/webp", 320, 180)
    assert len(reply.picture.data) <= thumbnail.MAX_BYTES


def test_high_dynamic_range_is_read_by_the_transfer_function(tmp_path: Path) -> None:
    assert found(read(media.video(tmp_path / "a.mp4", 0.4, trc=16), "video")).hdr is True


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_film_on_its_side_has_the_size_that_is_seen_and_an_upright_cover(tmp_path: Path, turn: int) -> None:
    reply = read(media.turned(media.video(tmp_path / "a.mp4", 0.4), tmp_path / "b.mp4", turn), "video")
    seen, sideways = found(reply), turn != 180
    assert (seen.width, seen.height) == ((180, 320) if sideways else (320, 180))
    assert reply.picture is not None
    assert (reply.picture.width, reply.picture.height) == (seen.width, seen.height)


def test_a_black_beginning_is_no_cover(tmp_path: Path) -> None:
    reply = read(media.video(tmp_path / "a.mp4", 4.0, black_seconds=1.5), "video")
    assert reply.picture is not None
    with Image.open(io.BytesIO(reply.picture.data)) as cover:
        assert max(cover.convert("L").tobytes()) > 60
    assert read(media.video(tmp_path / "b.mp4", 1.0, black_seconds=1.0), "video").picture is not None


def test_a_codec_that_nobody_here_knows_is_no_failure(tmp_path: Path) -> None:
    path = media.video(tmp_path / "a.mkv", 0.4)
    data = path.read_bytes()
    assert data.count(b"V_MPEG4/ISO/AVC") == 1
    path.write_bytes(data.replace(b"V_MPEG4/ISO/AVC", b"V_FUTURE/ISO/AV"))
    reply = read(path, "video")
    assert (reply.status, reply.picture) == ("done", None)
    seen = found(reply)
    assert (seen.container, seen.video_codec, seen.audio_codec) == ("matroska", "V_FUTURE/ISO/AV", "aac")
    assert seen.duration_ms
    assert seen.warnings == ("no picture of it: its codec is not known here",)


def test_a_stream_without_a_whole_frame_is_no_failure(tmp_path: Path) -> None:
    """As a transport stream that was cut in the middle of a group of pictures."""
    reply = read(media.without_key_frames(tmp_path / "a.ts"), "video")
    assert (reply.status, reply.picture) == ("done", None)
    assert found(reply).video_codec == "h264"
    assert found(reply).warnings == ("no picture of it: no frame can be decoded",)


@pytest.mark.parametrize(("extension", "codec"), [
    ("flac", "flac"), ("ogg", "libopus"), ("opus", "libopus"), ("m4a", "aac"), ("wma", "wmav2"), ("mka", "flac"),
    ("wav", "pcm_s16le"), ("aiff", "pcm_s16be"), ("mp3", "libmp3lame"), ("wv", "wavpack"), ("tta", "tta"),
])  # fmt: skip
def test_the_tags_of_every_container_are_read(tmp_path: Path, extension: str, codec: str) -> None:
    told = {"title": "Nordlicht", "artist": "Die Ålande", "album": "Fjord", "track": "3/12", "date": "2019"}
    path = media.sound(tmp_path / f"a.{extension}", codec, told)
    tags = found(read(path, "audio")).tags
    assert tags is not None
    assert (tags.title, tags.artist, tags.album, tags.track) == ("Nordlicht", "Die Ålande", "Fjord", 3)


def test_an_mp4_keeps_the_name_of_its_extension(tmp_path: Path) -> None:
    assert found(read(media.video(tmp_path / "a.mp4", 0.4), "video")).container == "mp4"


def test_a_song_gives_its_tags_and_its_cover(tmp_path: Path) -> None:
    reply = read(media.song(tmp_path / "03 whatever.mp3"), "audio")
    seen = found(reply)
    assert seen.tags == Tags("Nordlicht", "Die Ålande", "Fjord", 3, None, None, "2019-05-01", tracks=12)
    assert (seen.audio_codec, seen.container, seen.sample_rate, seen.year) == ("mp3", "mp3", 44_100, 2019)
    assert (seen.category, seen.identified) == ("music", True)
    assert reply.picture is not None
    assert (reply.picture.width, reply.picture.height) == (480, 480)


def test_a_photograph_gives_its_size(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(media.picture(1600, 900))
    reply = read(path, "image")
    assert (found(reply).width, found(reply).height, found(reply).container) == (1600, 900, "jpeg")
    assert reply.picture is not None
    assert (reply.picture.width, reply.picture.height) == (480, 270)


def test_a_photo_was_taken_when_it_was_taken_and_not_when_it_was_changed(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.DateTime] = "2023:05:06 07:08:09"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2019:01:02 03:04:05"
    Image.new("RGB", (20, 10)).save(tmp_path / "a.jpg", exif=exif)
    seen = found(read(tmp_path / "a.jpg", "image"))
    assert (seen.year, seen.tags) == (2019, Tags(date="2019:01:02 03:04:05"))


def test_a_huge_picture_is_not_decoded(tmp_path: Path) -> None:
    reply = read(media.huge_png(tmp_path / "a.png"), "image")
    assert (found(reply).width, found(reply).height, reply.picture) == (30_000, 30_000, None)


DAMAGED: list[tuple[str, MediaType, bytes]] = [
    ("a.mkv", "video", b""),
    ("a.mp4", "video", b"\0\0\0\x18ftypmp42" + b"\0" * 4000),
    ("a.mkv", "video", b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:1/x.ts\n"),
    ("a.mkv", "video", b"ffconcat version 1.0\nfile '/etc/passwd'\n"),
    ("a.mp3", "audio", b"nothing of the kind" * 100),
    ("a.jpg", "image", b"nothing of the kind"),
]


@pytest.mark.parametrize(("name", "kind", "data"), DAMAGED)
def test_what_is_not_what_its_name_says_has_failed_with_a_reason(
    tmp_path: Path, name: str, kind: MediaType, data: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    reply = read(path, kind)
    assert reply.status == "failed"
    assert reply.reason


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_truncated_file_has_an_answer(tmp_path: Path, share: float) -> None:
    film = media.truncated(media.video(tmp_path / "a.mp4"), share)
    assert read(film, "video").status == "failed"


def test_a_format_unknown_to_the_reader_is_not_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    path.write_text("<svg/>")
    assert found(read(path, "image")) == Found(category="photo", container="svg")
