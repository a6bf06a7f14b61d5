"""Who wins, field by field, where a path and the contents of its file say different things of an item. Pure; one way for
each of the rules that decide it.

By whole paths (`Rules.paths`): what a path says of a video is told, and nothing else is; of music and books the tags come
first; of a photo its own date. A rename drops at once what the old name said, because nothing of a name is kept with the
contents.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from schemas.found import Found, MediaType
from schemas.media import Analysis
from streams.core import naming
from streams.core.rules import Rules

NOTHING = Found()


class Told(Struct, frozen=True, gc=False):
    """Of an item. `analysis`: without what it says of the name."""

    media_type: MediaType
    title: str
    year: int | None = None
    season: int | None = None
    episode: int | None = None
    last_episode: int | None = None
    date: str | None = None
    part: int | None = None
    edition: str | None = None
    category: str | None = None
    quality: str | None = None
    analysis: Analysis | None = None


class Telling(Protocol):
    """By some rules."""

    def told(self, path: str, analysis: Analysis | None) -> Told:
        """Of a file at a path below its root."""

    def is_identified(self, path: str, found: Found | None) -> bool:
        """Whether more than the bare name is known after an analysis."""


@lru_cache(8)
def telling_by(rules: Rules) -> Telling:
    """The one way of these rules."""
    names = naming.names_by(rules)
    return (
        ByPaths(names, rules.title_cap) if isinstance(names, naming.PathNames) else ByNames(names, rules.title_cap)
    )


def found_in(analysis: Analysis | None) -> Found:
    """What an analysis found; nothing where there was none."""
    return NOTHING if analysis is None or analysis.found is None else analysis.found


class ByNames:
    """The name's last part says what the contents do not."""

    def __init__(self, names: naming.Names, title_cap: int) -> None:
        self._names = names
        self._cap = title_cap

    def told(self, path: str, analysis: Analysis | None) -> Told:
        """See the protocol."""
        named, found = self._names.read(path), found_in(analysis)
        return Told(
            named.media_type, self._title(named, found), found.year or named.year, found.season or named.season,
            found.episode or named.episode, category=found.category or named.category,
            quality=found.quality or named.quality, analysis=analysis,
        )  # fmt: skip

    def is_identified(self, path: str, found: Found | None) -> bool:
        """See the protocol."""
        return (found is not None and found.identified) or self._names.read(path).year is not None

    def _title(self, named: naming.Named, found: Found) -> str:
        title = named.title
        if found.title is not None and found.season is not None:
            title = naming.episode_title(found.title, found.season, found.episode)
        elif found.title is not None:
            title = naming.film_title(found.title, found.year)
        elif found.tags is not None and found.tags.title:
            title = found.tags.title
        return title[: self._cap]


class ByPaths:
    """See the module."""

    def __init__(self, names: naming.PathNames, title_cap: int) -> None:
        self._names = names
        self._cap = title_cap

    def told(self, path: str, analysis: Analysis | None) -> Told:
        """See the protocol."""
        named, found = self._names.read(path), found_in(analysis)
        title, year = named.title, named.year
        tags = found.tags
        match named.media_type:
            case "audio" if named.category == "audiobook":
                year = year or found.year
            case "book" if named.category == "comic" and tags is not None and tags.album:
                title = tags.album + ("" if tags.track is None else f" #{tags.track}")
                year = found.year or year
            case "audio" | "book":
                title = (None if tags is None else tags.title) or title
                year = found.year or year
            case "image":
                year = found.year or year
            case _:
                analysis = _of_contents(analysis)
        return Told(
            named.media_type, title[: self._cap], year, named.season, named.episode, named.last_episode, named.date,
            named.part, named.edition, named.category, found.quality or named.quality, analysis,
        )  # fmt: skip

    def is_identified(self, path: str, found: Found | None) -> bool:
        """See the protocol."""
        named = self._names.read(path)
        says = named.year is not None or named.season is not None or named.episode is not None
        return says or (found is not None and found.tags is not None and found.identified)


def _of_contents(analysis: Analysis | None) -> Analysis | None:
    """Older programs put what they made of a video's name beside its contents."""
    if analysis is None or analysis.found is None:
        return analysis
    found = replace(analysis.found, title=None, year=None, season=None, episode=None, category=None)
    return analysis if found == analysis.found else replace(analysis, found=found)
