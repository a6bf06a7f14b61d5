"""The contents of a file decide what it is, whatever its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.found import Found, Tags
from streams.analysis.probe import sniff
from tests.support import containers, media
from tests.support.probing import found, read


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
def test_a_file_is_recognised_by_its_first_bytes(head: bytes, kind: str | None) -> None:
    assert sniff.kind_of(head) == kind


@pytest.mark.parametrize("name", ["song.mod", "level.dat"])
def test_what_cannot_be_played_under_an_ambiguous_name_is_not_damaged(tmp_path: Path, name: str) -> None:
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
