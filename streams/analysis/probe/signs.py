"""Signatures of pictures: the format, and the size if it is in the header. For files that no decoder opens.

Sources: PNG (W3C, third edition) 5.2 and 11.2.1; RFC 9649 (WebP), 2.5 to 2.7; GIF 89a, 18; ITU-T T.81 (JPEG); the bitmap
headers of Windows; TIFF 6.0; ISO/IEC 15444-1 (JPEG 2000); Adobe Photoshop File Formats (PSD).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

from streams.analysis.probe import exif, heif, ifd, jpeg
from streams.analysis.probe.exif import NOTHING, Shot

HEAD_BYTES = 32
BEGINNINGS = (
    (b"\xff\xd8\xff", "jpeg"), (b"\x89PNG\r\n\x1a\n", "png"), (b"GIF87a", "gif"), (b"GIF89a", "gif"), (b"8BPS", "psd"),
    (b"II*\0", "tiff"), (b"MM\0*", "tiff"), (b"\0\0\0\x0cjP  \r\n\x87\n", "jpeg2000"), (b"\xff\x4f\xff\x51", "jpeg2000"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sign:
    """The format, and the size before rotation if it is known."""

    container: str
    size: tuple[int, int] | None = None
    shot: Shot = NOTHING


def read(file: BinaryIO) -> Sign | None:
    """Read the signature; None if it is not that of a picture."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return Sign("webp", _webp(head))
    if (container := heif.container(head)) is not None:
        return Sign(container, heif.size(file))
    container = next((name for beginning, name in BEGINNINGS if head.startswith(beginning)), None)
    if container is None:
        return None
    size: tuple[int, int] | None = None
    shot = NOTHING
    match container:
        case "png" if head[12:16] == b"IHDR" and len(head) >= 24:
            size = struct.unpack(">II", head[16:24])
        case "gif" if len(head) >= 10:
            size = struct.unpack("<HH", head[6:10])
        case "jpeg" if (found := jpeg.head(file)) is not None:
            size, shot = (found.width, found.height), exif.of_bytes(found.exif)
        case "tiff" if (tiff := ifd.opened(file)) is not None and (chain := tiff.chain()):
            size, shot = (chain[0].number(0x0100) or 0, chain[0].number(0x0101) or 0), exif.of_chain(chain)
        case "psd" if len(head) >= 22:
            high, wide = struct.unpack(">II", head[14:22])
            size = wide, high
    return Sign(container, size if size and all(size) else None, shot)


def _webp(head: bytes) -> tuple[int, int] | None:
    """The size in the first chunk: extended, lossless or lossy."""
    kind, body = head[12:16], head[20:]
    if kind == b"VP8X" and len(body) >= 10:
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8L" and body[:1] == b"\x2f" and len(body) >= 5:
        both = int.from_bytes(body[1:5], "little")
        return 1 + (both & 0x3FFF), 1 + (both >> 14 & 0x3FFF)
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a" and len(body) >= 10:
        wide, high = struct.unpack("<HH", body[6:10])
        return wide & 0x3FFF, high & 0x3FFF
    return None
