"""The header of a JPEG: its size, its encoding, its Exif. Nothing is decoded.

Source: ITU-T T.81, annex B; the Exif block is Exif 2.32's, 4.7.2.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import BinaryIO

MAX_SEGMENTS = 512
"""Maximum segments before the picture: profiles, previews and additions of programs are split into pieces of 64 KiB."""
MAX_HEAD_BYTES = 33_554_432
PIECE = 1_048_576
EXIF = b"Exif\0\0"
_START, _SCAN, _END, _APP1 = 0xD8, 0xDA, 0xD9, 0xE1
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset((0xC2, 0xC6, 0xCA, 0xCE))
_LOSSLESS = frozenset((0xC3, 0xC7, 0xCB, 0xCF))
_ALONE = frozenset((0x01, *range(0xD0, 0xD8)))
"""Markers without a segment."""


@dataclass(frozen=True, slots=True)
class Head:
    """`sampling`: of each component, horizontal and vertical; `lossless`: used for raw sensor data, which is not a
    picture; `is_in_passes`: progressive, so that no part is complete before everything from `passes_at` on is read."""

    width: int
    height: int
    progressive: bool
    lossless: bool
    sampling: tuple[tuple[int, int], ...]
    exif: bytes = b""
    is_in_passes: bool = False
    passes_at: int = 0

    @property
    def coefficient_bytes(self) -> int:
        """Memory that a decoder needs for a progressive picture: all of its coefficients, two bytes each (libjpeg's
        `JCOEF`)."""
        widest = max(across for across, _ in self.sampling)
        highest = max(down for _, down in self.sampling)
        units = -(-self.width // (8 * widest)) * -(-self.height // (8 * highest))
        return sum(across * down for across, down in self.sampling) * units * 64 * 2


def head(file: BinaryIO, start: int = 0) -> Head | None:
    """The header of the JPEG at an offset; None if there is no JPEG, or no frame in it."""
    file.seek(start)
    if file.read(2) != bytes((0xFF, _START)):
        return None
    at, exif = start + 2, b""
    found: Head | None = None
    for _ in range(MAX_SEGMENTS):
        if at - start > MAX_HEAD_BYTES:
            break
        file.seek(at)
        mark = file.read(4)
        if len(mark) < 4 or mark[0] != 0xFF:
            break
        marker = mark[1]
        if marker == 0xFF or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack(">H", mark[2:])
        if marker == _SCAN and found is not None:
            first = file.read(1)
            in_passes = found.progressive or first != bytes((len(found.sampling),))
            return replace(found, is_in_passes=in_passes, passes_at=at)
        if marker in (_SCAN, _END) or length < 2:
            break
        if marker in _FRAMES:
            found = _framed(marker, file.read(length - 2), exif)
        elif marker == _APP1 and not exif and file.read(len(EXIF)) == EXIF:
            exif = file.read(length - 2 - len(EXIF)) if length > 2 + len(EXIF) else b""
        at += 2 + length
    return found


def passes(file: BinaryIO, start: int, most: int) -> int:
    """The number of passes of a progressive picture from `start` on; the count stops soon after `most`."""
    file.seek(start)
    count, last = 0, b""
    while count <= most and (piece := last + file.read(PIECE)) != last:
        found, end, _ = piece.partition(bytes((0xFF, _END)))  # inside a pass no such byte follows an 0xFF
        count += found.count(bytes((0xFF, _SCAN)))
        if end:
            break
        last = piece[-1:]
    return count


def _framed(marker: int, body: bytes, exif: bytes) -> Head | None:
    if len(body) < 6:
        return None
    _precision, height, width, components = struct.unpack(">BHHB", body[:6])
    table = body[6 : 6 + 3 * components]
    if not (width and height and components and len(table) == 3 * components):
        return None
    sampling = tuple((two >> 4, two & 15) for two in table[1::3])
    if not all(1 <= across <= 4 and 1 <= down <= 4 for across, down in sampling):
        return None
    return Head(width, height, marker in _PROGRESSIVE, marker in _LOSSLESS, sampling, exif)
