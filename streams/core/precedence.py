"""Which source takes precedence, field by field, if a path and the contents of its file differ. Pure; there is one
implementation for each kind of rules.

By whole paths (`Rules.paths`): of a video only its path is used; of music and books the tags come first; of a photo its own
date. After a rename nothing of the old name remains, because nothing of a name is kept with the contents.

By all evidence (`Rules.evidence`), the first source that has a value: a person; an NFO file beside a video; of a video its
path, and if that is only a bare name the container's own tags; of music and books the tags, then the path. For covers: a
person's; of a video the picture beside it, then the one in it; of music and books the one inside, then the one beside.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Protocol

from msgspec import Struct, structs
from msgspec.structs import replace

from schemas.found import Found, MediaType, Tags
from schemas.media import Analysis
from schemas.raw import Correction
from streams.core import naming
from streams.core.path_names.beside import BesideNames
from streams.core.path_names.makers import NOBODY, Makers
from streams.core.path_names.reader import PathName
from streams.core.rules import Rules
from streams.core.state import Links

NOTHING = Found()
NO_TAGS = Tags()
NO_LINKS = Links()
NO_CORRECTION = Correction()
_ADDRESS = re.compile(r"://|(?i:www\.)")
"""Distributors write their address into the title of a film."""


class Resolved(Struct, frozen=True, gc=False):
    """What is published of an item. `analysis`: without what it has from the name."""

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
    cover: str | None = None
    description: str | None = None
    rating: float | None = None
    subtitle_languages: tuple[str, ...] = ()
    forced: bool = False
    sdh: bool = False
    makers: Makers = NOBODY


class Precedence(Protocol):
    """By some rules."""

    def resolve(
        self, path: str, analysis: Analysis | None, links: Links | None = None,
        correction: Correction | None = None,
    ) -> Resolved:  # fmt: skip
        """Combine a file's path (below its root), its analysis, the files beside it and a person's correction."""

    def kept(self, found: Found | None) -> Found | None:
        """The part of what an analysis found that is kept."""

    def is_identified(self, path: str, found: Found | None) -> bool:
        """Whether more than the bare name is known after an analysis."""


@lru_cache(8)
def precedence_by(rules: Rules) -> Precedence:
    """The precedence by these rules."""
    names = naming.names_by(rules)
    if not isinstance(names, naming.PathNames):
        return ByNames(names, rules.title_cap)
    if rules.evidence and rules.beside is not None:
        return ByEvidence(names, rules.title_cap, BesideNames(rules.beside))
    return ByPaths(names, rules.title_cap)


def found_in(analysis: Analysis | None) -> Found:
    """What an analysis found; nothing where there was none."""
    return NOTHING if analysis is None or analysis.found is None else analysis.found


class KeepsOf3:
    """Keeps only what analysis could find when rules version 3 was the newest."""

    def kept(self, found: Found | None) -> Found | None:
        """See the protocol."""
        return as_of_3(found)


class ByNames(KeepsOf3):
    """The last component of the path is used for what the contents do not have."""

    def __init__(self, names: naming.Names, title_cap: int) -> None:
        self._names = names
        self._cap = title_cap

    def resolve(
        self, path: str, analysis: Analysis | None, links: Links | None = None,
        correction: Correction | None = None,
    ) -> Resolved:  # fmt: skip
        """See the protocol."""
        named, found = self._names.read(path), found_in(analysis)
        return Resolved(
            media_type=named.media_type, title=self._title(named, found), year=found.year or named.year,
            season=found.season or named.season, episode=found.episode or named.episode,
            category=found.category or named.category, quality=found.quality or named.quality, analysis=analysis,
            cover=found.cover,
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


class ByPaths(KeepsOf3):
    """See the module."""

    def __init__(self, names: naming.PathNames, title_cap: int) -> None:
        self._names = names
        self._cap = title_cap

    def resolve(
        self, path: str, analysis: Analysis | None, links: Links | None = None,
        correction: Correction | None = None,
    ) -> Resolved:  # fmt: skip
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
        return Resolved(
            media_type=named.media_type, title=title[: self._cap], year=year, season=named.season, episode=named.episode,
            last_episode=named.last_episode, date=named.date, part=named.part, edition=named.edition,
            category=named.category, quality=found.quality or named.quality, analysis=analysis, cover=found.cover,
        )  # fmt: skip

    def is_identified(self, path: str, found: Found | None) -> bool:
        """See the protocol."""
        named = self._names.read(path)
        is_specific = named.year is not None or named.season is not None or named.episode is not None
        return is_specific or (found is not None and found.tags is not None and found.identified)


class ByEvidence(ByPaths):
    """See the module."""

    def __init__(self, names: naming.PathNames, title_cap: int, beside: BesideNames) -> None:
        super().__init__(names, title_cap)
        self._beside = beside

    def resolve(
        self, path: str, analysis: Analysis | None, links: Links | None = None,
        correction: Correction | None = None,
    ) -> Resolved:  # fmt: skip
        """See the protocol."""
        found, links = found_in(analysis), links or NO_LINKS
        usual = self._names.media_type(path)
        kind = found.media_type or usual
        read = name = self._names.path_name(path, kind)
        tags, facts = found.tags or NO_TAGS, links.facts or NOTHING
        title: str | None = None
        match kind:
            case "audio" if name.category == "audiobook":
                name = _of_year(name, name.year or found.year)
            case "book" if name.category == "comic" and (series := tags.series or tags.album):
                issue = tags.number or (None if tags.track is None else str(tags.track))
                title = series if issue is None else f"{series} #{issue}"
                name = _of_year(name, found.year or name.year)
            case "audio" | "book":
                title = tags.title
                name = _of_year(name, found.year or name.year)
            case "image":
                name = _of_year(name, found.year or name.year)
            case "video":
                name = _by_facts(_by_container(name, tags), facts)
                analysis = _of_contents(analysis)
            case _:
                analysis = _of_contents(analysis)
        if correction is not None:
            name = _corrected(name, correction)
            title = correction.title if title is not None and correction.title is not None else title
        named = self._names.read(path) if name is read and kind == usual else self._names.named(path, kind, name)
        own_first = kind in ("audio", "book")
        cover = (found.cover or links.cover) if own_first else (links.cover or found.cover)
        available = tuple(dict.fromkeys((*found.subtitles, *links.subtitles)))
        languages, forced, sdh = self._subtitle(path, kind) or (available, False, False)
        return Resolved(
            media_type=kind, title=(title or named.title)[: self._cap], year=named.year, season=named.season,
            episode=named.episode, last_episode=named.last_episode, date=named.date, part=named.part,
            edition=named.edition, category=named.category, quality=found.quality or named.quality, analysis=analysis,
            cover=(correction or NO_CORRECTION).cover or cover, description=(facts.tags or tags).description,
            rating=facts.rating, subtitle_languages=languages, forced=forced, sdh=sdh, makers=_makers(name, kind, tags),
        )  # fmt: skip

    def kept(self, found: Found | None) -> Found | None:
        """See the protocol."""
        return found

    def is_identified(self, path: str, found: Found | None) -> bool:
        """See the protocol. Of the tags in a video's container only a title or a show counts."""
        if found is None or (found.media_type or self._names.media_type(path)) != "video":
            return super().is_identified(path, found)
        tags = found.tags or NO_TAGS
        return super().is_identified(path, None) or bool(tags.title or tags.show)

    def _subtitle(self, path: str, kind: MediaType) -> tuple[tuple[str, ...], bool, bool] | None:
        belonging = self._beside.read(path, kind) if kind == "subtitle" else None
        if belonging is None or belonging.subtitle is None:
            return None
        language, forced, sdh = structs.astuple(belonging.subtitle)
        return () if language is None else (language,), forced, sdh


