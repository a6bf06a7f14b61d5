"""What a file of sound or video says of itself is found, by whichever name its container has for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mutagen.apev2
import mutagen.asf
import mutagen.mp4
import pytest

from schemas.found import Tags
from streams.analysis.probe import matroska, tags
from tests.support import containers, media
from tests.support.probing import found

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
def test_an_episode_has_its_number(tmp_path: Path, extension: str) -> None:
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
        fields = tags.Fields([matroska.tags_by_level(file, 100)])
    assert tags.of_sound(fields) == Tags("Nordlicht", "Die Ålande", "Fjord", 3)


def test_a_tag_of_monkeys_audio_behind_an_mp3_is_read(tmp_path: Path) -> None:
    path = media.sound(tmp_path / "a.mp3", "libmp3lame", {})
    ape: Any = mutagen.apev2.APEv2()  # type: ignore[no-untyped-call]
    ape["Title"], ape["Artist"], ape["Track"] = "Nordlicht", ["Die Ålande", "Viele"], "3/12"
    ape.save(path)
    assert found(path, "audio").tags == Tags("Nordlicht", "Die Ålande", track=3, tracks=12)
