"""Canon's CR3: boxes (`boxes`) with Exif in pieces, two previews, and tracks of which one is a JPEG in full size.

Source: Laurent Clévy's description of the format (github.com/lclevy/canon_cr3) and ExifTool's Image::ExifTool::Canon:
CMT1 is the main directory, CMT2 Exif, CMT4 GPS; a picture's size stands 12 bytes before the end of THMB's and 8 bytes
before that of PRVW's head; CRAW is a sample entry with width and height at 24 and 26.
"""

from __future__ import annotations

import io
import struct
from typing import BinaryIO

from streams.analysis.probe import exif, ifd, media_boxes
from streams.analysis.probe.ifd import Directory
from streams.analysis.probe.media_boxes import Box
from streams.analysis.probe.raw_preview import Part, Raw, seen_size
from streams.analysis.probe.text import number

BRAND = b"crx "
CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
PREVIEW = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16")
MAX_TRACKS = 8
"""Maximum tracks; a file has four: JPEG, small raw, raw, metadata."""
MAX_EXIF_BYTES = 1_048_576
THMB_HEAD = struct.Struct(">IHHIHH")
PRVW_HEAD = struct.Struct(">IHHHHI")
_SAMPLES = (b"mdia", b"minf", b"stbl")
_ENTRY_SIZE = struct.Struct(">24xHH")
_STSD_HEAD = 8
_STSZ = struct.Struct(">III")


def read(file: BinaryIO, _extension: str) -> Raw | None:
    """Read a CR3 file; None if it is not one."""
    file.seek(4)
    if file.read(8) != b"ftyp" + BRAND:
        return None
    top = list(media_boxes.within(file, 0, media_boxes.whole(file).end))
    moov = next((box for box in top if box.kind == b"moov"), None)
    canon = None if moov is None else media_boxes.first(file, moov, CANON)
    parts = [_preview(file, box) for box in top if box.kind == PREVIEW]
    main = details = gps = None
    for box in [] if canon is None else media_boxes.within(file, canon.start, canon.end):
        match box.kind:
            case b"CMT1":
                main = _directory(file, box)
            case b"CMT2":
                details = _directory(file, box)
            case b"CMT4":
                gps = _directory(file, box)
            case b"THMB":
                parts.append(_thumbnail(file, box))
    shot = exif.of_directories(main, details, gps)
    tracks = (
        []
        if moov is None
        else [box for box in media_boxes.within(file, moov.start, moov.end) if box.kind == b"trak"]
    )
    sizes = []
    for track in tracks[:MAX_TRACKS]:
        part, size = _track(file, track)
        parts.append(part)
        sizes.append(size)
    wide, high = max(sizes, default=(0, 0))
    seen = seen_size(number(wide), number(high), shot)
    return Raw("cr3", shot, *seen, tuple(part for part in parts if part))


def _directory(file: BinaryIO, box: Box) -> Directory | None:
    tiff = ifd.opened(io.BytesIO(box.data(file, MAX_EXIF_BYTES)))
    return None if tiff is None else next(iter(tiff.chain()), None)


def _thumbnail(file: BinaryIO, box: Box) -> Part | None:
    head = box.data(file, THMB_HEAD.size)
    if len(head) < THMB_HEAD.size:
        return None
    return Part(box.start + THMB_HEAD.size, THMB_HEAD.unpack(head)[3])


def _preview(file: BinaryIO, box: Box) -> Part | None:
    """The preview: PRVW comes after eight bytes in its `uuid`."""
    inner = next((one for one in media_boxes.within(file, box.start + 8, box.end) if one.kind == b"PRVW"), None)
    head = b"" if inner is None else inner.data(file, PRVW_HEAD.size)
    if inner is None or len(head) < PRVW_HEAD.size:
        return None
    return Part(inner.start + PRVW_HEAD.size, PRVW_HEAD.unpack(head)[5])


def _track(file: BinaryIO, track: Box) -> tuple[Part | None, tuple[int, int]]:
    """Where its one sample is, and how large the picture."""
    table = media_boxes.first(file, track, *_SAMPLES)
    if table is None:
        return None, (0, 0)
    inner = {box.kind: box for box in media_boxes.within(file, table.start, table.end)}
    size = (0, 0)
    if (stsd := inner.get(b"stsd")) is not None:
        entry = next(media_boxes.within(file, stsd.start + _STSD_HEAD, stsd.end), None)
        if entry is not None and entry.kind == b"CRAW" and len(data := entry.data(file, _ENTRY_SIZE.size)) == 28:
            size = _ENTRY_SIZE.unpack(data)
    return _sample(file, inner), size


def _sample(file: BinaryIO, inner: dict[bytes, Box]) -> Part | None:
    stsz = inner.get(b"stsz")
    head = b"" if stsz is None else stsz.data(file, _STSZ.size + 4)
    if len(head) < _STSZ.size:
        return None
    _, same, count = _STSZ.unpack_from(head)
    length = same or (
        struct.unpack_from(">I", head, _STSZ.size)[0] if count and len(head) >= _STSZ.size + 4 else 0
    )
    for kind, layout in ((b"co64", ">8xQ"), (b"stco", ">8xI")):
        if kind in inner:
            data = inner[kind].data(file, struct.calcsize(layout))
            return Part(struct.unpack(layout, data)[0], length) if len(data) == struct.calcsize(layout) else None
    return None
