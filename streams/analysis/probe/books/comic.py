"""Comics: pictures in any kind of archive, in natural order of their names. `comic_info` reads ComicInfo.xml."""

from __future__ import annotations

import posixpath
import re
from functools import partial
from typing import Protocol

from schemas.found import Found
from streams.analysis.probe.books import comic_info, covers
from streams.analysis.probe.books.notes import Notes
from streams.analysis.probe.read import Damaged, Read
from streams.analysis.probe.text import distinct, year
from streams.analysis.wire import Picture

PAGES = (".jpg", ".jpeg", ".jpe", ".png", ".webp", ".gif", ".avif", ".bmp", ".jxl", ".jp2", ".tif", ".tiff")
MAX_INFO_BYTES = 1_048_576
"""Maximum bytes of ComicInfo.xml, which also lists the pages."""
MAX_NAME = 500
"""Characters of a name by which pages are sorted."""
MAX_TRIED = 3
"""Pages that are tried as a cover: the first may be damaged."""
_NUMBERS = re.compile(r"([0-9]{1,9})")


class Members(Protocol):
    """An open archive."""

    @property
    def names(self) -> list[str]:
        """The names of its files, as written."""
        ...

    def read(self, name: str, limit: int) -> bytes:
        """Read one file. Raises Damaged."""
        ...


def read(members: Members, container: str, notes: Notes) -> Read:
    """Read a comic. Raises Damaged if there is no page."""
    pages = sorted((name for name in members.names if _is_page(name)), key=_natural)
    if not pages:
        raise Damaged("there is no page in it")
    info = _comic_info(members, notes)
    tags = info.tags
    picture = _cover(members, [*pages[info.front : info.front + 1], *pages], notes)
    seen = Found(
        year=None if tags is None else year(tags.date),
        category="comic",
        container=container,
        pages=len(pages),
        languages=distinct([None if tags is None else tags.language]),
        tags=tags,
        credits=info.credits,
        warnings=notes.all,
    )
    return Read(seen, picture)


def not_read(container: str, warnings: tuple[str, ...]) -> Read:
    """The result for an archive whose pages cannot be read."""
    return Read(Found(category="comic", container=container, warnings=warnings))


def has_pages(members: Members) -> bool:
    """Whether the archive can be a comic."""
    return any(_is_page(name) for name in members.names)


def _is_page(name: str) -> bool:
    """Whether a file is a picture, and not one of the files that macOS adds."""
    parts = name.replace("\\", "/").split("/")
    return (
        name.casefold().endswith(PAGES)
        and "__MACOSX" not in parts
        and not any(part.startswith(".") and part.strip(".") for part in parts)
    )


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key in natural order: page 2 before page 10."""
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part.casefold())
        for part in _NUMBERS.split(name[:MAX_NAME])
        if part
    ]


def _cover(members: Members, pages: list[str], notes: Notes) -> Picture | None:
    reading = (partial(members.read, page, covers.MAX_COVER_BYTES) for page in pages[:MAX_TRIED])
    return covers.first(reading, notes)


def _comic_info(members: Members, notes: Notes) -> comic_info.Info:
    """Read ComicInfo.xml; if that fails, the comic can still be read."""
    name = next((one for one in members.names if posixpath.basename(one).casefold() == "comicinfo.xml"), None)
    if name is None:
        return comic_info.Info()
    try:
        info = comic_info.read(members.read(name, MAX_INFO_BYTES))
    except Damaged as error:
        notes.add(error.reason)
        return comic_info.Info()
    if info.wrong is not None:
        notes.add(f"ComicInfo.xml in it {info.wrong}")
    return info
