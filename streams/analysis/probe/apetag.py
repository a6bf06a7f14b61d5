"""The texts of APEv2 tags at the end of a file. FFmpeg reads these tags in the formats for which they were made, but
not after an MP3, where they also occur."""

from __future__ import annotations

import os
from typing import BinaryIO

from streams.analysis.probe.boxes import read_at

FOOT_BYTES, ID3V1_BYTES = 32, 128
MAX_BYTES = 1_048_576
"""Bytes read of a tag: in most, texts come before pictures."""
MAX_TEXT_BYTES = 4_096
_TEXT = 0
"""Bits 1 and 2 of an item's flags: UTF-8."""


def texts(file: BinaryIO, most: int) -> dict[str, str]:
    """The texts by their names; of several values the first (APEv2 as Hydrogenaudio specifies it: a footer of 32 bytes
    with size and count, items of size, flags, name, zero, value, all little endian)."""
    size = file.seek(0, os.SEEK_END)
    for end in (size, size - ID3V1_BYTES):
        foot = read_at(file, end - FOOT_BYTES, FOOT_BYTES)
        if foot.startswith(b"APETAGEX"):
            length, count = int.from_bytes(foot[12:16], "little"), int.from_bytes(foot[16:20], "little")
            return _items(read_at(file, end - length, min(length, MAX_BYTES)), min(count, most))
    return {}


def _items(data: bytes, count: int) -> dict[str, str]:
    fields: dict[str, str] = {}
    at = 0
    for _ in range(count):
        size, flags = int.from_bytes(data[at : at + 4], "little"), int.from_bytes(data[at + 4 : at + 8], "little")
        end = data.find(b"\0", at + 8, at + 8 + 256)  # a name has 255 bytes at most
        if end < 0:
            break
        value = data[end + 1 : end + 1 + min(size, MAX_TEXT_BYTES)]
        if flags >> 1 & 3 == _TEXT:
            name = data[at + 8 : end].decode("ascii", "replace").casefold()
            fields.setdefault(name, value.partition(b"\0")[0].decode("utf-8", "replace"))
        at = end + 1 + size
    return fields
