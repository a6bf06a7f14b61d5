"""Mobipocket and Kindle books (MOBI, AZW, AZW3, PRC): the head of a Palm database, the MOBI header, its EXTH records.

Numbers are those of wiki.mobileread.com (`PDB`, `MOBI`), big endian. The first record contains everything that is read,
the cover is a record of its own; in a protected book these are not encrypted. KFX and Topaz, Kindle's other formats,
are not supported."""

from __future__ import annotations

import html
import struct
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from schemas.found import Found, Tags
from streams.analysis.probe.books import covers, pieces, words
from streams.analysis.probe.books.notes import Notes
from streams.analysis.probe.read import Damaged, Read
from streams.analysis.probe.text import clean, distinct, language, year
from streams.analysis.wire import Picture

KINDS = (b"BOOKMOBI", b"TEXtREAd")
"""Type and creator of the database, at KIND_AT: a Mobipocket book, a PalmDOC text."""
KIND_AT = 60
_NAME_BYTES, _COUNT_AT, _RECORDS_AT = 32, 76, 78
MAX_RECORD_BYTES = 262_144
"""Maximum bytes of the first record: a header, EXTH, a title."""
MAX_EXTH = 500
"""Maximum EXTH records that are read; a book has thirty."""
_HEADER = 16
"""Where the MOBI header begins in its record, after PalmDOC's."""
_LENGTH_AT, _ENCODING_AT, _VERSION_AT, _NAME_AT, _LOCALE_AT, _FIRST_IMAGE_AT, _FLAGS_AT = (
    20,
    28,
    36,
    84,
    92,
    108,
    128,
)
_HAS_EXTH = 0x40
_ENCODINGS = {65001: "utf-8", 1252: "cp1252"}
_KF8 = 8
"""Version of the format that AZW3 files have."""
_NONE = 0xFFFFFFFF
AUTHOR, PUBLISHER, DESCRIPTION, SUBJECT, PUBLISHED, COVER, THUMBNAIL, TITLE, LANGUAGE = (
    100,
    101,
    103,
    105,
    106,
    201,
    202,
    503,
    524,
)
"""EXTH records."""
_LOCALES = {
    4: "zh", 5: "cs", 6: "da", 7: "de", 8: "el", 9: "en", 10: "es", 11: "fi", 12: "fr", 14: "hu", 16: "it", 17: "ja",
    18: "ko", 19: "nl", 20: "no", 21: "pl", 22: "pt", 25: "ru", 29: "sv", 31: "tr",
}  # fmt: skip
"""The low byte of a Windows locale."""


def read(file: BinaryIO) -> Read:
    """Raises Damaged."""
    head = pieces.at(file, 0, _RECORDS_AT)
    if len(head) < _RECORDS_AT:
        raise Damaged("it is cut off: it ends before its table of contents")
    (count,) = struct.unpack_from(">H", head, _COUNT_AT)
    database = _Database(file, count, pieces.size(file))
    record = database.record(0, MAX_RECORD_BYTES)
    notes = Notes()
    if record is None:
        raise Damaged("it is damaged: its first part cannot be found")
    if record[_HEADER : _HEADER + 4] != b"MOBI" or len(record) < _FLAGS_AT + 4:
        name = _name(head)
        return Read(Found(title=name, category="book", container="mobi", tags=Tags(title=name) if name else None))
    return _book(database, _Header(record), notes)


def _name(head: bytes) -> str | None:
    """The database's name, for a text that has no other title; None if it was truncated."""
    name = head[:_NAME_BYTES].partition(b"\0")[0]
    return words.title(name.decode("cp1252", "replace").replace("_", " ")) if len(name) < _NAME_BYTES - 1 else None


def _book(database: _Database, header: _Header, notes: Notes) -> Read:
    records = header.exth(notes)
    text = {kind: [header.text(value) for value in values] for kind, values in records.items()}

    def one(kind: int) -> str | None:
        return next(iter(text.get(kind, [])), None)

    authors = [author for value in text.get(AUTHOR, []) for author in words.split_names(value)]
    title = words.title(one(TITLE)) or words.title(header.title)
    tongue = language(one(LANGUAGE)) or header.language
    date = words.day(one(PUBLISHED))
    tags = Tags(
        title=title,
        artist=words.joined(authors),
        genre=words.joined((clean(value) for value in text.get(SUBJECT, [])), words.MAX_GENRES),
        date=date,
        language=tongue,
        publisher=words.name(one(PUBLISHER)),
        description=words.prose(one(DESCRIPTION)),
    )
    picture = _cover(database, header, records, notes)
    found = Found(
        title=title,
        year=year(date),
        category="book",
        container="azw3" if header.version >= _KF8 else "mobi",
        languages=distinct([tongue]),
        tags=tags,
        credits=words.credits_of((author, "author") for author in authors),
        warnings=notes.all,
    )
    return Read(found, picture)


