"""Comics: pictures in an archive, whichever it is, read in the order in which people count; and what ComicInfo.xml says.

ComicInfo.xml is the Anansi project's (github.com/anansi-project/comicinfo, schema 2.1). Its series is the album too,
its number the track, its volume the disc: a comic is called by these."""

from __future__ import annotations

import posixpath
import re
from typing import Protocol

from schemas.found import Found, Tags
from streams.analysis.probe.books import covers, words, xml
from streams.analysis.probe.books.notes import Notes
from streams.analysis.probe.read import Damaged, Read
from streams.analysis.probe.text import clean, distinct, language, leading_number, year
from streams.analysis.wire import Picture

PAGES = (".jpg", ".jpeg", ".jpe", ".png", ".webp", ".gif", ".avif", ".bmp", ".jxl", ".jp2", ".tif", ".tiff")
MAX_INFO_BYTES = 1_048_576
"""Of ComicInfo.xml, which lists its pages too."""
MAX_TRIED = 3
"""Pages that are tried as a cover: the first may be damaged."""
_NUMBERS = re.compile(r"([0-9]{1,9})")
_CREDITS = {
    "Writer": "author", "Penciller": "penciller", "Inker": "inker", "Colorist": "colorist", "Letterer": "letterer",
    "CoverArtist": "cover artist", "Editor": "editor", "Translator": "translator",
}  # fmt: skip


class Members(Protocol):
    """An open archive."""

    @property
    def names(self) -> list[str]:
        """Of its files, as they are written."""
        ...

    def read(self, name: str, limit: int) -> bytes:
        """One of them. Raises Damaged."""
        ...


def read(members: Members, container: str, notes: Notes) -> Read:
    """Raises Damaged where there is no page."""
    pages = sorted((name for name in members.names if _is_page(name)), key=_natural)
    if not pages:
        raise Damaged("there is no page in it")
    tags, found = _told(members, notes)
    picture = _cover(members, pages, notes)
    seen = Found(
        year=None if tags is None else year(tags.date),
        category="comic",
        container=container,
        pages=len(pages),
        languages=distinct([None if tags is None else tags.language]),
        tags=tags,
        credits=words.credits_of(found),
        warnings=notes.all,
    )
    return Read(seen, picture)


def not_read(container: str, warnings: tuple[str, ...]) -> Read:
    """Of an archive whose pages nobody can tell."""
    return Read(Found(category="comic", container=container, warnings=warnings))


def has_pages(members: Members) -> bool:
    """Whether it can be a comic."""
    return any(_is_page(name) for name in members.names)


def _is_page(name: str) -> bool:
    """A picture, and none of those that a Mac leaves beside it."""
    parts = name.replace("\\", "/").split("/")
    return (
        name.casefold().endswith(PAGES)
        and "__MACOSX" not in parts
        and not any(part.startswith(".") and part.strip(".") for part in parts)
    )


def _natural(name: str) -> list[tuple[int, int, str]]:
    """As people count: page 2 before page 10."""
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part.casefold())
        for part in _NUMBERS.split(name)
        if part
    ]


def _cover(members: Members, pages: list[str], notes: Notes) -> Picture | None:
    wrong = Notes()
    for page in pages[:MAX_TRIED]:
        try:
            picture = covers.of(members.read(page, covers.MAX_COVER_BYTES), wrong)
        except Damaged as error:
            wrong.add(f"no picture of it: {error.reason}")
            continue
        if picture is not None:
            return picture
    for reason in wrong.all:
        notes.add(reason)
    return None


def _told(members: Members, notes: Notes) -> tuple[Tags | None, list[tuple[str | None, str | None]]]:
    """Where it cannot be read the comic still can."""
    name = next((one for one in members.names if posixpath.basename(one).casefold() == "comicinfo.xml"), None)
    if name is None:
        return None, []
    try:
        info = xml.parsed([members.read(name, MAX_INFO_BYTES)])
    except Damaged as error:
        notes.add(error.reason)
        return None, []
    if info.wrong is not None:
        notes.add(f"ComicInfo.xml in it {info.wrong}")
    said = {xml.local(element.tag): element.text for element in (() if info.root is None else info.root)}
    people: list[tuple[str | None, str | None]] = [
        (who, does) for key, does in _CREDITS.items() for who in _people(said.get(key))
    ]
    tags = _tags(said)
    return (None if tags == Tags() else tags), people


def _tags(said: dict[str, str | None]) -> Tags:
    return Tags(
        title=clean(said.get("Title")),
        artist=words.joined(_people(said.get("Writer"))),
        album=clean(said.get("Series")),
        track=leading_number(said.get("Number")),
        disc=leading_number(said.get("Volume")),
        tracks=leading_number(said.get("Count")),
        genre=_genre(said),
        date=_date(said),
        series=clean(said.get("Series")),
        number=words.ordinal(said.get("Number")),
        language=language(said.get("LanguageISO")),
        publisher=words.name(said.get("Publisher")),
        description=words.prose(said.get("Summary")),
    )


def _people(text: str | None) -> list[str | None]:
    return [words.name(part) for part in (clean(text) or "").split(",")]


def _genre(said: dict[str, str | None]) -> str | None:
    """`Manga` says of itself `Yes` or `YesAndRightToLeft`."""
    manga = "Manga" if (said.get("Manga") or "").strip().startswith("Yes") else None
    return words.joined([*(_people(said.get("Genre"))), manga], words.MAX_GENRES)


def _date(said: dict[str, str | None]) -> str | None:
    """As far as it is known: year, month, day."""
    known = year(said.get("Year"))
    if known is None:
        return None
    month, day = leading_number(said.get("Month")), leading_number(said.get("Day"))
    if month is None or month > 12:
        return f"{known}"
    return f"{known}-{month:02}" if day is None or day > 31 else f"{known}-{month:02}-{day:02}"
