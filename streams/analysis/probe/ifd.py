"""Tag directories of TIFF (IFD): in Exif, in TIFF pictures and in most raw files. This module knows how an entry is
stored, but not what a tag means.

Entries are read one directory at a time, and values only when they are requested, because the file may be on a share.
Anything invalid (an offset outside the file, an unknown type, a directory that was read already) is treated as absent
and not as an error. Source: TIFF 6.0 (Adobe, 1992), section 2; type 13, a directory's offset, is from its Technical
Note 1.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import BinaryIO, Literal

HEADER_BYTES = 8
ENTRY_BYTES = 12
MAX_ENTRIES = 1_024
"""Maximum entries of one directory: the largest maker notes have some hundred."""
MAX_DIRECTORIES = 64
"""Maximum directories of one file: a raw file has ten, and an endless chain is invalid."""
MAX_NUMBERS = 4_096
"""Maximum items of one value: no value that is requested has more."""
MAX_TEXT_BYTES = 4_096
MAGICS = (42, 0x4F52, 0x5352, 0x55)
"""After the byte order: TIFF; Olympus's ORF ("RO", "RS"); Panasonic's RW2 (ExifTool's Image::ExifTool::PanasonicRaw)."""

ByteOrder = Literal["<", ">"]

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
"""Bytes of one value by its type."""
_CODES = {1: "B", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 13: "I"}
_RATIONALS = {5: "I", 10: "i"}
_TEXTS = (1, 2, 7)


@dataclass(frozen=True, slots=True)
class Entry:
    """How a value is stored: `place` is its offset in the file."""

    kind: int
    count: int
    place: int

    @property
    def length(self) -> int:
        """The length in bytes."""
        return _SIZES[self.kind] * self.count


@dataclass(frozen=True, slots=True)
class Directory:
    """Entries by their tags; `following`: where the next directory of the chain is, 0 for none."""

    tiff: Tiff
    entries: dict[int, Entry]
    following: int

    def data(self, tag: int, limit: int) -> bytes:
        """The bytes of a value; empty if it has more than `limit`, or is absent."""
        entry = self.entries.get(tag)
        return b"" if entry is None or entry.length > limit else self.tiff.at(entry.place, entry.length)

    def text(self, tag: int) -> str | None:
        """A text, up to its first zero byte."""
        entry = self.entries.get(tag)
        if entry is None or entry.kind not in _TEXTS:
            return None
        data = self.tiff.at(entry.place, min(entry.length, MAX_TEXT_BYTES))
        return data.partition(b"\0")[0].decode("utf-8", "replace").strip() or None

    def numbers(self, tag: int) -> tuple[int, ...]:
        """Whole numbers."""
        entry = self.entries.get(tag)
        if entry is None or entry.kind not in _CODES or entry.count > MAX_NUMBERS:
            return ()
        return self._unpacked(entry, _CODES[entry.kind], entry.count)

    def number(self, tag: int) -> int | None:
        """The first whole number."""
        entry = self.entries.get(tag)
        if entry is None or entry.kind not in _CODES:
            return None
        return next(iter(self._unpacked(entry, _CODES[entry.kind], min(entry.count, 1))), None)

    def ratios(self, tag: int) -> tuple[float, ...]:
        """Fractions; one with a zero denominator is NaN."""
        entry = self.entries.get(tag)
        if entry is None or entry.kind not in _RATIONALS or entry.count > MAX_NUMBERS:
            return ()
        both = self._unpacked(entry, _RATIONALS[entry.kind], 2 * entry.count)
        return tuple(
            above / below if below else math.nan for above, below in zip(both[::2], both[1::2], strict=True)
        )

    def below(self, tag: int) -> list[Directory]:
        """The directories to which a value points."""
        found = [self.tiff.directory(place) for place in self.numbers(tag)[:MAX_DIRECTORIES]]
        return [directory for directory in found if directory is not None]

    def _unpacked(self, entry: Entry, code: str, count: int) -> tuple[int, ...]:
        layout = struct.Struct(f"{self.tiff.order}{count}{code}")
        data = self.tiff.at(entry.place, layout.size)
        return layout.unpack(data) if len(data) == layout.size else ()


class Tiff:
    """A file with directories, or a part of one: places count from `base`."""

    def __init__(self, file: BinaryIO, order: ByteOrder, first: int, base: int = 0) -> None:
        self._file = file
        self._base = base
        self._first = first
        self._read: set[int] = set()
        self.order: ByteOrder = order

    def anew(self) -> Tiff:
        """A copy for another walk, because on each walk a directory is read only once."""
        return Tiff(self._file, self.order, self._first, self._base)

    def at(self, place: int, length: int) -> bytes:
        """Bytes of the file; fewer at its end."""
        self._file.seek(self._base + place)
        return self._file.read(length)

    def chain(self) -> list[Directory]:
        """The first directory and those that follow it."""
        found: list[Directory] = []
        place = self._first
        while (directory := self.directory(place)) is not None:
            found.append(directory)
            place = directory.following
        return found

    def directory(self, place: int) -> Directory | None:
        """The directory at an offset; None if there is none, if it was read before, or if too many were."""
        if place < HEADER_BYTES or place in self._read or len(self._read) >= MAX_DIRECTORIES:
            return None
        self._read.add(place)
        head = self.at(place, 2)
        if len(head) < 2:
            return None
        (count,) = struct.unpack(f"{self.order}H", head)
        if not 0 < count <= MAX_ENTRIES:
            return None
        table = self.at(place + 2, count * ENTRY_BYTES + 4)
        whole = min(count, len(table) // ENTRY_BYTES)
        entries = dict(self._entry(table, place + 2, number) for number in range(whole))
        after = table[count * ENTRY_BYTES :]
        (following,) = struct.unpack(f"{self.order}I", after) if len(after) == 4 else (0,)
        return Directory(self, {tag: entry for tag, entry in entries.items() if entry.kind in _SIZES}, following)

    def _entry(self, table: bytes, start: int, number: int) -> tuple[int, Entry]:
        at = number * ENTRY_BYTES
        tag, kind, count, value = struct.unpack_from(f"{self.order}HHII", table, at)
        small = _SIZES.get(kind, 1) * count <= 4  # such a value is stored in the entry itself
        return tag, Entry(kind, count, start + at + 8 if small else value)


def opened(file: BinaryIO, base: int = 0) -> Tiff | None:
    """The TIFF structure at an offset; None if there is none."""
    file.seek(base)
    head = file.read(HEADER_BYTES)
    if len(head) < HEADER_BYTES or head[:2] not in (b"II", b"MM"):
        return None
    order: ByteOrder = "<" if head[:2] == b"II" else ">"
    magic, first = struct.unpack(f"{order}HI", head[2:])
    return Tiff(file, order, first, base) if magic in MAGICS else None
