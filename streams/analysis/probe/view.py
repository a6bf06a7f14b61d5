"""A file as FFmpeg sees it: some bytes of it replaced by others, and no more than so many read in so long a time; beyond
that it looks as if it ended.

So a parser that would search four gigabytes for the next thing it knows stops, with what it has."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from streams.analysis.probe.boxes import read_at

MAX_BYTES = 134_217_728
"""Read to know what it is: the index of the longest films is some 30 MB."""
MAX_SECONDS = 8.0
"""For that: a share may be slow. With what looking for a picture takes it stays below what a child is given (15 s)."""


@dataclass(frozen=True, slots=True)
class Patch:
    """Other bytes than the file's, at an offset."""

    at: int
    data: bytes


class View:
    """What PyAV reads from: `read`, `seek`, `tell`."""

    def __init__(self, file: BinaryIO, patches: Iterable[Patch] = ()) -> None:
        self.file = file
        self._patches = tuple(patches)
        self._size = file.seek(0, os.SEEK_END)
        self._at = 0
        self._left = MAX_BYTES
        self._until = time.monotonic() + MAX_SECONDS
        self.is_spent = False
        """It was read further than is allowed: what FFmpeg says of it may be less than there is."""

    def begin_again(self, count: int, seconds: float) -> None:
        """From here on so many bytes may be read, for so long."""
        self._left, self._until = count, time.monotonic() + seconds

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where the next piece is read."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Read from elsewhere on; -1 where that is before the beginning."""
        at = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence] + offset
        if at < 0:
            return -1
        self._at = at
        return at

    def read(self, count: int) -> bytes:
        """The next piece; empty at the end."""
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
