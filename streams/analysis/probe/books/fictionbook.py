"""FictionBook (FB2): its description, and the cover out of the binaries behind the text.

Elements are those of FictionBook 2.1 (github.com/gribuser/fb2, FictionBook.xsd), known by their local names. The
description stands first and is read as a tree, in whatever encoding the file says; the text is never read. The binaries
come last: they are searched for as bytes, which are the same in every encoding used for books (UTF-8, windows-1251),
and the text between need not be well-formed."""

from __future__ import annotations

import base64
import binascii
import io
import itertools
import re
from collections.abc import Iterator
from typing import BinaryIO
from xml.etree.ElementTree import Element

from msgspec import structs

from schemas.found import Found, Tags
from streams.analysis.probe.books import covers, pieces, words, xml
from streams.analysis.probe.books.archive import Archive
from streams.analysis.probe.books.notes import Notes
from streams.analysis.probe.read import Damaged, Read
from streams.analysis.probe.text import clean, distinct, language, year
from streams.analysis.wire import Picture

PIECE = 65_536
MAX_DESCRIPTION = 2_097_152
"""Bytes in which the description must end."""
MAX_SCANNED = 67_108_864
"""Bytes that are searched for the cover; a book with many pictures has ten million bytes."""
MAX_UNPACKED = 33_554_432
"""Maximum bytes of a book in a ZIP archive, which is read into memory."""
MAX_BASE64 = covers.MAX_COVER_BYTES // 3 * 4
MAX_BINARIES = 5_000
"""Maximum pictures that are searched for the cover."""
_BINARY = re.compile(rb"<binary\b([^<>]{0,500})>")
_ID = re.compile(rb"\bid\s*=\s*[\"']([^\"']{0,300})[\"']")
MAX_TAG = 512
"""Bytes of an element's beginning."""


def is_one(head: bytes) -> bool:
    """Whether it is FictionBook, by its first element."""
    return b"<FictionBook" in head or "<FictionBook".encode("utf-16-le") in head


def may_be_one(head: bytes) -> bool:
    """Whether it is XML whose first element comes later."""
    return (
        head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"<?xml", b"<!--", b"\xff\xfe<\0", b"\xfe\xff\0<"))
    )


def packed_in(book: Archive) -> str | None:
    """The book's name in an archive, if there is one."""
    return next((name for name in book.names if name.casefold().endswith(".fb2")), None)


def read_packed(book: Archive, name: str) -> Read:
    """Raises Damaged."""
    return read(io.BytesIO(book.read(name, MAX_UNPACKED)))


def read(file: BinaryIO) -> Read:
    """Raises Damaged."""
    notes = Notes()
    description = xml.parsed(_pieces(file, MAX_DESCRIPTION), until="description")
    if description.wrong == "defines entities" or description.root is None:
        raise Damaged(f"it {description.wrong or 'is empty'}")
    if xml.local(description.root.tag) != "FictionBook":
        raise Damaged("it is no FictionBook, although its name says so")
    if description.wrong is not None:
        notes.add("it is damaged or cut off: what it says of itself may not be whole")
    book, printed = xml.first(description.root, "title-info"), xml.first(description.root, "publish-info")
    found = _found(book, printed)
    picture = _cover(file, book, notes)
    return Read(structs.replace(found, warnings=notes.all), picture)


def _found(book: Element | None, printed: Element | None) -> Found:
    authors = [_person(element) for element in xml.each(book, "author")]
    translators = [_person(element) for element in xml.each(book, "translator")]
    series = next(
        (e for e in [*xml.each(book, "sequence"), *xml.each(printed, "sequence")] if clean(e.get("name"))), None
    )
    title = clean(xml.text(xml.first(book, "book-title")))
    tongue = language(xml.text(xml.first(book, "lang")))
    date = _date(xml.first(book, "date")) or words.day(xml.text(xml.first(printed, "year")))
    tags = Tags(
        title=title,
        artist=words.joined(authors),
        genre=words.joined((clean(e.text) for e in xml.each(book, "genre")), words.MAX_GENRES),
        date=date,
        series=None if series is None else clean(series.get("name")),
        number=None if series is None else words.ordinal(series.get("number")),
        language=tongue,
        publisher=words.name(xml.text(xml.first(printed, "publisher"))),
        description=words.prose(xml.text(xml.first(book, "annotation"))),
    )
    people = [(person, "author") for person in authors] + [(person, "translator") for person in translators]
    return Found(
        title=title,
        year=year(date),
        category="book",
        container="fb2",
        languages=distinct([tongue]),
        tags=None if tags == Tags() else tags,
        credits=words.credits_of(people),
    )


def _person(element: Element) -> str | None:
    """First, middle and last name; a nickname if there is none of them."""
    parts = [clean(xml.text(xml.first(element, part))) for part in ("first-name", "middle-name", "last-name")]
    return words.name(" ".join(part for part in parts if part)) or words.name(
        xml.text(xml.first(element, "nickname"))
    )


def _date(element: Element | None) -> str | None:
    """When it was written: the attribute is machine-readable, the text is for people."""
    return None if element is None else words.day(element.get("value")) or words.day(element.text)


def _pieces(file: BinaryIO, most: int) -> Iterator[bytes]:
    for offset in range(0, most, PIECE):
        piece = pieces.at(file, offset, PIECE)
        if not piece:
            return
        yield piece


def _cover(file: BinaryIO, book: Element | None, notes: Notes) -> Picture | None:
    image = xml.first(xml.first(book, "coverpage"), "image")
    href = None if image is None else xml.attribute(image, "href")
    if not href:
        return None
    data = _binary(file, href.removeprefix("#").encode("utf-8", "replace"))
    if data is None:
        notes.add("no picture of it: its cover is missing or cut off")
        return None
    return covers.of(data, notes)


def _binary(file: BinaryIO, id_: bytes) -> bytes | None:
    """The bytes behind an id."""
    for start, attributes in itertools.islice(_binaries(file), MAX_BINARIES):
        found = _ID.search(attributes)
        if found is not None and found[1] == id_:
            text, ended, _ = pieces.at(file, start, MAX_BASE64).partition(b"</")
            try:
                return base64.b64decode(text) if ended else None
            except binascii.Error:
                return None
    return None


def _binaries(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Where the contents of each binary begin, and its attributes. Pieces overlap by the maximum length of a tag."""
    after = 0
    for offset in range(0, MAX_SCANNED, PIECE * 16):
        piece = pieces.at(file, offset, PIECE * 16 + MAX_TAG)
        if not piece:
            return
        for found in _BINARY.finditer(piece):
            if offset + found.start() >= after:
                after = offset + found.end()
                yield after, found[1]
