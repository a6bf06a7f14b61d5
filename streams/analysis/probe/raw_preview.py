"""What a raw file brings along to be looked at: the JPEG that its camera made of it. Sensor data is never developed.

Every maker has several in a file, from 160 pixels to the full size. Taken is the smallest that is still twice as large as a
thumbnail, for the file may lie on a share; where none is, the largest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from streams.analysis.probe import exif, jpeg
from streams.analysis.probe.exif import Shot
from streams.analysis.probe.text import number

ENOUGH = 960
"""Pixels on the longer side: twice a thumbnail's."""
MOST = 0.9
"""What a sensor has beyond its picture is a few hundredths of it."""
MAX_PREVIEWS = 16
"""Looked at in one file; a DNG has six."""
MAX_PREVIEW_BYTES = 50_331_648
"""One of 100 megapixels in full size has some forty million."""


@dataclass(frozen=True, slots=True)
class Part:
    """Where a JPEG may be in the file, in bytes."""

    place: int
    length: int


@dataclass(frozen=True, slots=True)
class Raw:
    """`width` and `height` as the sensor lies, not as the picture is seen; `parts`: where previews may be."""

    container: str
    shot: Shot
    width: int | None
    height: int | None
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """The chosen JPEG and what its head says; `shot`: of its own Exif."""

    data: bytes
    head: jpeg.Head
    shot: Shot


def seen_size(wide: int | None, high: int | None, shot: Shot) -> tuple[int | None, int | None]:
    """Of a sensor so large what the camera means to be seen: what its Exif says, where that is most of the sensor or more
    than is known of it; some have the size of a preview there."""
    said_wide, said_high = number(shot.width), number(shot.height)
    if said_wide is None or said_high is None:
        return wide, high
    if wide is None or high is None or (said_wide >= MOST * wide and said_high >= MOST * high):
        return said_wide, said_high
    return wide, high


def preview(file: BinaryIO, parts: Iterable[Part]) -> Preview | None:
    """The JPEG to be shown; None where there is none that is one."""
    found: list[tuple[int, Part, jpeg.Head]] = []
    for part in list(dict.fromkeys(parts))[:MAX_PREVIEWS]:
        if not 0 < part.length <= MAX_PREVIEW_BYTES:
            continue
        head = jpeg.head(file, part.place)
        if head is not None and not head.lossless:
            found.append((max(head.width, head.height), part, head))
    if not found:
        return None
    enough = [one for one in found if one[0] >= ENOUGH]
    _, part, head = min(enough, key=_side) if enough else max(found, key=_side)
    file.seek(part.place)
    return Preview(file.read(part.length), head, exif.of_bytes(head.exif))


def _side(found: tuple[int, Part, jpeg.Head]) -> int:
    return found[0]
