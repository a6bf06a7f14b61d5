"""RAR archives of comics (CBR): the pages are listed by the headers, and a page that is stored uncompressed is read in
place. Compressed pages are not read: no library unpacks them without a foreign program.

Headers are those of RAR 1.5 to 4 (technote.txt of WinRAR 4.20) and of RAR 5 (rarlab.com/technote.htm), little
endian."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

from streams.analysis.probe.books import pieces
from streams.analysis.probe.books.notes import Notes
from streams.analysis.probe.read import Damaged
from streams.analysis.probe.text import clean

OLD, NEW = b"Rar!\x1a\x07\x00", b"Rar!\x1a\x07\x01\x00"
MAX_MEMBERS = 20_000
MAX_HEADER = 4_096
"""Bytes read of a header; a name has a few hundred."""
MAX_NAME = 1_024
_LOCKED = "its pages are not read: the archive is protected by a password"
_CUT = "it is damaged or cut off: what stands behind its damage is not known"


@dataclass(frozen=True, slots=True)
class _Block:
    """`ends`: offset of the next header. `name`: of a file. `is_stored`: the file is the `size` bytes from `start`,
    uncompressed."""

    ends: int
    name: str | None = None
    start: int = 0
    size: int = 0
    is_stored: bool = False
    is_protected: bool = False
    is_locked: bool = False
    is_last: bool = False


class Rar:
    """An open archive."""

    def __init__(self, file: BinaryIO, notes: Notes) -> None:
        self._file = file
        self._members: dict[str, _Block] = {}
        self._walk(notes)

    @property
    def names(self) -> list[str]:
        """The names of its files."""
        return list(self._members)

    def read(self, name: str, limit: int) -> bytes:
        """Read a file. Raises Damaged if it is compressed, larger than `limit` bytes or truncated."""
        member = self._members[name]
        if member.is_protected:
            raise Damaged("its contents are protected by a password")
        if not member.is_stored:
            raise Damaged("its contents are compressed as RAR, which is not read here")
        if member.size > limit:
            raise Damaged(f"{clean(name)} in it is larger than {limit} bytes")
        data = pieces.at(self._file, member.start, member.size)
        if len(data) < member.size:
            raise Damaged(f"{clean(name)} in it is cut off")
        return data

    def _walk(self, notes: Notes) -> None:
        is_new = pieces.at(self._file, 0, len(NEW)) == NEW
        block, at = (_new_block, len(NEW)) if is_new else (_old_block, len(OLD))
        whole = pieces.size(self._file)
        for _ in range(MAX_MEMBERS):
            if at == whole:  # not every writer adds an end marker
                return
            try:
                found = block(pieces.at(self._file, at, MAX_HEADER), at)
            except (struct.error, IndexError):
                notes.add(_CUT)
                return
            if found.is_locked:
                notes.add(_LOCKED)
            if found.is_last or found.is_locked:
                return
            if found.name is not None:
                self._members.setdefault(found.name[:MAX_NAME], found)
            if not at < found.ends <= whole:
                notes.add(_CUT)
                return
            at = found.ends
        notes.add(f"it holds more than {MAX_MEMBERS} members; the others are not counted")


def _old_block(data: bytes, at: int) -> _Block:
    """Parse a header of RAR 1.5 to 4: CRC, kind, flags, size; of a file also the sizes, the method and the name. Raises
    struct.error."""
    _, kind, flags, size = struct.unpack_from("<HBHH", data)
    if kind == 0x7B:
        return _Block(at, is_last=True)
    if kind == 0x73:
        return _Block(at + size, is_locked=bool(flags & 0x80))
    added = struct.unpack_from("<I", data, 7)[0] if flags & 0x8000 else 0
    if kind != 0x74:
        return _Block(at + size + added)
    packed, _unpacked, _, _, _, _, method, length, _ = struct.unpack_from("<IIBIIBBHI", data, 7)
    behind = 32
    if flags & 0x100:
        packed |= struct.unpack_from("<I", data, behind)[0] << 32
        behind += 8
    name = data[behind : behind + length].partition(b"\0")[0].decode("utf-8", "replace")
    ends = at + size + packed
    if flags & 0xE0 == 0xE0 or flags & 0x01:  # a folder; the rest of a file that began in another volume
        return _Block(ends)
    return _Block(
        ends, name.replace("\\", "/"), at + size, packed, method == 0x30 and not flags & 0x02, bool(flags & 0x04)
    )


def _new_block(data: bytes, at: int) -> _Block:
    """Parse a header of RAR 5: CRC, size, kind, flags, sizes of what follows; of a file also its flags, method and
    name. Raises IndexError, struct.error."""
    if len(data) < 7:
        raise struct.error
    size, place = _number(data, 4)
    start = at + place + size
    kind, place = _number(data, place)
    flags, place = _number(data, place)
    packed = extra = 0
    if flags & 0x01:
        extra, place = _number(data, place)
    if flags & 0x02:
        packed, place = _number(data, place)
    match kind:
        case 5:
            return _Block(at, is_last=True)
        case 4:
            return _Block(start, is_locked=True)
        case 2:
            about, place = _number(data, place)
            _, place = _number(data, place)
            _, place = _number(data, place)
            place += (4 if about & 0x02 else 0) + (4 if about & 0x04 else 0)
            method, place = _number(data, place)
            _, place = _number(data, place)
            length, place = _number(data, place)
            name = data[place : place + length].decode("utf-8", "replace")
            if about & 0x01 or flags & 0x08:
                return _Block(start + packed)
            is_stored = not method & 0x380 and not flags & 0x10
            is_protected = _has_lock(data[max(0, start - at - extra) : start - at])
            return _Block(start + packed, name, start, packed, is_stored, is_protected)
        case _:
            return _Block(start + packed)


def _has_lock(extra: bytes) -> bool:
    """Whether the extra records (size and kind) contain kind 1, encryption."""
    place = 0
    while place < len(extra):
        size, behind = _number(extra, place)
        kind, _ = _number(extra, behind)
        if kind == 1:
            return True
        place = behind + size
    return False


def _number(data: bytes, place: int) -> tuple[int, int]:
    """A number of seven bits per byte, the lowest first; the highest bit means that another byte follows. Also returns
    where it ends."""
    found = 0
    for shift in range(0, 70, 7):
        byte = data[place]
        place += 1
        found |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return found, place
    raise IndexError
