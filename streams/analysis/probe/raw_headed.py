"""Raw files with a header of their own: Fujifilm's RAF, Minolta's MRW; and those of which only the format is recognised,
Canon's CRW and Sigma's X3F.

Sources: ExifTool's Image::ExifTool::FujiFilm (`ProcessRAF`: places of the JPEG at 84, of the directory at 92; tags 0x100 and
0x111 are heights before widths) and Image::ExifTool::MinoltaRaw (blocks PRD and TTW).
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from streams.analysis.probe import exif, ifd, jpeg
from streams.analysis.probe.exif import NOTHING
from streams.analysis.probe.raw_preview import Part, Raw, seen_size
from streams.analysis.probe.text import number

FUJI = b"FUJIFILMCCD-RAW "
FUJI_PLACES = struct.Struct(">84xIIII")
FUJI_FULL, FUJI_CROPPED = 0x100, 0x111
MAX_FUJI_TAGS = 512
MINOLTA = b"\0MRM"
MAX_MINOLTA_BLOCKS = 16
MINOLTA_SIZE = struct.Struct(">12xHH")
"""In PRD: the visible part of the sensor, height before width, after eight bytes of version and four of the full
size."""
UNREAD = ((b"HEAPCCDR", 6, "crw"), (b"FOVb", 0, "x3f"))
"""Their signatures, and the offsets of these."""


def read(file: BinaryIO, _extension: str) -> Raw | None:
    """Read such a file; None if it is none of them."""
    file.seek(0)
    head = file.read(FUJI_PLACES.size)
    if head.startswith(FUJI) and len(head) == FUJI_PLACES.size:
        return _fuji(file, head)
    if head.startswith(MINOLTA):
        return _minolta(file)
    for sign, at, container in UNREAD:
        if head[at:].startswith(sign):
            return Raw(container, NOTHING, None, None, ())
    return None


def _fuji(file: BinaryIO, head: bytes) -> Raw:
    """All metadata of the camera are in the JPEG."""
    place, length, tags_place, tags_length = FUJI_PLACES.unpack(head)
    inside = jpeg.head(file, place)
    shot = NOTHING if inside is None else exif.of_bytes(inside.exif)
    file.seek(tags_place)
    sizes = _fuji_sizes(file.read(min(tags_length, 65_536)))
    high, wide = sizes.get(FUJI_CROPPED) or sizes.get(FUJI_FULL) or (0, 0)
    return Raw("raf", shot, *seen_size(number(wide), number(high), shot), (Part(place, length),))


def _fuji_sizes(data: bytes) -> dict[int, tuple[int, int]]:
    found: dict[int, tuple[int, int]] = {}
    if len(data) < 4:
        return found
    (count,) = struct.unpack_from(">I", data)
    at = 4
    for _ in range(min(count, MAX_FUJI_TAGS)):
        if at + 4 > len(data):
            break
        tag, length = struct.unpack_from(">HH", data, at)
        if length == 4 and at + 8 <= len(data):
            found[tag] = struct.unpack_from(">HH", data, at + 4)
        at += 4 + length
    return found


def _minolta(file: BinaryIO) -> Raw:
    """Blocks up to where the sensor's data begin; one of them is a whole TIFF."""
    shot, wide, high, at = NOTHING, 0, 0, 8
    file.seek(4)
    end = 8 + int.from_bytes(file.read(4), "big")
    for _ in range(MAX_MINOLTA_BLOCKS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8 or at >= end:
            break
        kind, length = struct.unpack(">4sI", head)
        if kind == b"\0PRD" and len(data := file.read(MINOLTA_SIZE.size)) == MINOLTA_SIZE.size:
            high, wide = MINOLTA_SIZE.unpack(data)
        elif kind == b"\0TTW" and (tiff := ifd.opened(file, at + 8)) is not None:
            shot = exif.of_chain(tiff.chain())
        at += 8 + length
    return Raw("mrw", shot, number(wide), number(high), ())
