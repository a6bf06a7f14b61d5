"""JPEG XL: its size, its orientation, and its Exif. The picture itself is not decoded, because there is no decoder
here.

Source: ISO/IEC 18181-1, annex D.2 (the size header, fields from the lowest bit up) and D.3 (the first fields of the image's
metadata), ISO/IEC 18181-2 for the container's boxes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from streams.analysis.probe import exif, media_boxes
from streams.analysis.probe.exif import NOTHING, Shot

CODESTREAM = b"\xff\x0a"
CONTAINER = bytes.fromhex("0000000c4a584c200d0a870a")
HEAD_BYTES = 64
"""Bytes read of the codestream: the size has at most ten, and the needed metadata follow it directly."""
MAX_EXIF_BYTES = 1_048_576
RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
"""Width to height, for 1 to 7."""
_DISTANCES = (9, 13, 18, 30)
"""Bits of a size less one."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is known of it; the size is as displayed."""

    width: int | None
    height: int | None
    shot: Shot


def read(file: BinaryIO) -> Drawn | None:
    """Read a picture; None if it is not JPEG XL."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if head.startswith(CODESTREAM):
        return Drawn(*_size(head), NOTHING)
    if not head.startswith(CONTAINER):
        return None
    width: int | None = None
    height: int | None = None
    shot = NOTHING
    for box in media_boxes.within(file, 0, media_boxes.whole(file).end):
        if box.kind in (b"jxlc", b"jxlp") and width is None:
            stream = box.data(file, HEAD_BYTES)[0 if box.kind == b"jxlc" else 4 :]
            width, height = _size(stream) if stream.startswith(CODESTREAM) else (None, None)
        elif box.kind == b"Exif":
            data = box.data(file, MAX_EXIF_BYTES)
            shot = exif.of_bytes(data[4 + int.from_bytes(data[:4], "big") :])
    return Drawn(width, height, shot)


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._rest = int.from_bytes(data, "little")  # past the end there are zeros

    def take(self, count: int) -> int:
        value = self._rest & (1 << count) - 1
        self._rest >>= count
        return value


def _size(codestream: bytes) -> tuple[int, int]:
    bits = _Bits(codestream[len(CODESTREAM) :])
    small = bits.take(1)
    height = _side(bits, small)
    ratio = bits.take(3)
    if ratio:
        across, down = RATIOS[ratio - 1]
        width = height * across // down
    else:
        width = _side(bits, small)
    all_default = bits.take(1)
    orientation = 1 + bits.take(3) if not all_default and bits.take(1) else 1
    return (height, width) if orientation in exif.TURNED else (width, height)


def _side(bits: _Bits, small: int) -> int:
    if small:
        return (bits.take(5) + 1) * 8
    return bits.take(_DISTANCES[bits.take(2)]) + 1
