"""NFO files (files of facts) beside a video, as media managers write them: XML of one `movie`, `episodedetails`, `tvshow`,
`musicvideo` or `album`. Many files with this extension are texts with ASCII art for people: they are not damaged, but
have no data.

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
"""A larger file is not an NFO file: with actors and streams they have some 10 kB."""
CATEGORIES = {
    "movie": "movie",
    "episodedetails": "tv_show",
    "tvshow": "tv_show",
    "musicvideo": None,
    "album": "music",
}


def read(file: BinaryIO, path: str) -> Read:
    """Read an NFO file. Never raises for its content."""
    data = file.read(MAX_BYTES + 1)
    container = clean(path.rpartition(".")[2].lower())
    root = _root(data) if len(data) <= MAX_BYTES else None
    if root is None:
        return Read(Found(container=container))
    kind = root.tag.casefold()
    members, is_episode = _Members(root), kind == "episodedetails"
    tags = Tags(
        title=members.text("title"),
        artist=members.text("artist"),
        genre=members.text("genre"),
        date=members.text("premiered", "releasedate", "aired"),
        show=members.text("showtitle") if is_episode else members.text("title") if kind == "tvshow" else None,
        language=language(members.text("language")),
        publisher=members.text("studio"),
        description=members.text("plot", "outline", "review", "biography"),
    )
    found = Found(
        title=tags.title,
        year=year(members.text("year")) or year(tags.date),
        season=leading_number(members.text("season")) if is_episode else None,
        episode=leading_number(members.text("episode")) if is_episode else None,
        category=CATEGORIES[kind],
        container=container,
        languages=distinct([tags.language]),
        tags=None if tags == Tags() else tags,
        rating=members.rating(),
    )
    return Read(found)


def _root(data: bytes) -> Element | None:
    """The first element, if it is one of the known ones; some programs write a URL after it, which is not XML."""
    # expansions can be nested without limit, and no NFO file needs them
    if b"<!ENTITY" in data or b"<!DOCTYPE" in data:
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
    except (ParseError, LookupError, ValueError):  # not XML, or in an unknown encoding
        return None
    return None


class _Members:
    """The members of an element."""

    def __init__(self, root: Element) -> None:
        self._root = root

    def text(self, *names: str) -> str | None:
        """The first one that is not empty."""
        return next((members for name in names if (members := clean(self._root.findtext(name))) is not None), None)

    def rating(self) -> float | None:
        """The rating out of 10: `rating`, or the default one of `ratings`, which may have another maximum."""
        value, most = self._root.findtext("rating"), "10"
        for one in self._root.iterfind("ratings/rating"):
            if value is None or one.get("default") == "true":
                value, most = one.findtext("value"), one.get("max") or "10"
        try:
            rating = 10 * float(value or "") / float(most)
        except (ValueError, ZeroDivisionError):
            return None
        return round(rating, 1) if 0 < rating <= 10 else None
