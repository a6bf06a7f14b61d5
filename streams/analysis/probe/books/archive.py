"""ZIP archives of books, read with caps on every member that are applied while unpacking, because the sizes in a
directory are not trusted. Only stored or deflated members are unpacked: EPUB allows nothing else (OCF 3.3, 4.2.1), and
the decoders of other methods unpack without a limit."""

from __future__ import annotations

import io
import posixpath
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from streams.analysis.probe.books import pieces, xml
from streams.analysis.probe.books.notes import Notes
from streams.analysis.probe.read import Damaged
from streams.analysis.probe.text import clean

MAX_MEMBERS = 20_000
MAX_XML_BYTES = 4_194_304
MAX_PIECE = 4_194_304
"""Maximum bytes of one read. The directory is read at once, and one of MAX_MEMBERS is smaller."""
PIECE = 4_096
"""Bytes unpacked at once: if a member is damaged, what came before is kept."""
_BROKEN = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, ValueError, OverflowError, IndexError,
    NotImplementedError, RuntimeError, MemoryError,
)  # fmt: skip


class _Sparing(io.RawIOBase):
    """The file as `zipfile` reads it, with no read larger than MAX_PIECE."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def read(self, size: int | None = -1) -> bytes:
        wanted = MAX_PIECE + 1 if size is None or size < 0 else size
        if wanted > MAX_PIECE + 1:
            raise Damaged("its list of members is too long")
        try:
            return self._file.read(wanted)
        except OSError as error:  # `zipfile` would report that it is not an archive
            raise Damaged(pieces.UNREADABLE) from error


class Archive:
    """An open archive. Members are also found under the wrong names that writers of books use: in another case,
    percent-encoded."""

    def __init__(self, book: zipfile.ZipFile) -> None:
        self._book = book
        self._size = {member.filename: member.file_size for member in book.infolist()}
        self._folded: dict[str, str] = {}
        for found in self._size:
            self._folded.setdefault(_folded(found), found)

    @property
    def names(self) -> list[str]:
        """The names of all members, as written, each once."""
        return list(self._size)

    def find(self, path: str) -> str | None:
        """The name of the member at a path; None if there is none."""
        normal = posixpath.normpath(path.replace("\\", "/")).lstrip("/")
        for spelling in (path, normal):
            if spelling in self._size:
                return spelling
        return self._folded.get(_folded(normal)) or self._folded.get(_folded(unquote(normal)))

    def read(self, name: str, limit: int) -> bytes:
        """Read a member. Raises Damaged if it is missing, cannot be unpacked, or is larger than `limit` bytes."""
        data, is_whole = self._unpacked(name, limit)
        if not is_whole:
            raise Damaged(f"{clean(name)} in it is damaged")
        return data

    def xml(self, name: str, notes: Notes) -> Element:
        """Read a member as an XML tree; if only its beginning can be read, this is noted. Raises Damaged."""
        data, is_whole = self._unpacked(name, MAX_XML_BYTES)
        parsed = xml.parsed([data])
        wrong = parsed.wrong if is_whole else "is damaged"
        if parsed.root is None or parsed.wrong == "defines entities":
            raise Damaged(f"{clean(name)} in it {wrong or 'is empty'}")
        if wrong is not None:
            notes.add(f"{clean(name)} in it {wrong}")
        return parsed.root

    def _unpacked(self, name: str, limit: int) -> tuple[bytes, bool]:
        """A member as far as it can be unpacked, and whether it is complete."""
        found, called = self.find(name), clean(name)
        if found is None:
            raise Damaged(f"{called} is missing in it")
        member = self._book.getinfo(found)
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Damaged(f"{called} in it is packed in a way that is not read here")
        if member.flag_bits & 1:
            raise Damaged(f"{called} in it is protected by a password")
        data = io.BytesIO()
        try:
            with self._book.open(member) as opened:
                while data.tell() <= limit and (piece := opened.read(PIECE)):
                    data.write(piece)
        except _BROKEN:
            return data.getvalue(), False
        if data.tell() > limit:
            raise Damaged(f"{called} in it is larger than {limit} bytes")
        return data.getvalue(), True


@contextmanager
def opened(file: BinaryIO) -> Iterator[Archive]:
    """The archive in a file. Raises Damaged."""
    try:
        book = zipfile.ZipFile(_Sparing(file))
    except _BROKEN as error:
        raise Damaged("it is no whole archive: it is damaged or cut off") from error
    with book:
        if len(book.infolist()) > MAX_MEMBERS:
            raise Damaged(f"it holds more than {MAX_MEMBERS} members")
        yield Archive(book)


def _folded(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").casefold()
