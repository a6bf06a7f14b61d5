"""EPUB: finds its package, and its cover by every convention in use. `package` reads the metadata in the package.

The container is OCF 3.3 (META-INF/container.xml names the package). In a book with encrypted parts all this is not
encrypted; a package that is not where the container says is searched for."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from xml.etree.ElementTree import Element

from schemas.found import Found
from streams.analysis.probe.books import covers, package, xml
from streams.analysis.probe.books.archive import Archive
from streams.analysis.probe.books.notes import Notes
from streams.analysis.probe.read import Damaged, Read
from streams.analysis.wire import Picture

CONTAINER = "META-INF/container.xml"
MAX_PAGE_BYTES = 1_048_576
"""Maximum bytes of a page that shows the cover, which has a few lines."""
MAX_ITEMS = 20_000
MAX_CANDIDATES, MAX_TRIED = 20, 6
"""Maximum members that are tried as cover, and pictures that are opened."""
_COVER_IDS = (
    "cover",
    "cover-image",
    "coverimage",
    "cover_image",
    "img-cover",
    "cover-img",
    "cover.jpg",
    "cover.png",
)
_SHOWN = re.compile(
    rb"<(?:\w{1,20}:)?(?:img|image)\b[^<>]{0,2000}?\b(?:src|href)\s{0,9}=\s{0,9}[\"']([^\"'<>]{1,1000})[\"']", re.I
)
"""A picture in a page, in HTML or SVG; a page need not be well-formed XML."""


def read(book: Archive) -> Read:
    """Read a book. Raises Damaged if neither package nor cover can be found."""
    notes = Notes()
    try:
        opened = _package(book, notes)
    except Damaged as error:
        picture = _lone_cover(book, notes)
        if picture is None:
            raise
        notes.add(error.reason)
        return Read(Found(category="book", container="epub", warnings=notes.all), picture)
    metadata = package.read_metadata(opened.root)
    picture = _cover(book, opened, notes)
    found = Found(
        title=metadata.tags.title,
        year=metadata.year,
        category="book",
        container="epub",
        languages=metadata.languages,
        tags=metadata.tags,
        credits=metadata.credits,
        warnings=notes.all,
    )
    return Read(found, picture)


@dataclass(frozen=True, slots=True)
class _Opened:
    """The package. `folder`: its folder, to which its links are relative."""

    root: Element
    folder: str

    def place(self, href: str, page: str | None = None) -> str:
        folder = self.folder if page is None else posixpath.dirname(page)
        return posixpath.normpath(posixpath.join(folder, href.partition("#")[0]))


def _package(book: Archive, notes: Notes) -> _Opened:
    declared = _declared_package(book, notes)
    name = None if declared is None else book.find(declared)
    if name is None:
        name = next((one for one in book.names if one.casefold().endswith(".opf")), None)
        if name is None:
            raise Damaged("it does not say where its contents begin")
        notes.add("it does not say rightly where its contents begin; they were found all the same")
    root = book.xml(name, notes)
    return _Opened(root, posixpath.dirname(name))


def _declared_package(book: Archive, notes: Notes) -> str | None:
    try:
        container = book.xml(CONTAINER, notes)
    except Damaged as error:
        if "entities" in error.reason:
            raise
        notes.add(error.reason)
        return None
    return next((path for e in xml.each(container, "rootfile") if (path := e.get("full-path"))), None)


def _lone_cover(book: Archive, notes: Notes) -> Picture | None:
    """The picture named `cover`, for a book without any metadata."""
    for name in book.names:
        base = posixpath.basename(name).casefold()
        if base.startswith("cover.") and base.endswith((".jpg", ".jpeg", ".png", ".webp", ".gif")):
            try:
                return covers.of(book.read(name, covers.MAX_COVER_BYTES), notes)
            except Damaged as error:
                notes.add(error.reason)
    return None


def _cover(book: Archive, opened: _Opened, notes: Notes) -> Picture | None:
    """The first candidate that is a picture. SVG is skipped, because nothing here renders it."""
    return covers.first(
        (partial(book.read, name, covers.MAX_COVER_BYTES) for name in _distinct(book, opened)), notes
    )


def _distinct(book: Archive, opened: _Opened) -> Iterator[str]:
    """The members named by the candidates, each once, MAX_TRIED at most."""
    tried: dict[str, None] = {}
    for place in itertools.islice(_candidates(opened), MAX_CANDIDATES):
        if len(tried) >= MAX_TRIED:
            break
        name = _pictured(book, opened, place)
        if name is None or name in tried or name.casefold().endswith((".svg", ".svgz")):
            continue
        tried[name] = None
        yield name


def _candidates(opened: _Opened) -> Iterator[str]:
    """Paths of pictures, or of pages that show one, the most reliable first: EPUB 3 marks an item by a property, EPUB 2
    by a `meta` with its id or path, or in the guide; others only name it `cover`; and often it is the only content of
    the first page."""
    items = list(xml.each(opened.root, "item"))[:MAX_ITEMS]
    by_id = {item.get("id"): item.get("href") for item in items if item.get("id") and item.get("href")}
    for item in items:
        if "cover-image" in (item.get("properties") or "").split():
            yield item.get("href") or ""
    for meta in xml.each(opened.root, "meta"):
        if (meta.get("name") or "").casefold() == "cover" and (cover := meta.get("content")):
            yield by_id.get(cover) or cover
    for item in items:
        if _is_picture(item) and _is_called_cover(item):
            yield item.get("href") or ""
    for reference in xml.each(opened.root, "reference"):
        if "cover" in (reference.get("type") or "").casefold():
            yield reference.get("href") or ""
    first = next(xml.each(opened.root, "itemref"), None)
    if first is not None and (page := by_id.get(first.get("idref") or "")):
        yield page


def _is_picture(item: Element) -> bool:
    return (item.get("media-type") or "").startswith("image/")


def _is_called_cover(item: Element) -> bool:
    base = posixpath.basename(item.get("href") or "").casefold()
    return (item.get("id") or "").casefold() in _COVER_IDS or base.startswith("cover.")


def _pictured(book: Archive, opened: _Opened, href: str) -> str | None:
    """The member with the picture: the one at the path, or the first picture in the page there."""
    name = book.find(opened.place(href)) or book.find(href)
    if name is None or not name.casefold().endswith((".xhtml", ".html", ".htm", ".xml")):
        return name
    try:
        shown = _SHOWN.search(book.read(name, MAX_PAGE_BYTES))
    except Damaged:
        return None
    return None if shown is None else book.find(opened.place(shown[1].decode("utf-8", "replace"), name))
