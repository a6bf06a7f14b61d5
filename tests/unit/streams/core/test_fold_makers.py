"""Artists, albums, authors and series by folders, if the tags do not have them."""

from __future__ import annotations

import pytest

from schemas.found import Found, MediaType, Tags
from schemas.media import Analysis
from streams.core.path_names.makers import NOBODY, Makers
from streams.core.precedence import precedence_by
from streams.core.rules import RULES_4
from streams.core.state import Links

PRECEDENCE = precedence_by(RULES_4)


@pytest.mark.parametrize(
    ("path", "makers"),
    [
        ("Music/Kate Bush/Aerial (2005)/01 Prelude.flac", Makers("Kate Bush", "Aerial")),
        ("Music/Kate Bush/[2005] Aerial [FLAC]/CD 2/01 Prelude.flac", Makers("Kate Bush", "Aerial")),
        ("Music/Kate Bush/Kate Bush - Aerial/01 Prelude.flac", Makers("Kate Bush", "Aerial")),
        ("Music/Kate Bush - Aerial (2005) [FLAC]/01 Prelude.flac", Makers("Kate Bush", "Aerial")),
        ("Music/Various Artists/Now 42/01 Song.mp3", Makers(None, "Now 42")),
        ("Music/Kate Bush/Song.mp3", Makers("Kate Bush")),
        ("Music/Song.mp3", NOBODY),
        ("somewhere/Song.mp3", NOBODY),
        ("Audiobooks/Terry Pratchett/Mort/01.mp3", Makers(author="Terry Pratchett")),
        ("Audiobooks/Terry Pratchett/Discworld/Mort/01.mp3", Makers(author="Terry Pratchett", series="Discworld")),
        ("Audiobooks/Terry Pratchett - Mort/01.mp3", Makers(author="Terry Pratchett")),
        ("Books/Le Guin, Ursula K./The Dispossessed.epub", Makers(author="Ursula K. Le Guin")),
        ("Books/Ursula K. Le Guin/Hainish Cycle/The Dispossessed (1974)/x.epub",
         Makers(author="Ursula K. Le Guin", series="Hainish Cycle")),
        ("The Dispossessed.epub", NOBODY),
    ],
)  # fmt: skip
def test_folders_name_the_makers(path: str, makers: Makers) -> None:
    assert PRECEDENCE.resolve(path, None).makers == makers


@pytest.mark.parametrize(
    ("path", "tags", "makers"),
    [
        ("Music/X/Y/1 z.mp3", Tags(artist="A", album="B"), Makers("A", "B")),
        ("Music/Xena/Yes/1 z.mp3", Tags(album_artist="A"), Makers("A", "Yes")),
        ("Audiobooks/X/Y/1.mp3", Tags(artist="A"), Makers(author="A")),
        ("Books/X/Y.epub", Tags(artist="A", series="S"), Makers(author="A", series="S")),
        ("Comics/X/Y 1.cbz", Tags(artist="W", album="S"), Makers(author="W", series="S")),
    ],
)
def test_tags_say_it_before_folders(path: str, tags: Tags, makers: Makers) -> None:
    resolved = PRECEDENCE.resolve(path, Analysis("done", "", found=Found(tags=tags)))
    assert resolved.makers == makers


@pytest.mark.parametrize(
    ("path", "tags", "facts", "title", "category"),
    [
        ("x/title_t00.mkv", Tags(title="Solaris"), None, "Solaris", None),
        ("x/title_t00.mkv", Tags(title="www.example.org"), None, "title t00", None),
        ("x/title_t00.mkv", Tags(show="Lost", season=1, episode=2), None, "Lost S01E02", "tv_show"),
        ("Solaris (1972).mkv", Tags(title="Wrong"), None, "Solaris (1972)", "movie"),
        ("Movies/Solaris.mkv", Tags(title="Wrong"), None, "Solaris", "movie"),
        (
            "Solari (1971).mkv",
            None,
            Found(title="Solaris", year=1972, category="movie"),
            "Solaris (1972)",
            "movie",
        ),
        (
            "Lost/Season 1/Lost S01E03.mkv",
            None,
            Found(season=1, episode=4, category="tv_show"),
            "Lost S01E04",
            "tv_show",
        ),
    ],
)
def test_the_first_source_with_a_value_is_used_for_a_video(
    path: str, tags: Tags | None, facts: Found | None, title: str, category: str | None
) -> None:
    links = None if facts is None else Links(facts=facts)
    resolved = PRECEDENCE.resolve(path, Analysis("done", "", found=Found(tags=tags)), links)
    assert (resolved.title, resolved.category) == (title, category)


@pytest.mark.parametrize(
    ("path", "kind", "title"),
    [("src/app.ts", "other", "app"), ("Song.mp4", "audio", "Song"), ("Film (2001).mp3", "video", "Film (2001)")],
)
def test_contents_say_what_kind_of_file_it_is(path: str, kind: MediaType, title: str) -> None:
    resolved = PRECEDENCE.resolve(path, Analysis("done", "", found=Found(media_type=kind)))
    assert (resolved.media_type, resolved.title) == (kind, title)


@pytest.mark.parametrize(
    ("path", "tags", "identified"),
    [
        ("x.mkv", Tags(description="made by a program"), False),
        ("x.mkv", Tags(title="Solaris"), True),
        ("Solaris (1972).mkv", None, True),
        ("x.mp3", Tags(artist="A"), True),
        ("x.mp3", None, False),
    ],
)
def test_more_than_the_bare_name_is_known(path: str, tags: Tags | None, identified: bool) -> None:
    assert PRECEDENCE.is_identified(path, Found(tags=tags)) is identified
