"""HEIF without a decoder: how large the picture is, and the thumbnail that phones add to it.

Source: ISO/IEC 23008-12, 6.5.3 (`ispe`), 6.5.10 (`irot`), 6.10 (`thmb`), and ISO/IEC 14496-12, 8.11 (`pitm`, `iref`).
"""

from __future__ import annotations

import io
import struct
from typing import BinaryIO

from streams.analysis.probe import heif_tiles, media_boxes
from streams.analysis.probe.media_boxes import Box

MAX_REFERENCE_BYTES = 65_536
MAX_ITEMS = 2_000
"""libheif accepts a thousand."""
BRANDS = (
    b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1", b"avif", b"avis",
)  # fmt: skip


def container(head: bytes) -> str | None:
    """The container by the brand in the first twelve bytes; None for other files."""
    if head[4:8] != b"ftyp" or head[8:12] not in BRANDS:
        return None
    brand = head[8:12].decode()
    return "avif" if brand.startswith("avi") else "heic" if brand.startswith("he") else "heif"


def size(file: BinaryIO) -> tuple[int, int] | None:
    """The size of the largest picture inside, rotated if any picture is rotated: phones rotate all pictures of a file
    or none."""
    properties = media_boxes.first(file, media_boxes.whole(file), b"meta")
    if properties is not None:
        properties = media_boxes.first(file, _inside(properties), b"iprp", b"ipco")
    sizes, turned = [], False
    for box in [] if properties is None else media_boxes.within(file, properties.start, properties.end):
        data = box.data(file, 12)
        if box.kind == b"ispe" and len(data) == 12:
            sizes.append(struct.unpack(">4xII", data))
        turned = turned or (box.kind == b"irot" and data[:1] in (b"\x01", b"\x03"))
    wide, high = max(sizes, default=(0, 0), key=lambda one: one[0] * one[1])
    if not (wide and high):
        return None
    return (high, wide) if turned else (wide, high)


def is_sound(file: BinaryIO) -> bool:
    """Whether all item types are four letters, because pi-heif (1.4.0) ends the process for others; and whether its
    tiles match its declared size (`heif_tiles`)."""
    file.seek(0)
    if container(file.read(12)) is None:
        return True
    top = media_boxes.within(file, 0, media_boxes.whole(file).end)
    for meta in [_inside(box) for box in top if box.kind == b"meta"]:
        for table in [box for box in media_boxes.within(file, meta.start, meta.end) if box.kind == b"iinf"]:
            # the version decides whether the count has two or four bytes
            start = table.start + (6 if table.data(file, 1) == b"\0" else 8)
            names = [box.data(file, 64) for box in media_boxes.within(file, start, table.end, MAX_ITEMS)]
            if len(names) >= MAX_ITEMS or not all(_is_named(name) for name in names):
                return False
        if not heif_tiles.fit(file, meta):
            return False
    return True


def _is_named(entry: bytes) -> bool:
    """Whether an `infe` has a type of four letters, after version, number and protection; texts follow it."""
    at = 10 if entry[:1] == b"\3" else 8
    return entry[:1] < b"\2" or (entry[at : at + 4].isascii() and b"\0" not in entry[at : at + 4])


def small(data: bytes) -> bytes | None:
    """The same file with its thumbnail in place of the large picture; None if it has none."""
    file = io.BytesIO(data)
    meta = media_boxes.first(file, media_boxes.whole(file), b"meta")
    if meta is None:
        return None
    shown, references = (media_boxes.first(file, _inside(meta), kind) for kind in (b"pitm", b"iref"))
    if shown is None or references is None:
        return None
    wide = data[shown.start : shown.start + 1] != b"\0"  # version 0 has item numbers of two bytes, others of four
    number = data[shown.start + 4 : shown.start + (8 if wide else 6)]
    length = 2 if references.data(file, 1) == b"\0" else 4
    for box in media_boxes.within(file, references.start + 4, references.end):
        reference = box.data(file, MAX_REFERENCE_BYTES)
        if box.kind == b"thmb" and reference[length + 2 : 2 * length + 2] == number and length == len(number):
            changed = bytearray(data)
            changed[shown.start + 4 : shown.start + 4 + length] = reference[:length]
            changed[box.start - 4 : box.start] = b"skip"  # a thumbnail is not displayed as a primary item
            return bytes(changed)
    return None


def _inside(meta: Box) -> Box:
    return Box(meta.kind, meta.start + 4, meta.end)
