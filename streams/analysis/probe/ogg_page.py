"""Pages of Ogg (RFC 3533, 6) with comments: their number can be reduced, together with the page's checksum."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from streams.analysis.probe.boxes import read_at
from streams.analysis.probe.view import Patch

MAX_PAGES = 16
"""The comments of each stream begin on one of the first pages."""
_HEADS = (b"\x03vorbis", b"OpusTags", b"\x81theora")
"""The bytes before the vendor's name in the comments of Vorbis, Opus and Theora."""


def fewer_comments(file: BinaryIO, most: int) -> Iterator[Patch]:
    """Patches that limit each stream to `most` comments."""
    at = 0
    for _ in range(MAX_PAGES):
        head = read_at(file, at, 27)
        if len(head) < 27 or not head.startswith(b"OggS"):
            return
        table = file.read(head[26])
        body = file.read(sum(table))
        name = next((one for one in _HEADS if body.startswith(one)), b"")
        if name:
            count_at = len(name) + 4 + int.from_bytes(body[len(name) : len(name) + 4], "little")
            if int.from_bytes(body[count_at : count_at + 4], "little") > most and count_at + 4 <= len(body):
                body = body[:count_at] + most.to_bytes(4, "little") + body[count_at + 4 :]
                page = head[:22] + b"\0\0\0\0" + head[26:] + table + body
                yield Patch(at, page[:22] + checksum(page).to_bytes(4, "little") + page[26:])
        at += 27 + len(table) + len(body)


def checksum(page: bytes) -> int:
    """The checksum of a page whose own checksum field is zero: CRC-32 with the polynomial 0x04c11db7, not reflected."""
    crc = 0
    for byte in page:
        crc = (crc << 8 & 0xFFFF_FFFF) ^ _TABLE[crc >> 24 ^ byte]
    return crc


def _row(value: int) -> int:
    crc = value << 24
    for _ in range(8):
        crc = crc << 1 ^ (0x104C1_1DB7 if crc & 0x8000_0000 else 0)
    return crc


_TABLE = [_row(value) for value in range(256)]
