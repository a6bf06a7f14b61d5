"""What is read from a path alone, in microseconds: media type, title, year, season and episode, quality.

The patterns are our own, cheap and stable, and are part of `rules`, because a replay must give the same titles; this
module only applies them. The first two versions of the rules read only the last component of a path, later ones the
whole path (`path_names`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from msgspec import Struct

from schemas.found import MediaType
from schemas.paths import display
from streams.core.path_names.reader import PathName, PathReader
from streams.core.path_names.words import PathWords
from streams.core.rules import Rules


class Named(Struct, frozen=True, gc=False):
    """What was read from the name. `title` includes the year of a film, as in `The Matrix (1999)`."""

    media_type: MediaType
    title: str
    year: int | None = None
    season: int | None = None
    episode: int | None = None
    quality: str | None = None
    category: str | None = None


class NamedByPath(Named, frozen=True, gc=False):
    """`title` as it is shown, with all that distinguishes the item from others of its kind: `The Matrix (1999)`, `Lost
    S01E02`, `Blade Runner (1982) – Final Cut`."""

    last_episode: int | None = None
    date: str | None = None
    part: int | None = None
    edition: str | None = None


class Names:
    """Reads names by the patterns of some rules."""

    def __init__(self, rules: Rules) -> None:
        names = rules.names
        self._types = {extension: kind for kind, row in rules.extensions for extension in row.split()}
        self._year, self._episode = re.compile(names.year), re.compile(names.episode)
        self._quality, self._junk = re.compile(names.quality), re.compile(names.junk)
        self._track = re.compile(names.track)
        self._quality_names = dict(names.quality_names)
        self._edges, self._unnamed, self._title_cap = names.edges, names.unnamed, rules.title_cap
        # an item is published several times within minutes: created, analysed, perhaps moved
        self.read: Callable[[str], Named] = lru_cache(8_192)(self._read)
        """Read a path below its root."""
        self.media_type: Callable[[str], MediaType] = lru_cache(8_192)(self._media_type)
        """The media type by the extension."""

    def _media_type(self, path: str) -> MediaType:
        _stem, dot, extension = path.rpartition("/")[2].rpartition(".")
        return self._types.get(extension.lower(), "other") if dot else "other"

    def _read(self, path: str) -> Named:
        name = display(path.rpartition("/")[2])
        stem, dot, _extension = name.rpartition(".")
        kind = self.media_type(path)
        stem = stem if dot and stem else name
        match kind:
            case "video" | "subtitle":
                return self._video(kind, stem)
            case "audio":
                return Named(kind, self._title(self._track.sub("", _spaced(stem), count=1), stem))
            case _:
                return Named(kind, self._title(_spaced(stem), stem))

    def _video(self, kind: MediaType, stem: str) -> Named:
        text = _spaced(stem)
        quality = self._quality_in(text)
        if episode := self._episode.search(text):
            season, number = int(episode[1]), int(episode[2])
            title = self._title(text[: episode.start()], stem)
            return Named(kind, episode_title(title, season, number), None, season, number, quality, "tv_show")
        year: int | None = None
        end = len(text)
        for match in self._year.finditer(text):
            if match.start() > 0:  # the title of a film may be 1917
                year, end = int(match[1]), match.start()
        junk = self._junk.search(text)
        if junk is not None and junk.start() > 0:
            end = min(end, junk.start())
        title = self._title(text[:end], stem)
        return Named(kind, film_title(title, year), year, None, None, quality, "movie" if year else None)

    def _quality_in(self, text: str) -> str | None:
        found = self._quality.search(text)
        return None if found is None else self._quality_names.get(found[1].lower(), found[1].lower())

    def _title(self, text: str, stem: str) -> str:
        """The text without what surrounds a title; if nothing is left, the name itself."""
        clean = " ".join(text.split()).strip(self._edges)[: self._title_cap].strip()
        return clean or stem[: self._title_cap] or self._unnamed


class PathNames(Names):
    """Reads whole paths by the words of some rules."""

    def __init__(self, rules: Rules, words: PathWords) -> None:
        super().__init__(rules)
        self._paths = PathReader(words)
        self.read: Callable[[str], NamedByPath] = lru_cache(8_192)(self._read_path)
        self.path_name: Callable[[str, MediaType], PathName] = lru_cache(8_192)(self._paths.read)
        """What is read from a path for a file of a media type; the title is without the additions with which it is
        shown."""
        self.is_season = self._paths.is_season
        """Whether a directory is the directory of a season."""

    def _read_path(self, path: str) -> NamedByPath:
        kind = self.media_type(path)
        return self.named(path, kind, self.path_name(path, kind))

    def named(self, path: str, kind: MediaType, name: PathName) -> NamedByPath:
        """The same, with the title as it is shown."""
        quality = self._quality_in(_spaced(display(path))) if kind in ("video", "subtitle") else None
        return NamedByPath(
            kind, shown(name)[: self._title_cap] or self._unnamed, name.year, name.season, name.episode, quality,
            name.category, name.last_episode, name.date, name.part, name.edition,
        )  # fmt: skip


@lru_cache(8)
def names_by(rules: Rules) -> Names:
    """The one reader for these rules, shared by all callers."""
    return Names(rules) if rules.paths is None else PathNames(rules, rules.paths)


def film_title(title: str, year: int | None) -> str:
    """`The Matrix`, 1999 → `The Matrix (1999)`."""
    return title if year is None or str(year) in title else f"{title} ({year})"


def episode_title(title: str, season: int, episode: int | None) -> str:
    """`Northern Light`, 1, 2 → `Northern Light S01E02`."""
    return f"{title} S{season:02d}" + ("" if episode is None else f"E{episode:02d}")


_BESIDE = ("trailer", "extra", "sample")
"""Categories of items that belong to another item; their category is appended to the title."""


def shown(name: PathName) -> str:
    """A title as it is shown: different things have different titles."""
    title = name.title
    if name.category == "tv_show" or (
        name.category in _BESIDE and (name.season is not None or name.episode is not None)
    ):
        title += _episode_shown(name)
    elif name.category == "movie" or name.category in _BESIDE:
        title = film_title(title, name.year)
    elif name.category == "comic":
        title += ("" if name.season is None else f" v{name.season:02d}") + (
            "" if name.episode is None else f" #{name.episode}"
        )
    more = [
        name.edition,
        None if name.part is None else f"part {name.part}",
        name.category if name.category in _BESIDE else None,
    ]
    return " – ".join([title, *(word for word in more if word)])


def _episode_shown(name: PathName) -> str:
    last = "" if name.last_episode is None else f"-E{name.last_episode:02d}"
    if name.season is not None:
        return (
            "" if name.episode is None else f" S{name.season:02d}E{name.episode:02d}{last}"
        ) or f" S{name.season:02d}"
    if name.date is not None:
        return f" {name.date}"
    return "" if name.episode is None else f" E{name.episode:02d}{last}"


def _spaced(stem: str) -> str:
    text = stem.replace("_", " ")
    return text if " " in text else text.replace(".", " ")
