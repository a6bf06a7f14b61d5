"""Books: title, author and cover of EPUB, pages and cover of comic archives, the bare kind of the others.

Archives are read with caps on every member, counted while unpacking: what a directory claims is not believed.
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from typing import BinaryIO
from urllib.parse import unquote
from xml.etree import ElementTree

from schemas.found import Found, Tags
from streams.analysis.probe import thumbnail
from streams.analysis.probe.read import Damaged, Read
from streams.analysis.probe.text import clean, distinct, language, year
from streams.analysis.wire import Picture

MAX_MEMBERS = 20_000
MAX_XML_BYTES = 4_194_304
MAX_COVER_BYTES = 16_777_216
_CONTAINER = "META-INF/container.xml"
_OPF = "{http://www.idpf.org/2007/opf}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_BOX = "{urn:oasis:names:tc:opendocument:xmlns:container}"
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
    title, author, date = (_text(package, tag) for tag in ("title", "creator", "date"))
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


def _epub_cover(book: zipfile.ZipFile, package: ElementTree.Element, folder: str) -> Picture | None:
    """EPUB 3 marks it by a property, EPUB 2 by a `meta` that names its id."""
    meta = package.find(f".//{_OPF}meta[@name='cover']")
    marked = None if meta is None else meta.get("content")
    for item in package.iter(f"{_OPF}item"):
        properties = (item.get("properties") or "").split()
        if "cover-image" in properties or (marked is not None and item.get("id") == marked):
            name = posixpath.normpath(posixpath.join(folder, unquote(item.get("href") or "")))
            return _cover(book, name)
    return None


def _comic(book: zipfile.ZipFile) -> Read:
    pages = sorted(name for name in book.namelist() if name.lower().endswith(_PAGES))
    if not pages:
        raise Damaged("there is no page in it")
    return Read(Found(category="book", container="cbz", pages=len(pages)), _cover(book, pages[0]))


def _cover(book: zipfile.ZipFile, name: str) -> Picture | None:
    try:
        return thumbnail.of_bytes(_member(book, name, MAX_COVER_BYTES))
    except Damaged:  # a book without its cover can still be read
        return None
