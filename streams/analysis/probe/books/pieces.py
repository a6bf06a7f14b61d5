"""Reads a few bytes of a large file, perhaps on a share, and nothing around them."""

from __future__ import annotations

import io
from typing import BinaryIO, cast

UNREADABLE = "it cannot be read to its end: the disk or the share reports an error"


def at(file: BinaryIO, offset: int, length: int) -> bytes:
    """`length` bytes from `offset`, fewer only at the end. This bypasses the file's buffer, which would fetch 256 KiB
    of a share for every four bytes (`analysis.remote`), and restores the position that the buffer expects."""
    raw = _raw(file)
    before = raw.tell()
    raw.seek(offset)
    try:
        data = b""
        while len(data) < length:
            part = raw.read(length - len(data))
            if not part:
                break
            data += part
        return data
    finally:
        raw.seek(before)


def size(file: BinaryIO) -> int:
    """The size of the whole file."""
    raw = _raw(file)
    before = raw.tell()
    try:
        return raw.seek(0, io.SEEK_END)
    finally:
        raw.seek(before)


def _raw(file: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, file.raw) if isinstance(file, io.BufferedReader) else file
