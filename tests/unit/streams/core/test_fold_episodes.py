"""How else people number episodes: ways of writing that the fourth rules were the first to know."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from streams.core.naming import NamedByPath, names_by
from streams.core.rules import RULES_4

SHOW = "TV/Dark Sea (2008)/"
SEASON = SHOW + "Season 1/"


@pytest.mark.parametrize(
    ("path", "season", "episode"),
    [
        (SHOW + "Dark Sea - 1.05 - Title.mkv", 1, 5),
        (SHOW + "Specials/Dark Sea - Special 3.mkv", 0, 3),
        (SHOW + "S2/E3.mkv", 2, 3),
        (SHOW + "2/3.mkv", 2, 3),
        (SHOW + "Dark Sea Chapter Two.mkv", None, 2),
        (SHOW + "Episode II.mkv", None, 2),
        (SHOW + "Dark Sea Night 2.mkv", None, 2),
        (SHOW + "Dark Sea Vol. 2.mkv", None, 2),
        (SHOW + "Dark Sea 2nd Episode.mkv", None, 2),
        (SHOW + "Dark Sea 2ª parte.mkv", None, 2),
        (SHOW + "Dark Sea odc. 2.mkv", None, 2),
        (SHOW + "Dark Sea E2of3.mkv", None, 2),
        (SHOW + "Dark Sea.S01xE02.mkv", 1, 2),
        (SHOW + "Dark Sea Cap.102.mkv", 1, 2),
        (SEASON + "Cap 2.mkv", 1, 2),
        (SEASON + "Dark Sea 2.mkv", 1, 2),
        (SEASON + "Dark Sea [2].mkv", 1, 2),
        (SEASON + "Dark Sea 1×02 Something.mkv", 1, 2),
        (SEASON + "Dark Sea 01.02 Something.mkv", 1, 2),
        (SEASON + "Dark Sea - 1-02.mkv", 1, 2),
        (SEASON + "1e02.mkv", 1, 2),
        ("downloads/dark.sea.309.hdtv-grp.mkv", 3, 9),
        ("downloads/dark.sea.1012.pdtv-grp.mkv", 10, 12),
        ("TV/Dark Sea The Complete Series/Season 3/S03E09.mkv", 3, 9),
    ],
)
def test_an_episode_has_its_number(path: str, season: int | None, episode: int) -> None:
    read = names_by(RULES_4).read(path)
    assert (read.season, read.episode, read.category) == (season, episode, "tv_show")
    assert read.title.casefold().startswith("dark sea "), read.title
    assert "complete" not in read.title.casefold()


def number(text: str) -> int | None:
    """Of a cell."""
    return int(text) if text else None


with (Path(__file__).parents[3] / "golden" / "names" / "episodes.tsv").open() as file:
    WAYS = list(csv.DictReader(file, delimiter="\t"))


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way["path"])
def test_every_way_of_writing_it_is_read(way: dict[str, str]) -> None:
    read = names_by(RULES_4).read(way["path"])
    assert isinstance(read, NamedByPath)
    emitted = (read.season, read.episode, read.last_episode)
    assert emitted == (number(way["season"]), number(way["episode"]), number(way["last"]))
    assert read.title.casefold().startswith("dark sea"), read.title


@pytest.mark.parametrize(
    ("path", "title", "episode"),
    [
        ("Movies/Kill Bill Vol. 2 (2004).mkv", "Kill Bill Vol. 2 (2004)", None),
        ("Movies/Day 2 (2010).mkv", "Day 2 (2010)", None),
        ("downloads/Film.1984.1080p.mkv", "Film (1984)", None),
        ("downloads/Blade.Runner.2049.2017.HDTV.mkv", "Blade Runner 2049 (2017)", None),
        ("TV/Babylon 5/Season 1/Babylon 5 1x02.mkv", "Babylon 5 S01E02", 2),
        ("TV/Babylon 5/Season 1/Babylon 5 S01E12.mkv", "Babylon 5 S01E12", 12),
        ("TV/The 100/Season 3/The 100 S03E04.mkv", "The 100 S03E04", 4),
        ("Movies/Film Part 2 (2011) HDTV.mkv", "Film Part 2 (2011)", None),
        ("Movies/Fast Five (2011)/Fast Five.mkv", "Fast Five (2011)", None),
        ("Photos/2019/7/IMG_1234.jpg", "IMG_1234", None),
    ],
)
def test_what_is_none_is_not_taken_for_one(path: str, title: str, episode: int | None) -> None:
    read = names_by(RULES_4).read(path)
    assert (read.title, read.episode) == (title, episode)
