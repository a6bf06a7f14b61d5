"""The preview in a raw file: a JPEG made by the camera. Sensor data are never developed.

A file of any maker has several, from 160 pixels to the full size. The smallest one that is at least twice as large as a
thumbnail is used, because the file may be on a share; if there is none, the largest.
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
"""A sensor is a few per cent larger than its picture."""
MAX_PREVIEWS = 16
"""Maximum previews examined in one file; a DNG has six."""
MAX_PREVIEW_BYTES = 50_331_648
"""Maximum bytes of a preview; one of 100 megapixels in full size has some forty million."""


@dataclass(frozen=True, slots=True)
class Part:
    """Where a JPEG may be in the file, in bytes."""

    place: int
    length: int


@dataclass(frozen=True, slots=True)
class Raw:
    """`width` and `height`: of the sensor, before rotation; `parts`: where previews may be."""

    container: str
    shot: Shot
    width: int | None
    height: int | None
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """The chosen JPEG and the data in its header; `shot`: from its own Exif."""

    data: bytes
    head: jpeg.Head
    shot: Shot


def seen_size(wide: int | None, high: int | None, shot: Shot) -> tuple[int | None, int | None]:
    """The part of a sensor that the camera means to show: the size in Exif, if that is most of the sensor or if the
    sensor's size is not known; some cameras have the size of a preview there."""
    exif_wide, exif_high = number(shot.width), number(shot.height)
    if exif_wide is None or exif_high is None:
        return wide, high
    if wide is None or high is None or (exif_wide >= MOST * wide and exif_high >= MOST * high):
        return exif_wide, exif_high
    return wide, high


def preview(file: BinaryIO, parts: Iterable[Part]) -> Preview | None:
    """The JPEG to show; None if there is no valid one."""
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