def _of_year(name: PathName, year: int | None) -> PathName:
    return name if year == name.year else replace(name, year=year)


def _makers(name: PathName, kind: MediaType, tags: Tags) -> Makers:
    """From the tags, else from the folders."""
    by = name.makers
    match name.category:
        case "comic":
            return Makers(author=tags.artist, series=tags.series or tags.album)
        case "audiobook" | "book":
            return Makers(author=tags.artist or by.author, series=tags.series or by.series)
        case _ if kind == "audio":
            return Makers(artist=tags.artist or tags.album_artist or by.artist, album=tags.album or by.album)
        case _:
            return NOBODY


def _by_container(name: PathName, tags: Tags) -> PathName:
    """If the name is uninformative, use the container's tags."""
    if name.category is not None or name.year is not None:
        return name
    if tags.show and tags.episode is not None:
        return replace(name, title=tags.show, season=tags.season, episode=tags.episode, category="tv_show")
    is_title = tags.title is not None and not _ADDRESS.search(tags.title) and any(map(str.isalpha, tags.title))
    return replace(name, title=tags.title) if is_title else name


def _by_facts(name: PathName, facts: Found) -> PathName:
    """Use the NFO file, which was written for this video."""
    if facts.category == "tv_show" or facts.season is not None:
        show = None if facts.tags is None else facts.tags.show
        return replace(
            name, title=show or name.title, category="tv_show",
            season=name.season if facts.season is None else facts.season,
            episode=name.episode if facts.episode is None else facts.episode,
        )  # fmt: skip
    if facts.category == "movie" and name.category in (None, "movie", "home_video"):
        return replace(name, title=facts.title or name.title, year=facts.year or name.year, category="movie")
    return name


def _corrected(name: PathName, correction: Correction) -> PathName:
    """Apply a person's correction; a corrected season or episode number makes it an episode."""
    fields = {field: value for field, value in structs.asdict(correction).items() if value is not None}
    fields.pop("cover", None)
    if ("season" in fields or "episode" in fields) and name.category in (None, "movie", "home_video"):
        fields.setdefault("category", "tv_show")
    return replace(name, **fields)


FOUND_3 = (
    "title", "year", "season", "episode", "category", "quality", "duration_ms", "container", "video_codec",
    "audio_codec", "width", "height", "hdr", "bit_rate", "sample_rate", "channels", "pages", "languages", "subtitles",
    "tags", "cover", "warnings",
)  # fmt: skip
TAGS_3 = ("title", "artist", "album", "track", "disc", "genre", "date", "album_artist", "composer")
"""What analysis could find while rules of the first three versions were the newest. These rules publish nothing else,
whatever newer analysis finds, so that a replay by any version of the program gives the same outputs."""


def as_of_3(found: Found | None) -> Found | None:
    """What was found, limited to `FOUND_3` and `TAGS_3`."""
    if found is None:
        return None
    tags = None if found.tags is None else Tags(**{name: getattr(found.tags, name) for name in TAGS_3})
    return replace(Found(**{name: getattr(found, name) for name in FOUND_3}), tags=tags)


def _of_contents(analysis: Analysis | None) -> Analysis | None:
    """The analysis without what older programs derived from a video's name."""
    if analysis is None or analysis.found is None:
        return analysis
    found = replace(analysis.found, title=None, year=None, season=None, episode=None, category=None)
    return analysis if found == analysis.found else replace(analysis, found=found)
