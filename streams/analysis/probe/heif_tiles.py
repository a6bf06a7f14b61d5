"""Whether the tiles of a HEIF picture have together about its declared size. A decoder decodes each tile completely,
and sixty tiles larger than the whole picture take a minute.

Source: ISO/IEC 23008-12, 6.5.3 (`ispe`), 6.6.2.3 (`grid`), and 9.3 (`ipma`); ISO/IEC 14496-12, 8.11.12 (`iref`).
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from streams.analysis.probe import media_boxes
from streams.analysis.probe.media_boxes import Box

MOST_TIMES = 4
"""Tiles may extend beyond the picture at two sides."""
ALWAYS_PIXELS = 4_194_304
"""So many pixels are acceptable for any picture."""
MAX_TABLE_BYTES = 262_144


def fit(file: BinaryIO, meta: Box) -> bool:
    """Whether the tiles fit. `meta`: the boxes in it, without the bytes before them."""
    areas = _areas(file, meta)
    references = media_boxes.first(file, meta, b"iref")
    if references is None:
        return True
    layout = ">H" if references.data(file, 1) == b"\0" else ">I"
    length = struct.calcsize(layout)
    for box in media_boxes.within(file, references.start + 4, references.end):
        if box.kind != b"dimg":
            continue
        data = box.data(file, MAX_TABLE_BYTES)
        (whole,) = struct.unpack_from(layout, data) if len(data) >= length else (0,)
        numbers = data[length + 2 : len(data) - (len(data) - length - 2) % length]
        parts = sum(areas.get(part, 0) for (part,) in struct.iter_unpack(layout, numbers))
        if parts > MOST_TIMES * areas.get(whole, 0) + ALWAYS_PIXELS:
            return False
    return True


def _areas(file: BinaryIO, meta: Box) -> dict[int, int]:
    """Pixels of each item that has a size; if it has several, the last."""
    properties, uses = (media_boxes.first(file, meta, b"iprp", kind) for kind in (b"ipco", b"ipma"))
    if properties is None or uses is None:
        return {}
    sizes = [
        struct.unpack(">4xII", data) if box.kind == b"ispe" and len(data := box.data(file, 12)) == 12 else (0, 0)
        for box in media_boxes.within(file, properties.start, properties.end)
    ]
    found: dict[int, int] = {}
    for item, used in _uses(uses.data(file, MAX_TABLE_BYTES)):
        if 0 < used <= len(sizes) and (area := sizes[used - 1][0] * sizes[used - 1][1]):
            found[item] = area
    return found


def _uses(table: bytes) -> list[tuple[int, int]]:
    """Items and the numbers of their properties, from 1, as far as the table is valid."""
    head = struct.Struct(">H" if table[:1] == b"\0" else ">I")
    wide = table[3:4] and table[3] & 1  # the flags' lowest bit: numbers of fifteen bits instead of seven
    found: list[tuple[int, int]] = []
    at = 8
    while at + head.size < len(table):
        (item,) = head.unpack_from(table, at)
        count = table[at + head.size]
        at += head.size + 1
        numbers = table[at : at + count * (2 if wide else 1)]
        at += len(numbers)
        pairs = [int.from_bytes(numbers[n : n + 2], "big") & 0x7FFF for n in range(0, len(numbers), 2)]
        found += [(item, number) for number in (pairs if wide else [one & 0x7F for one in numbers])]
    return found
