"""A few bytes out of a large file, perhaps on a share: what was asked for and nothing around it."""

from __future__ import annotations

import io
from typing import BinaryIO, cast

UNREADABLE = "it cannot be read to its end: the disk or the share reports an error"


def at(file: BinaryIO, offset: int, length: int) -> bytes:
    """`length` bytes from `offset`, fewer only at the end. Past the file's buffer, which fetches 256 KiB of a share for
    every four bytes (`analysis.far`), and put back where the buffer believes it to be."""
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
    """Of the whole file."""
    raw = _raw(file)
    before = raw.tell()
    try:
        return raw.seek(0, io.SEEK_END)
    finally:
        raw.seek(before)


def _raw(file: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, file.raw) if isinstance(file, io.BufferedReader) else file
