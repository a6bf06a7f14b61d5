"""TAR archives of comics (CBT): the headers are read one after the other, and a page is read in place. Nothing is unpacked;
links, devices and sparse files are not pages.

Headers are those of POSIX.1-2001 (pax) and of GNU tar, 512 bytes each and the contents after it in whole blocks;
`tarfile` parses one header, but would read a name or a pax header of any declared length."""

from __future__ import annotations

import tarfile
from typing import BinaryIO

from streams.analysis.probe.books import pieces
from streams.analysis.probe.books.notes import Notes
from streams.analysis.probe.read import Damaged
from streams.analysis.probe.text import clean

BLOCK = 512
MAX_MEMBERS = 20_000
MAX_NAME_BYTES = 16_384
"""Maximum bytes of a long name or a pax header; longer ones are ignored."""
MAX_RECORDS = 50
"""Maximum records of a pax header; a writer that uses all of them writes fifteen."""
MAX_NAME = 1_024
"""Characters of a name that are kept."""
MAX_HOLES = 1_000
"""Maximum continuation blocks with the holes of a sparse file."""
_SPARSE_GOES_ON, _MORE_GOES_ON = 482, 504
"""Offsets of GNU's `isextended` in a sparse header and in the blocks behind it (tar.h)."""


def is_one(head: bytes) -> bool:
    """Whether it is TAR, by the magic at 257, which every current writer sets; POSIX writes `ustar\\0`, GNU `ustar
    `."""
    return head[257:262] == b"ustar"


def may_be_one(head: bytes) -> bool:
    """Whether it is an old TAR without magic, by the checksum of its first header."""
    return any(head[:BLOCK]) and _header(head[:BLOCK]) is not None


class Tar:
    """An open archive."""

    def __init__(self, file: BinaryIO, notes: Notes) -> None:
        self._file = file
        self._places: dict[str, tuple[int, int]] = {}
        self._walk(notes)

    @property
    def names(self) -> list[str]:
        """The names of its regular files."""
        return list(self._places)

    def read(self, name: str, limit: int) -> bytes:
        """Read a file. Raises Damaged if it is larger than `limit` bytes or truncated."""
        offset, size = self._places[name]
        if size > limit:
            raise Damaged(f"{clean(name)} in it is larger than {limit} bytes")
        data = pieces.at(self._file, offset, size)
        if len(data) < size:
            raise Damaged(f"{clean(name)} in it is cut off")
        return data

    def _walk(self, notes: Notes) -> None:
        at, name, whole = 0, None, pieces.size(self._file)
        for _ in range(MAX_MEMBERS):
            head = pieces.at(self._file, at, BLOCK)
            if len(head) == BLOCK and not any(head):
                return
            member = _header(head)
            if member is None:
                notes.add("it is damaged or cut off: what stands behind its damage is not known")
                return
            at += BLOCK
            match member.type:
                case tarfile.GNUTYPE_LONGNAME:
                    name = self._text(at, member.size).rstrip(b"\0")
                case tarfile.XHDTYPE | tarfile.SOLARIS_XHDTYPE:
                    name = _pax_path(self._text(at, member.size)) or name
                case tarfile.REGTYPE | tarfile.AREGTYPE | tarfile.CONTTYPE:
                    label = member.name if name is None else name.decode("utf-8", "replace")
                    self._places.setdefault(label[:MAX_NAME], (at, member.size))
                    name = None
                case tarfile.GNUTYPE_SPARSE:
                    at, name = self._behind_holes(head, at), None
                case tarfile.GNUTYPE_LONGLINK | tarfile.XGLTYPE:
                    pass
                case _:
                    name = None
            at += -(-member.size // BLOCK) * BLOCK
            if at > whole:
                notes.add("it is cut off: its end is missing")
                return
        notes.add(f"it holds more than {MAX_MEMBERS} members; the others are not counted")

    def _text(self, at: int, size: int) -> bytes:
        return pieces.at(self._file, at, size) if size <= MAX_NAME_BYTES else b""

    def _behind_holes(self, head: bytes, at: int) -> int:
        goes_on = head[_SPARSE_GOES_ON]
        for _ in range(MAX_HOLES):
            if not goes_on:
                break
            block = pieces.at(self._file, at, BLOCK)
            at += BLOCK
            goes_on = block[_MORE_GOES_ON] if len(block) == BLOCK else 0
        return at


def _header(head: bytes) -> tarfile.TarInfo | None:
    try:
        member = tarfile.TarInfo.frombuf(head, "utf-8", "replace")
    except (tarfile.HeaderError, ValueError):
        return None
    return member if member.size >= 0 else None


def _pax_path(records: bytes) -> bytes | None:
    """`path` from `LENGTH KEY=VALUE\\n` records; of several the last one applies."""
    found, at = None, 0
    for _ in range(MAX_RECORDS):
        space = records.find(b" ", at, at + 7)
        length = records[at:space]
        if space < 0 or not length.isdigit() or int(length) <= len(length):
            break
        key, _, value = records[space + 1 : at + int(length)].rstrip(b"\n").partition(b"=")
        if key == b"path":
            found = value
        at += int(length)
    return found