def not_read() -> Read:
    """The result for Kindle's other formats."""
    why = "what is in it is not read: it is a Kindle book of a kind (KFX or Topaz) that nothing here opens"
    return Read(Found(category="book", container="kindle", warnings=(why,)))


@dataclass(frozen=True, slots=True)
class _Database:
    """A Palm database: records one after the other, and a table of their offsets."""

    file: BinaryIO
    count: int
    size: int

    def record(self, index: int, limit: int) -> bytes | None:
        """At most `limit` bytes of a record; None if there is none, or if it is truncated."""
        if not 0 <= index < self.count:
            return None
        table = pieces.at(self.file, _RECORDS_AT + 8 * index, 16)
        if len(table) < 8:
            return None
        (start,) = struct.unpack_from(">I", table)
        is_last = index + 1 == self.count or len(table) < 16
        end = self.size if is_last else struct.unpack_from(">I", table, 8)[0]
        if not start < end <= self.size:
            return None
        return pieces.at(self.file, start, min(end - start, limit))


class _Header:
    """The MOBI header and what follows it in the first record."""

    def __init__(self, record: bytes) -> None:
        self._record = record
        self._encoding = _ENCODINGS.get(self._number(_ENCODING_AT), "cp1252")
        self.version = self._number(_VERSION_AT)
        self.first_image = self._number(_FIRST_IMAGE_AT)

    @property
    def title(self) -> str | None:
        """The book's full name."""
        offset, length = struct.unpack_from(">II", self._record, _NAME_AT)
        return clean(self.text(self._record[offset : offset + min(length, 4_096)]))

    @property
    def language(self) -> str | None:
        """The language of the locale."""
        return _LOCALES.get(self._number(_LOCALE_AT) & 0xFF)

    def text(self, value: bytes) -> str:
        """Decode text in the book's encoding; kindlegen writes entities into it."""
        return html.unescape(value[:MAX_RECORD_BYTES].decode(self._encoding, "replace"))

    def exth(self, notes: Notes) -> dict[int, list[bytes]]:
        """EXTH records by kind, in order. Each begins with its kind and its length, which includes these eight
        bytes."""
        found: dict[int, list[bytes]] = defaultdict(list)
        if not self._number(_FLAGS_AT) & _HAS_EXTH:
            return found
        at = _HEADER + self._number(_LENGTH_AT)
        if self._record[at : at + 4] != b"EXTH" or len(self._record) < at + 12:
            notes.add("it is damaged: what it says of itself cannot be found")
            return found
        (count,) = struct.unpack_from(">I", self._record, at + 8)
        at += 12
        for _ in range(min(count, MAX_EXTH)):
            if at + 8 > len(self._record):
                break
            kind, length = struct.unpack_from(">II", self._record, at)
            if length < 8 or at + length > len(self._record):
                notes.add("it is damaged: not all that it says of itself can be read")
                break
            found[kind].append(self._record[at + 8 : at + length])
            at += length
        return found

    def _number(self, offset: int) -> int:
        return int(struct.unpack_from(">I", self._record, offset)[0])


def _cover(database: _Database, header: _Header, records: dict[int, list[bytes]], notes: Notes) -> Picture | None:
    """The cover, whose record number is relative to the first picture's; if it cannot be read, the thumbnail."""
    return covers.first(_pictures(database, header, records), notes)


def _pictures(
    database: _Database, header: _Header, records: dict[int, list[bytes]]
) -> Iterator[Callable[[], bytes]]:  # fmt: skip
    for kind in (COVER, THUMBNAIL):
        value = next(iter(records.get(kind, [])), b"")
        if len(value) != 4 or (place := struct.unpack(">I", value)[0]) == _NONE or header.first_image == _NONE:
            continue
        yield partial(_picture, database, header.first_image + place)


def _picture(database: _Database, index: int) -> bytes:
    data = database.record(index, covers.MAX_COVER_BYTES)
    if data is None:
        raise Damaged("its cover is missing")
    return data
