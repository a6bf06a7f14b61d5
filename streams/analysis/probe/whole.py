"""Whether the end of a file is missing: the declared size compared with the file's length. Reads only headers and sizes.

Only exact sizes in a container are used; a stream whose size was not known when it was written (a live recording,
Matroska of unknown size, a WAV from a pipe) is never regarded as truncated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from streams.analysis.probe import boxes
from streams.analysis.probe.boxes import read_at
from streams.analysis.probe.id3 import tag_at

MAX_BOXES = 32
"""Maximum top-level boxes. A fragmented MP4 may have thousands, and its first ones imply nothing about its last."""
STREAMED = (0, 0x7FFF_FFFF, 0xFFFF_FFFF)
"""Sizes of writers that could not seek back: zero, and the largest possible values."""
ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
LOOSE = 0.99
"""Tolerance for WAV, AIFF, AVI and ASF: writers miscount their own header, or a byte of padding."""
LOOSE_MP3 = 0.95
"""Tolerance for the bytes in a Xing header: some writers count what is before or after the audio, some programs remove
tags."""
MP3_HEAD_BYTES = 4_096
"""The header for variable bit rate is in the first frame, which begins after the tag or a little later."""


@dataclass(frozen=True, slots=True)
class Missing:
    """The end of the file is missing. `share`: the percentage that is there; None if that is not known."""

    share: int | None = None

    @property
    def warning(self) -> str:
        """As text."""
        return "its end is missing" + ("" if self.share is None else f": {self.share} % of it is there")


def missing(file: BinaryIO, size: int) -> Missing | None:
    """What is missing of a file of `size` bytes; None if nothing is missing, or if it cannot be determined."""
    head = read_at(file, 0, 16)
    match head[:4], head[4:8], head[8:12]:
        case (boxes.MATROSKA, _, _):
            return _matroska(file, size)
        case (_, b"ftyp" | b"moov" | b"mdat" | b"free" | b"skip" | b"wide" | b"pnot", _):
            return _mp4(file, size)
        case (b"RIFF" | b"RF64" | b"BW64", _, b"WAVE"):
            return _wav(file, size)
        case (b"RIFF", _, b"AVI "):
            return _avi(file, size)
        case (b"FORM", _, b"AIFF" | b"AIFC"):
            return _chunk(file, size, b"SSND", big=True)
        case (b"DSD ", _, _):  # DSF 1.01: the size of the whole file in the first chunk
            return _share(size, int.from_bytes(read_at(file, 12, 8), "little"))
        case (b"\x30\x26\xb2\x75", _, _):
            return _asf(file, size)
        case _ if head.startswith((b"ID3", b"\xff")):
            return _mp3(file, size)
    return None


def _share(there: int, declared: int, loose: float = 1.0) -> Missing | None:
    return Missing(max(0, there) * 100 // declared) if there < declared * loose else None


def _mp4(file: BinaryIO, size: int) -> Missing | None:
    """A top-level box that continues after the end of the file. The share is known if audio and video are in one box,
    and it has begun."""
    seen = set()
    for box in boxes.mp4(file, 0, size, MAX_BOXES):
        seen.add(box.kind)
        if box.kind in (b"mdat", b"moov", b"moof") and box.end is not None and box.end > size:
            return _share(size, box.end) if b"mdat" in seen and b"moof" not in seen else Missing()
    return None


def _matroska(file: BinaryIO, size: int) -> Missing | None:
    """Matroska's one Segment (RFC 9559, 5.1) has its declared length, or none is declared."""
    for element in boxes.ebml(file, 0, size, 8):
        if element.kind == b"\x18\x53\x80\x67":
            return None if element.end is None else _share(size, element.end)
    return None


def _wav(file: BinaryIO, size: int) -> Missing | None:
    """RF64 (EBU Tech 3306) has the size of its `data` in `ds64`, the second of three numbers of 64 bits."""
    for chunk in boxes.riff(file, 12, size):
        if chunk.kind == b"ds64":
            declared = int.from_bytes(read_at(file, chunk.body + 8, 8), "little")
            return _data(file, size, declared)
        if chunk.kind == b"data":
            return _declared(chunk, size)
    return None


def _data(file: BinaryIO, size: int, declared: int) -> Missing | None:
    for chunk in boxes.riff(file, 12, size):
        if chunk.kind == b"data":
            return _share(size - chunk.body, declared, LOOSE)
    return None


def _chunk(file: BinaryIO, size: int, kind: bytes, *, big: bool) -> Missing | None:
    for chunk in boxes.riff(file, 12, size, big=big):
        if chunk.kind == kind:
            return _declared(chunk, size)
    return None


def _declared(chunk: boxes.Part, size: int) -> Missing | None:
    assert chunk.end is not None  # chunks always have a size
    if chunk.end - chunk.body in STREAMED:
        return None
    return _share(size - chunk.body, chunk.end - chunk.body, LOOSE)


def _avi(file: BinaryIO, size: int) -> Missing | None:
    """A large AVI has several RIFF chunks, one after the other (OpenDML 1.02); only the last can continue after the end
    of the file."""
    for chunk in boxes.riff(file, 0, size):
        if chunk.kind != b"RIFF":
            return None
        if chunk.end is not None and chunk.end - chunk.body in STREAMED:
            return None
        if chunk.end is not None and chunk.end > size:
            return _share(size, chunk.end, LOOSE)
    return None


def _asf(file: BinaryIO, size: int) -> Missing | None:
    """The file's size in its properties (ASF 1.20.03, 3.2), 16 bytes in; not of a broadcast, marked 64 bytes in."""
    for one in boxes.asf(file, size):
        if one.kind == ASF_PROPERTIES:
            declared, flags = read_at(file, one.body + 16, 8), read_at(file, one.body + 64, 1)
            return None if flags in (b"\1", b"\3") else _share(size, int.from_bytes(declared, "little"), LOOSE)
    return None


def _mp3(file: BinaryIO, size: int) -> Missing | None:
    """The bytes of audio by the Xing or the VBRI header, compared with those after it."""
    start = _behind_id3(file)
    head = read_at(file, start, MP3_HEAD_BYTES)
    if (place := _xing(head)) is not None:
        first, at = place
        flags = int.from_bytes(head[at + 4 : at + 8], "big")
        declared = int.from_bytes(head[at + 8 + 4 * (flags & 1) :][:4], "big") if flags & 2 else 0
    elif (at := head.find(b"VBRI")) >= 36:  # 32 bytes after the four of its frame's header
        first, declared = at - 36, int.from_bytes(head[at + 10 : at + 14], "big")
    else:
        return None
    return _share(size - start - first, declared, LOOSE_MP3) if declared else None


def _xing(head: bytes) -> tuple[int, int] | None:
    """Where its frame begins and where the header is: after the side information, which has 9, 17 or 32 bytes."""
    for name in (b"Xing", b"Info"):
        at = head.find(name)
        for behind in (36, 21, 13):
            if at >= behind and head[at - behind] == 0xFF and head[at - behind + 1] & 0xE0 == 0xE0:
                return at - behind, at
    return None


def _behind_id3(file: BinaryIO) -> int:
    tag = tag_at(file, 0)
    return 0 if tag is None else tag.end
