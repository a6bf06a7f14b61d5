"""What names tell beyond the fold's own cheap rules. guessit is for names of videos only (it is wrong on music
and photographs)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

import guessit

from schemas.found import Found
from streams.analysis.probe.read import Read
from streams.analysis.probe.text import clean, language, number

_MAX_NAME = 300
_WITH_FOLDERS = 3
"""A series is often named by its folders (`Show/Season 1/02.mkv`)."""


@dataclass(frozen=True, slots=True)
class FilmName:
    """Title only where the name also tells a year or a season: a bare title adds nothing to the name."""

    title: str | None = None
    year: int | None = None
    season: int | None = None
    episode: int | None = None
    category: str | None = None


def film(path: str) -> FilmName:
    """Read the path of a video."""
    name = "/".join(path.split("/")[-_WITH_FOLDERS:])[-_MAX_NAME:]
    try:
        guess = guessit.guessit(name)
    except guessit.api.GuessitException:  # its own word for "a name I have no answer to"
        return FilmName()
    year, season, episode = (_one(guess.get(key)) for key in ("year", "season", "episode"))
    if year is None and season is None:
        return FilmName()
    series = guess.get("type") == "episode" and season is not None
    return FilmName(
        clean(guess.get("title")), year, season, episode if series else None, "tv_show" if series else "movie"
    )


def read_subtitle(_file: BinaryIO, path: str) -> Read:
    """A subtitle's language stands in its name: `Film.en.srt`, `Film.pt-BR.forced.srt`."""
    parts = path.rpartition("/")[2].split(".")[1:-1]
    for part in reversed(parts):
        if (tag := language(part)) is not None and len(part.split("-")[0]) <= 3:
            return Read(Found(category="subtitle", languages=(tag,), container=_extension(path)))
    return Read(Found(category="subtitle", container=_extension(path)))


def _extension(path: str) -> str | None:
    return clean(path.rpartition(".")[2].lower())


def _one(value: object) -> int | None:
    if isinstance(value, list):
        value = value[0] if value else None
    return number(value)
