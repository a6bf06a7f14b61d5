"""The parts of containers: MP4's boxes, Matroska's elements, the chunks of RIFF and AIFF. A part has a header with its kind
and its length; its content is not read here.

Every walk ends: after MAX_PARTS, at the end of the file, or at an invalid header.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MAX_PARTS = 2_000
"""Maximum headers read in one walk: an ordinary file has a few dozen, and on a share each may be a separate request."""
MAX_OFFSET = 1 << 43
"""No offset beyond this is read: file systems reject offsets that they cannot have (ext4 from 16 TiB on)."""
ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
MATROSKA = b"\x1aE\xdf\xa3"


@dataclass(frozen=True, slots=True)
class Part:
    """A part: `at` is where its header begins, `body` where its content begins, `end` its declared end (None: the end
    of the file, or it was not known when it was written). Offsets in bytes."""

    kind: bytes
    at: int
    body: int
    end: int | None


def mp4(file: BinaryIO, start: int, end: int, most: int = MAX_PARTS) -> Iterator[Part]:
    """Boxes (ISO/IEC 14496-12, 4.2): 32 bits of size, four letters; size 1: 64 bits behind them, size 0: to the end."""
    for _ in range(most):
        head = read_at(file, start, min(16, end - start))
        if len(head) < 8:
            return
        size, kind, body = int.from_bytes(head[:4], "big"), head[4:8], start + 8
        if size == 1:
            size, body = int.from_bytes(head[8:16], "big"), start + 16
        if (size != 0 and size < body - start) or not kind.strip(b"\xa9").replace(b"-", b"a").strip().isalnum():
            return
        yield Part(kind, start, body, start + size if size else None)
        if not size:
            return
        start += size


def riff(file: BinaryIO, start: int, end: int, *, big: bool = False, most: int = MAX_PARTS) -> Iterator[Part]:
    """Chunks: four letters, 32 bits of size, a byte of padding behind odd ones. `big`: of AIFF (Apple, 1989), else of RIFF
    (Microsoft, 1991)."""
    for _ in range(most):
        head = read_at(file, start, min(8, end - start))
        if len(head) < 8:
            return
        size = int.from_bytes(head[4:8], "big" if big else "little")
        yield Part(head[:4], start, start + 8, start + 8 + size)
        start += 8 + size + size % 2


def ebml(file: BinaryIO, start: int, end: int, most: int = MAX_PARTS) -> Iterator[Part]:
    """Elements (RFC 8794, 4 to 6): an id and a size, whose lengths are given by the zeros before the first one bit; all
    ones: not known."""
    for _ in range(most):
        head = read_at(file, start, min(12, end - start))
        if len(head) < 2:
            return
        id_length, size_length = 9 - head[0].bit_length(), 0
        if 1 <= id_length <= 4 and len(head) > id_length:
            size_length = 9 - head[id_length].bit_length()
        if not 1 <= size_length <= 8 or len(head) < id_length + size_length:
            return
        ones = (1 << 7 * size_length) - 1
        size = int.from_bytes(head[id_length : id_length + size_length], "big") & ones
        body = start + id_length + size_length
        yield Part(head[:id_length], start, body, None if size == ones else body + size)
        if size == ones:
            return
        start = body + size


def asf(file: BinaryIO, size: int) -> Iterator[Part]:
    """Objects of the header (ASF 1.20.03, 2.1): 16 bytes of GUID, 64 bits of size; the first has all the others in it."""
    if read_at(file, 0, 16) != ASF_HEADER:
        return
    end = min(int.from_bytes(read_at(file, 16, 8), "little"), size)
    start = 30
    for _ in range(MAX_PARTS):
        head = read_at(file, start, min(24, end - start))
        if len(head) < 24:
            return
        length = max(24, int.from_bytes(head[16:24], "little"))
        yield Part(head[:16], start, start + 24, start + length)
        start += length


def read_at(file: BinaryIO, at: int, count: int) -> bytes:
    """Read `count` bytes at an offset; fewer at the end of the file, none if no file can be so long."""
    if count <= 0 or not 0 <= at < MAX_OFFSET:
        return b""
    file.seek(at)
    return file.read(count)
