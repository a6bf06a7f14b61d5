"""Files of facts (`.nfo`) beside a video, as media managers write them: XML of one `movie`, `episodedetails`, `tvshow`,
`musicvideo` or `album`. Many of that name are a text for people with a picture made of signs: that is no damage, and tells
nothing.

The members are those that Kodi documents for its NFO files.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, cast
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

from schemas.found import Found, Tags
from streams.analysis.probe.read import Read
from streams.analysis.probe.text import clean, distinct, language, leading_number, year

MAX_BYTES = 262_144
"""More is no file of facts: actors, streams and all, they have some 10 kB."""
CATEGORIES = {
    "movie": "movie",
    "episodedetails": "tv_show",
    "tvshow": "tv_show",
    "musicvideo": None,
    "album": "music",
}


def read(file: BinaryIO, path: str) -> Read:
    """Never raises for what is in it."""
    data = file.read(MAX_BYTES + 1)
    container = clean(path.rpartition(".")[2].lower())
    root = _root(data) if len(data) <= MAX_BYTES else None
    if root is None:
        return Read(Found(container=container))
    kind = root.tag.casefold()
    said, is_episode = _Said(root), kind == "episodedetails"
    tags = Tags(
        title=said.text("title"),
        artist=said.text("artist"),
        genre=said.text("genre"),
        date=said.text("premiered", "releasedate", "aired"),
        show=said.text("showtitle") if is_episode else said.text("title") if kind == "tvshow" else None,
        language=language(said.text("language")),
        publisher=said.text("studio"),
        description=said.text("plot", "outline", "review", "biography"),
    )
    found = Found(
        title=tags.title,
        year=year(said.text("year")) or year(tags.date),
        season=leading_number(said.text("season")) if is_episode else None,
        episode=leading_number(said.text("episode")) if is_episode else None,
        category=CATEGORIES[kind],
        container=container,
        languages=distinct([tags.language]),
        tags=None if tags == Tags() else tags,
        rating=said.rating(),
    )
    return Read(found)


def _root(data: bytes) -> Element | None:
    """The first element, where it is one of facts: after it some write an address, which is no XML."""
    if b"<!ENTITY" in data or b"<!DOCTYPE" in data:  # expansions can be nested without end, and no facts need them
        return None
    parser: XMLPullParser[Element] = XMLPullParser(events=("start", "end"))
    depth = 0
    try:
        parser.feed(data.lstrip(b"\xef\xbb\xbf\r\n\t "))
        for event, element in cast("Iterator[tuple[str, Element]]", parser.read_events()):
            depth += 1 if event == "start" else -1
            if event == "start" and depth == 1 and element.tag.casefold() not in CATEGORIES:
                return None
            if depth == 0:
                return element
    except (ParseError, LookupError, ValueError):  # no XML, or in an encoding that nobody knows
        return None
    return None


class _Said:
    """The members of an element."""

    def __init__(self, root: Element) -> None:
        self._root = root

    def text(self, *names: str) -> str | None:
        """The first that says anything."""
        return next((said for name in names if (said := clean(self._root.findtext(name))) is not None), None)

    def rating(self) -> float | None:
        """Of 10: `rating`, or the default of `ratings`, which may be of another number."""
        value, most = self._root.findtext("rating"), "10"
        for one in self._root.iterfind("ratings/rating"):
            if value is None or one.get("default") == "true":
                value, most = one.findtext("value"), one.get("max") or "10"
        try:
            rating = 10 * float(value or "") / float(most)
        except (ValueError, ZeroDivisionError):
            return None
        return round(rating, 1) if 0 < rating <= 10 else None
