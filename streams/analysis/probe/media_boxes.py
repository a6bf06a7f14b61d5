"""Boxes as the ISO base media file format has them: in HEIF, in Canon's CR3, in JPEG XL. Knows where a box begins and
ends and not what it means. Source: ISO/IEC 14496-12, 4.2.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MAX_BOXES = 256
"""Beside each other: a file of 50 pictures has some dozen."""
_HEAD = struct.Struct(">I4s")
_LARGE = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class Box:
    """`kind`: four characters, of a `uuid` its sixteen bytes; its body stands from `start` to before `end`."""

    kind: bytes
    start: int
    end: int

    def data(self, file: BinaryIO, limit: int) -> bytes:
        """Its body, at most so much of it."""
        file.seek(self.start)
        return file.read(min(limit, self.end - self.start))


def within(file: BinaryIO, start: int, end: int, most: int = MAX_BOXES) -> Iterator[Box]:
    """The boxes between two places of a file, as far as they can be right."""
    for _ in range(most):
        file.seek(start)
        head = file.read(_HEAD.size)
        if start + _HEAD.size > end or len(head) < _HEAD.size:
            return
        length, kind = _HEAD.unpack(head)
        body = start + _HEAD.size
        if length == 1:
            large = file.read(_LARGE.size)
            if len(large) < _LARGE.size:
                return
            (length,) = _LARGE.unpack(large)
            body += _LARGE.size
        if kind == b"uuid":
            file.seek(body)
            kind, body = file.read(16), body + 16
        stop = end if length == 0 else start + length
        if stop < body:
            return
        yield Box(kind, body, min(stop, end))
        if stop >= end:
            return
        start = stop


def first(file: BinaryIO, parent: Box, *kinds: bytes) -> Box | None:
    """The first box of this kind inside, then inside that, and so on."""
    found: Box | None = parent
    for kind in kinds:
        if found is None:
            return None
        found = next((box for box in within(file, found.start, found.end) if box.kind == kind), None)
    return found


def whole(file: BinaryIO) -> Box:
    """The file itself, as if it were a box."""
    return Box(b"", 0, file.seek(0, 2))
