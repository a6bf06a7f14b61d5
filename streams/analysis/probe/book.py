"""Books: title, author and cover of EPUB, pages and cover of comic archives, the bare kind of the others.

Archives are read with caps on every member, counted while unpacking: what a directory claims is not believed.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from typing import BinaryIO
from urllib.parse import unquote
from xml.etree import ElementTree

from schemas.found import Found, Tags
from streams.analysis.probe import thumbnail
from streams.analysis.probe.read import Damaged, Read
from streams.analysis.probe.text import clean, distinct, language, leading_number, year
from streams.analysis.wire import Picture

MAX_MEMBERS = 20_000
MAX_XML_BYTES = 4_194_304
MAX_COVER_BYTES = 16_777_216
_CONTAINER = "META-INF/container.xml"
_OPF = "{http://www.idpf.org/2007/opf}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_BOX = "{urn:oasis:names:tc:opendocument:xmlns:container}"
_NUMBERS = re.compile(r"([0-9]{1,9})")
_PAGES = (".jpg", ".jpeg", ".png", ".webp", ".gif")


def read(file: BinaryIO, path: str) -> Read:
    """Raises Damaged."""
    extension = path.rpartition(".")[2].lower()
    match extension:
        case "epub":
            with _archive(file) as book:
                return _epub(book)
        case "cbz":
            with _archive(file) as book:
                return _comic(book)
        case "pdf":
            if b"%PDF-" not in file.read(1024):
                raise Damaged("it is no PDF document, although its name says so")
    return Read(Found(category="book", container=clean(extension)))


def _archive(file: BinaryIO) -> zipfile.ZipFile:
    try:
        book = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise Damaged(f"it is no whole archive: {error}") from error
    if len(book.infolist()) > MAX_MEMBERS:
        raise Damaged(f"it holds more than {MAX_MEMBERS} members")
    return book


def _member(book: zipfile.ZipFile, name: str, limit: int) -> bytes:
    try:
        with book.open(name) as member:
            data = member.read(limit + 1)
    except KeyError as error:
        raise Damaged(f"{clean(name)} is missing in it") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise Damaged(f"{clean(name)} in it cannot be unpacked: {error}") from error
    if len(data) > limit:
        raise Damaged(f"{clean(name)} in it is larger than {limit} bytes")
    return data


def _xml(book: zipfile.ZipFile, name: str) -> ElementTree.Element:
    data = _member(book, name, MAX_XML_BYTES)
    if b"<!ENTITY" in data:  # expansions can be nested without end, and no book needs them
        raise Damaged(f"{clean(name)} in it defines entities")
    try:
        return ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError) as error:
        raise Damaged(f"{clean(name)} in it is no XML: {error}") from error


def _epub(book: zipfile.ZipFile) -> Read:
    place = _xml(book, _CONTAINER).find(f".//{_BOX}rootfile")
    name = None if place is None else place.get("full-path")
    if not name:
        raise Damaged("it does not say where its contents begin")
    package = _xml(book, name)
    title, author, date = _text(package, "title"), _authors(package), _published(package)
    tongue = language(_text(package, "language"))
    found = Found(
        title=title,
        year=year(date),
        category="book",
        container="epub",
        languages=distinct([tongue]),
        tags=Tags(title=title, artist=author, date=date),
    )
    return Read(found, _epub_cover(book, package, posixpath.dirname(name)))


def _text(package: ElementTree.Element, tag: str) -> str | None:
    element = package.find(f".//{_DC}{tag}")
    return None if element is None else clean(element.text)


def _authors(package: ElementTree.Element) -> str | None:
    """Who wrote it, in their order; not who translated, drew or made it. EPUB 2 says the role at the name, EPUB 3 in a
    `meta` that refines it."""
    roles = {
        (meta.get("refines") or "").removeprefix("#"): (meta.text or "").strip()
        for meta in package.iter(f"{_OPF}meta")
        if meta.get("property") == "role"
    }
    found: list[str | None] = []
    others: list[str | None] = []
    for creator in package.iter(f"{_DC}creator"):
        role = creator.get(f"{_OPF}role") or roles.get(creator.get("id") or "") or "aut"
        (found if role == "aut" else others).append(clean(creator.text))
    return clean(", ".join(distinct(found) or distinct(others)))


def _published(package: ElementTree.Element) -> str | None:
    """When it was published: not when the file was made, or changed last."""
    dates = [(element.get(f"{_OPF}event") or "", clean(element.text)) for element in package.iter(f"{_DC}date")]
    said = [(event, date) for event, date in dates if date is not None and year(date) is not None]
    for wanted in ("original-publication", "publication", ""):
        if (date := next((date for event, date in said if event == wanted), None)) is not None:
            return date
    return None


def _epub_cover(book: zipfile.ZipFile, package: ElementTree.Element, folder: str) -> Picture | None:
    """EPUB 3 marks it by a property, EPUB 2 by a `meta` that names its id or its place; others call it so."""
    meta = package.find(f".//{_OPF}meta[@name='cover']")
    marked = None if meta is None else meta.get("content")
    items = [item for item in package.iter(f"{_OPF}item") if (item.get("media-type") or "").startswith("image/")]

    def rank(item: ElementTree.Element) -> int | None:
        id_, href = item.get("id") or "", item.get("href") or ""
        signs = (
            "cover-image" in (item.get("properties") or "").split(), marked is not None and marked in (id_, href),
            id_.casefold() in ("cover", "cover-image", "coverimage"),
            posixpath.basename(href).casefold().startswith("cover."),
        )  # fmt: skip
        return signs.index(True) if True in signs else None

    ranked = [(place, item) for item in items if (place := rank(item)) is not None]
    if not ranked:
        return None
    _, best = min(ranked, key=lambda pair: pair[0])
    return _cover(book, posixpath.normpath(posixpath.join(folder, unquote(best.get("href") or ""))))


def _comic(book: zipfile.ZipFile) -> Read:
    pages = sorted((name for name in book.namelist() if _is_page(name)), key=_natural)
    if not pages:
        raise Damaged("there is no page in it")
    told, warnings = _told_by_comic_info(book)
    found = Found(
        year=None if told is None else year(told.date), category="book", container="cbz", pages=len(pages), tags=told,
        warnings=warnings,
    )  # fmt: skip
    return Read(found, _cover(book, pages[0]))


def _is_page(name: str) -> bool:
    """A picture, and none of those that a Mac leaves beside it."""
    parts = name.split("/")
    return name.lower().endswith(_PAGES) and "__MACOSX" not in parts and not parts[-1].startswith(".")


def _natural(name: str) -> list[tuple[int, int, str]]:
    """As people count: page 2 before page 10."""
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part.casefold())
        for part in _NUMBERS.split(name)
        if part
    ]


def _told_by_comic_info(book: zipfile.ZipFile) -> tuple[Tags | None, tuple[str, ...]]:
    """`ComicInfo.xml`: the series as album, its number as track. Where it cannot be read the comic still can."""
    name = next((name for name in book.namelist() if name.casefold() == "comicinfo.xml"), None)
    if name is None:
        return None, ()
    try:
        root = _xml(book, name)
    except Damaged as error:
        return None, (error.reason,)
    said = {element.tag: clean(element.text) for element in root}
    tags = Tags(
        title=said.get("Title"), artist=said.get("Writer"), album=said.get("Series"),
        track=leading_number(said.get("Number")), disc=leading_number(said.get("Volume")), genre=said.get("Genre"),
        date=said.get("Year"),
    )  # fmt: skip
    return (None if tags == Tags() else tags), ()


def _cover(book: zipfile.ZipFile, name: str) -> Picture | None:
    try:
        return thumbnail.of_bytes(_member(book, name, MAX_COVER_BYTES))
    except Damaged:  # a book without its cover can still be read
        return None
