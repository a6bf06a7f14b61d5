"""A file as FFmpeg reads it: some of its bytes are replaced, and the bytes and the time of reading are limited; beyond
the limits the file seems to end.

So a parser that would search four gigabytes for the next known structure stops, with what it has."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from streams.analysis.probe.boxes import read_at

MAX_BYTES = 134_217_728
"""Maximum bytes read to identify a file: the index of the longest films has some 30 MB."""
MAX_SECONDS = 8.0
"""Time limit for that, because a share may be slow. Together with the search for a picture it stays below a child's
limit (15 s)."""


@dataclass(frozen=True, slots=True)
class Patch:
    """Bytes that replace those of the file at an offset."""

    at: int
    data: bytes


class View:
    """The file object that PyAV reads: `read`, `seek`, `tell`."""

    def __init__(self, file: BinaryIO, patches: Iterable[Patch] = ()) -> None:
        self.file = file
        self._patches = tuple(patches)
        self._size = file.seek(0, os.SEEK_END)
        self._at = 0
        self._left = MAX_BYTES
        self._until = time.monotonic() + MAX_SECONDS
        self.is_spent = False
        """Whether a limit was reached, so that FFmpeg may have found less than there is."""

    def begin_again(self, count: int, seconds: float) -> None:
        """Set new limits: from here on `count` bytes may be read, for `seconds`."""
        self._left, self._until = count, time.monotonic() + seconds

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """The offset of the next read."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Set the offset of the next read; -1 if it would be before the beginning."""
        at = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence] + offset
        if at < 0:
            return -1
        self._at = at
        return at

    def read(self, count: int) -> bytes:
        """Read the next bytes; empty at the end."""
        if self._left <= 0 or time.monotonic() > self._until:
            self.is_spent = True
            return b""
        data = read_at(self.file, self._at, min(count, self._size - self._at))
        for patch in self._patches:
            data = _patched(data, patch, patch.at - self._at)
        self._at += len(data)
        self._left -= len(data)
        return data


def _patched(data: bytes, patch: Patch, at: int) -> bytes:
    """`at`: where the patch begins in the data, negative when before it."""
    begin, end = max(at, 0), min(at + len(patch.data), len(data))
    return data if begin >= end else data[:begin] + patch.data[begin - at : end - at] + data[end:]
