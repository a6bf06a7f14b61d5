"""What is read from whole paths (rules from version 3 on): cases that were wrong once, how right a labelled corpus is
read, and that no name takes long or is refused."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.names import AIMS, MOST_FALSE, corpus, figures, split
from schemas import raw
from schemas.found import CATEGORIES, Found, MediaType, Tags
from schemas.media import Analysis
from schemas.topics import MEDIA_UPDATES
from streams.core.fold import Fold
from streams.core.naming import names_by, shown
from streams.core.path_names.reader import PathName, PathReader
from streams.core.path_names.words import WORDS_3
from streams.core.precedence import precedence_by
from streams.core.rules import RULES
from tests.support.lane import DecodedOutput, Lane, a_file

RULES_3 = RULES[3]
GOLDEN = Path(__file__).parents[3] / "golden" / "names"
SLOWEST_SECONDS = 0.25
"""Of one name, by far: the slowest that was found takes 7 ms."""

reader = PathReader(WORDS_3)
names = names_by(RULES_3)


def read(path: str) -> PathName:
    return reader.read(path, names.media_type(path))


def cases() -> list[dict[str, str]]:
    with (GOLDEN / "cases.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["path"])
def test_a_case_that_was_wrong(case: dict[str, str]) -> None:
    found = read(case["path"])
    fields = ("title", "year", "season", "episode", "category")
    resolved = {name: "" if (value := getattr(found, name)) is None else str(value) for name in fields}
    assert resolved == {name: case[name] or "" for name in fields}


@pytest.mark.parametrize("part", [0, 1], ids=["rules made by", "held back"])
def test_the_corpus_is_read_as_well_as_is_aimed_at(part: int) -> None:
    rows = split(corpus())[part]
    right = figures(rows, {row.path: read(row.path) for row in rows})
    assert {name: right[name] for name in AIMS if right[name] < AIMS[name]} == {}
    assert right["false"] <= MOST_FALSE


def test_every_category_of_the_corpus_is_one_of_the_closed_list() -> None:
    rows = corpus()
    assert {row.right.category for row in rows} - {None} == set(CATEGORIES)
    assert {read(row.path).category for row in rows} - {None} <= set(CATEGORIES)


WORDS = (
    "1x01 S01E02 E03 - [ ] ( ) (( . _ 2019 2019-08-06 1080p part 1of6 season 01 #1 The , 第1 話 v02 c012 cd1 {tmdb-"
    + " {edition-a} sample trailer OVA NCOP Chapter web german \udcff 💿 İ"
).split()
KINDS: list[MediaType] = ["video", "audio", "image", "book", "subtitle", "archive", "other"]


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.lists(st.sampled_from(WORDS) | st.text(max_size=5), max_size=30).map("".join), min_size=1, max_size=4
    ),
    st.sampled_from(["mkv", "mp3", "m4b", "jpg", "epub", "cbz", "iso", ""]),
    st.sampled_from(KINDS),
)
def test_any_path_has_a_title_and_takes_no_time(parts: list[str], extension: str, kind: MediaType) -> None:
    path = "/".join([*parts[:-1], f"{parts[-1][:250]}.{extension}"])
    began = time.perf_counter()
    found = reader.read(path, kind)
    assert time.perf_counter() - began < SLOWEST_SECONDS
    assert found == PathReader(WORDS_3).read(path, kind)
    assert found.category in (None, *CATEGORIES)
    assert isinstance(names.read(path).title, str)
    assert names.read(path).title


@pytest.mark.parametrize(
    "atom", ["1", "1x01-", "E01", "((", "a ", " - ", "1.05 ", "web the ", "(]", "2019-", "#1+02"]
)
def test_a_name_of_repetitions_takes_no_time(atom: str) -> None:
    for folder in ("TV/Show", "Anime", f"Movies/{atom * 60}", "Comics"):
        for extension in ("mkv", "m4b", "cbz", "epub"):
            began = time.perf_counter()
            read(f"{folder}/{(atom * 250)[:250]}.{extension}")
            assert time.perf_counter() - began < SLOWEST_SECONDS


@pytest.mark.parametrize(
    ("name", "title"),
    [
        (PathName("Blade Runner", "movie", 1982, edition="Final Cut"), "Blade Runner (1982) – Final Cut"),
        (PathName("Gone with the Wind", "movie", 1939, part=2), "Gone with the Wind (1939) – part 2"),
        (PathName("Alien", "trailer", 1979), "Alien (1979) – trailer"),
        (PathName("Lost", "tv_show", None, 1, 2, 3), "Lost S01E02-E03"),
        (PathName("The Daily Show", "tv_show", 2015, date="2015-08-06"), "The Daily Show 2015-08-06"),
        (PathName("One Piece", "tv_show", None, None, 1071), "One Piece E1071"),
        (PathName("Saga", "comic", 2012, 2, 9), "Saga v02 #9"),
        (PathName("Mort", "audiobook", part=1), "Mort – part 1"),
        (PathName("1917", "movie", 1917), "1917"),
    ],
)
def test_what_is_another_thing_has_another_title(name: PathName, title: str) -> None:
    assert shown(name) == title


# -- name and contents -----------------------------------------------------------------------------------------

AT = "2026-11-27T10:00:00.000Z"
precedence = precedence_by(RULES_3)


def done(found: Found) -> Analysis:
    return Analysis("done", AT, found=found)


def test_of_a_video_the_name_is_published_and_what_older_programs_made_of_it_is_not() -> None:
    guessed = Found(title="Mtarix", year=1990, category="movie", duration_ms=5, quality="1080p")
    resolved = precedence.resolve("Movies/The Matrix (1999).mp4", done(guessed))
    assert (resolved.title, resolved.year, resolved.category, resolved.quality) == (
        "The Matrix (1999)",
        1999,
        "movie",
        "1080p",
    )
    assert resolved.analysis == done(Found(duration_ms=5, quality="1080p"))


def test_of_music_and_books_the_tags_come_first_and_of_a_photo_its_own_date() -> None:
    tagged = done(Found(year=2003, category="music", tags=Tags(title="99 Problems")))
    resolved = precedence.resolve("Music/Jay-Z/The Black Album (2010)/01 - 99 problems (final).mp3", tagged)
    assert (resolved.title, resolved.year, resolved.category) == ("99 Problems", 2003, "music")
    untagged = precedence.resolve("Music/Nena/99 Luftballons.mp3", None)
    assert (untagged.title, untagged.year) == ("99 Luftballons", None)
    book = precedence.resolve(
        "Books/a.epub", done(Found(title="Dune", year=1965, category="book", tags=Tags(title="Dune")))
    )
    assert (book.title, book.year, book.category) == ("Dune", 1965, "book")
    photo = precedence.resolve("Photos/2020/IMG_1.jpg", done(Found(year=2019, category="photo")))
    assert (photo.title, photo.year) == ("IMG_1", 2019)


def test_a_comic_is_called_by_its_series_and_number() -> None:
    resolved = precedence.resolve(
        "Comics/x.cbz", done(Found(year=2013, tags=Tags(album="Saga", track=9, title="Chapter Nine")))
    )
    assert (resolved.title, resolved.year, resolved.category) == ("Saga #9", 2013, "comic")


def test_a_chapter_of_a_book_that_is_read_is_called_by_the_book() -> None:
    tagged = done(Found(year=1987, tags=Tags(title="Chapter 01")))
    resolved = precedence.resolve("Audiobooks/Terry Pratchett/Mort/Chapter 01.mp3", tagged)
    assert (resolved.title, resolved.part, resolved.year, resolved.category) == (
        "Mort – part 1",
        1,
        1987,
        "audiobook",
    )


def last_item(resolved: list[DecodedOutput]) -> dict[str, Any]:
    found = next(one["media"] for one in reversed(resolved) if one.topic == MEDIA_UPDATES.name)
    assert isinstance(found, dict)
    return found


def test_a_rename_drops_what_the_old_name_said_at_once_and_keeps_the_contents() -> None:
    lane = Lane(Fold(0))
    lane.declare()
    lane.put(raw.RulesAdopted(version=3, program="1", by="admin", at=AT))
    lane.see("Mtarix (1990).mp4", a_file(1))
    item = last_item(lane.later(2_000))
    guessed = Found(title="Mtarix", year=1990, category="movie", duration_ms=8_000)
    result = raw.Result(
        job=next(iter(lane.fold.state.jobs)), media_id=item["id"], root="films", size=1_000, mtime_ns=1, inode=1,
        status="done", found=guessed,
    )  # fmt: skip
    assert last_item(lane.put(result))["title"] == "Mtarix (1990)"
    lane.move("Mtarix (1990).mp4", "The Matrix (1999).mp4", a_file(1))
    renamed = last_item(lane.later(2_000))
    assert (renamed["title"], renamed["year"], renamed["duration"]) == ("The Matrix (1999)", 1999, 8.0)
    assert renamed["id"] == item["id"]
