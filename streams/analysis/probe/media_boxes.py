"""Boxes of the ISO base media file format: in HEIF, in Canon's CR3, in JPEG XL. This module knows where a box begins and
ends, but not what it means. Source: ISO/IEC 14496-12, 4.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from streams.analysis.probe.boxes import mp4, read_at

MAX_BOXES = 256
"""Maximum sibling boxes: a file of 50 pictures has a few dozen."""


@dataclass(frozen=True, slots=True)
class Box:
    """`kind`: four characters, or the sixteen bytes of a `uuid`; its body is from `start` to before `end`."""

    kind: bytes
    start: int
    end: int

    def data(self, file: BinaryIO, limit: int) -> bytes:
        """At most `limit` bytes of its body."""
        file.seek(self.start)
        return file.read(min(limit, self.end - self.start))


def within(file: BinaryIO, start: int, end: int, most: int = MAX_BOXES) -> Iterator[Box]:
    """The boxes between two offsets of a file, as far as they are valid."""
    for part in mp4(file, start, end, most):
        stop = end if part.end is None else min(part.end, end)
        if part.kind == b"uuid":
            yield Box(read_at(file, part.body, 16), part.body + 16, max(stop, part.body + 16))
        else:
            yield Box(part.kind, part.body, stop)


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
