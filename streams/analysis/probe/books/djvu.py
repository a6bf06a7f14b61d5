"""DjVu: how many pages, and how large the first one is. Rendering them would need a library that is not used here.

The format is an IFF file: DjVu 3 (djvu.org, `DjVu3Spec`), 8.3. One page is a FORM:DJVU; several are a FORM:DJVM, whose
DIRM chunk contains where its parts begin, and a part is a page, a dictionary of shapes (DJVI) or thumbnails (THUM)."""

from __future__ import annotations

import struct
from typing import BinaryIO

from schemas.found import Found
from streams.analysis.probe.books import pieces
from streams.analysis.probe.books.notes import Notes
from streams.analysis.probe.read import Damaged, Read
from streams.analysis.probe.text import number

MAGIC = b"AT&TFORM"
MAX_PARTS = 2_000
"""Maximum parts that are examined; each is a separate read."""
_MAGIC_BYTES = 4
"""`AT&T`, before the form of the whole file."""
_FIRST_CHUNK = 16
"""Behind the magic, the size and the kind."""
_BUNDLED = 0x80
"""The flag in DIRM that all parts are in this file, and that their offsets follow."""


def read(file: BinaryIO) -> Read:
    """Raises Damaged."""
    head = pieces.at(file, 0, 32)
    notes = Notes()
    if len(head) < 32:
        raise Damaged("it is cut off: it ends before its first page")
    match head[12:16]:
        case b"DJVU":
            first: int | None = _MAGIC_BYTES
            pages: int | None = 1
        case b"DJVM":
            pages, first = _parts(file, notes)
        case _:
            raise Damaged("it is damaged: it says of no page where it is")
    width, height = _size(file, first)
    found = Found(
        category="book", container="djvu", pages=number(pages), width=width, height=height, warnings=notes.all
    )
    return Read(found)


def _parts(file: BinaryIO, notes: Notes) -> tuple[int | None, int | None]:
    """How many of the parts are pages, and where the first of them begins."""
    kind, _, flags, count = struct.unpack(">4sIBH", pieces.at(file, _FIRST_CHUNK, 11).ljust(11, b"\0"))
    if kind != b"DIRM" or not count:
        raise Damaged("it is damaged: it says of no page where it is")
    if not flags & _BUNDLED:
        notes.add("how many pages it has is not known: they are in other files")
        return None, None
    table = pieces.at(file, _FIRST_CHUNK + 11, 4 * min(count, MAX_PARTS))
    places = [place for (place,) in struct.iter_unpack(">I", table[: len(table) // 4 * 4])]
    pages = [place for place in places if pieces.at(file, place, 12)[8:] == b"DJVU"]
    if not pages:
        raise Damaged("it is damaged or cut off: no page of it can be found")
    if count > MAX_PARTS:
        notes.add("how many pages it has is not known: there are too many parts in it")
        return None, pages[0]
    if any(place + 12 > pieces.size(file) for place in places):
        notes.add("it is cut off: pages are missing at its end")
    return len(pages), pages[0]


def _size(file: BinaryIO, form: int | None) -> tuple[int | None, int | None]:
    """The size of a page, from its INFO chunk, which comes first in its form."""
    if form is None:
        return None, None
    chunk = pieces.at(file, form + 12, 12)
    if len(chunk) < 12 or chunk[:4] != b"INFO":
        return None, None
    width, height = struct.unpack_from(">HH", chunk, 8)
    return number(width), number(height)
