"""Books and comics: which of the formats in `books` a file is. Its contents decide, its name only where they do not: a
comic that is called CBR is a ZIP archive more often than not.

Of a format that is not supported only its kind is returned. A file whose contents do not match its name has failed."""

from __future__ import annotations

from typing import BinaryIO

from schemas.found import Found
from streams.analysis.probe.books import comic, djvu, epub, fictionbook, mobi, office, pdf, pieces, rar, rtf, tar
from streams.analysis.probe.books.archive import Archive, opened
from streams.analysis.probe.books.notes import Notes
from streams.analysis.probe.read import Damaged, Read
from streams.analysis.probe.text import clean

HEAD = 4_096
"""Bytes by which a format is known."""
_PDF_WITHIN = 1_024
"""PDF readers search for the signature in so many bytes (Adobe's implementation note 13)."""
_MAGIC = (
    (0, b"PK\x03\x04", "zip"), (0, b"PK\x05\x06", "zip"), (0, b"Rar!\x1a\x07", "rar"), (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, djvu.MAGIC, "djvu"), (0, rb"{\rtf", "rtf"), (0, b"ITSF", "chm"), (0, b"ITOLITLS", "lit"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "doc"), (0, b"TPZ", "kindle"), (0, b"CONT\x02\x00", "kindle"),
    (0, b"\xeaDRMION\xee", "kindle"), *((mobi.KIND_AT, kind, "mobi") for kind in mobi.KINDS),
)  # fmt: skip
_CALLED = {
    "epub": "EPUB", "cbz": "ZIP archive", "cbr": "RAR archive", "cb7": "7z archive", "cbt": "TAR archive",
    "pdf": "PDF document", "mobi": "Mobipocket book", "azw": "Kindle book", "azw3": "Kindle book",
    "prc": "Mobipocket book", "fb2": "FictionBook", "djvu": "DjVu document", "docx": "DOCX document",
    "odt": "OpenDocument text", "rtf": "RTF document", "chm": "CHM file", "lit": "LIT book",
}  # fmt: skip
"""Extensions of formats that have a signature. An old `.doc` can be anything that a word processor opens."""
_COMICS = frozenset({"cbz", "cbr", "cb7", "cbt"})


def warm_up() -> None:
    """Load modules that are loaded lazily."""
    pdf.warm_up()


def read(file: BinaryIO, path: str) -> Read:
    """Raises Damaged."""
    extension = path.rpartition(".")[2].lower()
    try:
        return _read(file, extension)
    except OSError as error:
        raise Damaged(pieces.UNREADABLE) from error


def _read(file: BinaryIO, extension: str) -> Read:
    head = pieces.at(file, 0, HEAD)
    if not head:
        raise Damaged("it is empty")
    match _kind(head, extension):
        case "pdf":
            return pdf.read(file)
        case "zip":
            with opened(file) as book:
                return _packed(book, extension)
        case "tar":
            notes = Notes()
            return comic.read(tar.Tar(file, notes), "cbt", notes)
        case "rar":
            return _rar(file)
        case "7z":
            return comic.not_read("cb7", ("its pages are not read: it is a 7z archive, which is not opened here",))
        case "mobi":
            return mobi.read(file)
        case "kindle":
            return mobi.not_read()
        case "fb2":
            return fictionbook.read(file)
        case "djvu":
            return djvu.read(file)
        case "rtf":
            return rtf.read(file)
        case None if extension in _CALLED:
            raise Damaged(f"it is no {_CALLED[extension]}, although its name says so")
        case kind:
            return Read(Found(category="book", container=kind or clean(extension)))


def _kind(head: bytes, extension: str) -> str | None:
    """The kind by the signature at the beginning; old TAR files have none, and an XML document may have a long
    prolog."""
    found = next((kind for offset, mark, kind in _MAGIC if head.startswith(mark, offset)), None)
    if found is not None:
        return found
    if b"%PDF-" in head[:_PDF_WITHIN]:
        return "pdf"
    if tar.is_one(head) or (extension == "cbt" and tar.may_be_one(head)):
        return "tar"
    if fictionbook.is_one(head) or (extension == "fb2" and fictionbook.may_be_one(head)):
        return "fb2"
    return None


def _rar(file: BinaryIO) -> Read:
    """A RAR archive without readable pages is a comic all the same: it contains more than is read here."""
    notes = Notes()
    members = rar.Rar(file, notes)
    if comic.has_pages(members):
        return comic.read(members, "cbr", notes)
    notes.add("its pages are not read: it is a RAR archive in which none can be found")
    return comic.not_read("cbr", notes.all)


def _packed(book: Archive, extension: str) -> Read:
    """Read the book in a ZIP archive."""
    if book.find(epub.CONTAINER) is not None:
        return epub.read(book)
    kind = office.kind_of(book)
    if kind is not None:
        return office.read(book, kind)
    packed = fictionbook.packed_in(book)
    if packed is not None:
        return fictionbook.read_packed(book, packed)
    if extension == "epub":
        return epub.read(book)
    if extension in _COMICS or comic.has_pages(book):
        return comic.read(book, "cbz", Notes())
    raise Damaged("it is a ZIP archive without a book in it")
