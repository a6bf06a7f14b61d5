"""What is read from a name alone. A changed answer here is a new version of the fold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.naming import Named, names_by
from streams.core.rules import RULES_1

names = names_by(RULES_1)
NAMES = {
    "The Matrix (1999).mkv": Named("video", "The Matrix (1999)", 1999, category="movie"),
    "The.Matrix.1999.1080p.BluRay.x264-GRP.mkv": Named(
        "video", "The Matrix (1999)", 1999, quality="1080p", category="movie"
    ),
    "1917.mkv": Named("video", "1917"),
    "1917 (2019).mkv": Named("video", "1917 (2019)", 2019, category="movie"),
    "Blade Runner 2049 (2017) 4K.mkv": Named(
        "video", "Blade Runner 2049 (2017)", 2017, quality="2160p", category="movie"
    ),
    "Northern.Light.S01E02.720p.mkv": Named(
        "video", "Northern Light S01E02", None, 1, 2, "720p", "tv_show"
    ),
    "s02e11.mkv": Named("video", "s02e11 S02E11", None, 2, 11, None, "tv_show"),
    "holiday.mp4": Named("video", "holiday"),
    "01 - Morning Song.flac": Named("audio", "Morning Song"),
    "2-03 Evening_Song.mp3": Named("audio", "Evening Song"),
    "IMG_0001.JPG": Named("image", "IMG 0001"),
    "A.Long.Walk.epub": Named("book", "A Long Walk"),
    "backup.tar.gz": Named("archive", "backup tar"),
    "Alien (1979).en.srt": Named("subtitle", "Alien (1979)", 1979, category="movie"),
    "README": Named("other", "README"),
    ".hidden": Named("other", "hidden"),
    "caf\udce9.txt": Named("other", "caf\ufffd"),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_what_is_read_from_a_name(name: str) -> None:
    assert names.read(f"some (1950) S09E09/{name}") == NAMES[name]


@pytest.mark.parametrize(
    ("name", "kind"), [("a.MKV", "video"), ("mkv", "other"), ("a.mkv/b", "other"), ("a.", "other")]
)
def test_the_media_type_is_the_last_extension_in_any_case(name: str, kind: str) -> None:
    assert names.media_type(name) == kind


def test_no_extension_is_of_two_types() -> None:
    every = [
        extension for extensions in (row for _kind, row in RULES_1.extensions) for extension in extensions.split()
    ]
    assert len(every) == len(set(every))


@given(st.text(min_size=1, max_size=255), st.sampled_from(["", ".mkv", ".mp3", ".txt", ".jpg", ".srt"]))
def test_any_name_has_a_title_that_can_be_shown(name: str, extension: str) -> None:
    named = names.read(name.replace("/", " ") + extension)
    assert 0 < len(named.title) <= RULES_1.title_cap + len(" S00E000")
    named.title.encode()
