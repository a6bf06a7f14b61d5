"""Documents of word processors in ZIP archives: DOCX and ODT. Reads their metadata, and the thumbnail that some
contain.

The parts are those of ECMA-376-2 (docProps/core.xml, docProps/app.xml) and of OpenDocument 1.2 (meta.xml, Thumbnails/).
The date when a document was made is not when a book was published, so it is not used as year."""

from __future__ import annotations

from typing import Literal
from xml.etree.ElementTree import Element

from schemas.found import Found, Tags
from streams.analysis.probe.books import covers, words, xml
from streams.analysis.probe.books.archive import Archive
from streams.analysis.probe.books.notes import Notes
from streams.analysis.probe.read import Damaged, Read
from streams.analysis.probe.text import distinct, language, leading_number
from streams.analysis.wire import Picture

Kind = Literal["docx", "odt"]
_METADATA_PARTS: dict[Kind, tuple[str, ...]] = {
    "docx": ("docProps/core.xml", "docProps/app.xml"),
    "odt": ("meta.xml",),
}
_CONTENTS: dict[Kind, str] = {"docx": "word/document.xml", "odt": "content.xml"}
_PICTURES = (
    "docProps/thumbnail.jpeg",
    "docProps/thumbnail.jpg",
    "docProps/thumbnail.png",
    "Thumbnails/thumbnail.png",
)
_AUTHORS = ("initial-creator", "creator")
"""In OpenDocument `creator` is the last author who changed the document."""


def kind_of(book: Archive) -> Kind | None:
    """The kind, by the part with the text; None for another archive."""
    return next((kind for kind, part in _CONTENTS.items() if book.find(part) is not None), None)


def read(book: Archive, kind: Kind) -> Read:
    """Read a document. Its text is not read, so it need not be intact."""
    notes = Notes()
    parts = [part for name in _METADATA_PARTS[kind] if (part := _part(book, name, notes)) is not None]
    authors = next((names for key in _AUTHORS if any(names := words.split_names(_field(parts, key)))), [])
    tongue = language(_field(parts, "language"))
    tags = Tags(
        title=words.title(_field(parts, "title")),
        artist=words.joined(authors),
        date=words.day(_field(parts, "created", "creation-date")),
        language=tongue,
        description=words.prose(_field(parts, "description") or _field(parts, "subject")),
    )
    picture = _picture(book, notes)
    found = Found(
        title=tags.title,
        category="book",
        container=kind,
        pages=_pages(parts),
        languages=distinct([tongue]),
        tags=None if tags == Tags() else tags,
        credits=words.credits_of((author, "author") for author in authors),
        warnings=notes.all,
    )
    return Read(found, picture)


def _part(book: Archive, name: str, notes: Notes) -> Element | None:
    if book.find(name) is None:
        return None
    try:
        return book.xml(name, notes)
    except Damaged as error:
        notes.add(error.reason)
        return None


def _field(parts: list[Element], *names: str) -> str | None:
    return next((text for part in parts for e in xml.each(part, *names) if (text := xml.text(e))), None)


def _pages(parts: list[Element]) -> int | None:
    """The number of pages as counted by the program that wrote it."""
    counted = [xml.attribute(e, "page-count") for part in parts for e in xml.each(part, "document-statistic")]
    return leading_number(_field(parts, "Pages")) or leading_number(next(iter(counted), None))


def _picture(book: Archive, notes: Notes) -> Picture | None:
    name = next((found for place in _PICTURES if (found := book.find(place)) is not None), None)
    if name is None:
        return None
    try:
        return covers.of(book.read(name, covers.MAX_COVER_BYTES), notes)
    except Damaged as error:
        notes.add(f"no picture of it: {error.reason}")
        return None
