"""ID3v2 tags (2.2 to 2.4): their frames' headers and plain texts. FFmpeg reads them where they belong, but drops them
in front of a file that has native tags, even if that is only the name of its encoder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from streams.analysis.probe.boxes import read_at

MAX_TEXT_BYTES = 4_096
"""Maximum bytes of one frame; the texts that are needed are far shorter."""
_ENCODINGS = ("latin-1", "utf-16", "utf-16-be", "utf-8")
_NAMES = {
    "TIT2": "title", "TPE1": "artist", "TPE2": "album_artist", "TALB": "album", "TRCK": "track", "TPOS": "disc",
    "TDRC": "date", "TYER": "date", "TCON": "genre", "TCOM": "composer", "TPUB": "publisher", "TLAN": "language",
    "TIT1": "grouping", "GRP1": "grouping", "MVNM": "mvnm", "MVIN": "mvin",
    "TT2": "title", "TP1": "artist", "TP2": "album_artist", "TAL": "album", "TRK": "track",
    "TPA": "disc", "TYE": "date", "TCO": "genre", "TCM": "composer", "TPB": "publisher", "TLA": "language",
}  # fmt: skip
"""Frames of 2.3, 2.4 (four letters) and 2.2 (three) by the names that FFmpeg has for them."""


@dataclass(frozen=True, slots=True)
class Tag:
    """Where its frames begin and end, and its version. `is_opaque`: unsynchronised as a whole, which no current program
    writes: its lengths cannot be used."""

    version: int
    begin: int
    end: int
    is_opaque: bool

    @property
    def is_wide(self) -> bool:
        """Whether its frames have headers of ten bytes, not of six."""
        return self.version > 2


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: where its header and its content begin, and the length of the content."""

    name: str
    at: int
    body: int
    size: int


def synchsafe(four: bytes) -> int:
    """A number with seven bits in each of four bytes."""
    return sum((byte & 0x7F) << shift for byte, shift in zip(four, (21, 14, 7, 0), strict=False))


def tag_at(file: BinaryIO, at: int) -> Tag | None:
    """The tag that begins there (ID3v2.4.0 structure, 3.1 and 3.2). The length of an extended header includes itself
    only in 2.4."""
    head = read_at(file, at, 10)
    if len(head) < 10 or not head.startswith(b"ID3"):
        return None
    version, flags, begin = head[3], head[5], at + 10
    end = begin + synchsafe(head[6:10])
    if flags & 0x40 and version > 2:
        extended = read_at(file, begin, 4)
        begin += synchsafe(extended) if version > 3 else 4 + int.from_bytes(extended, "big")
    return Tag(version, begin, end, bool(flags & 0x80) and version < 4)


def frames(file: BinaryIO, tag: Tag, most: int) -> Iterator[Frame]:
    """The frames, in order, up to the first invalid one."""
    at, head_length = tag.begin, 10 if tag.is_wide else 6
    for _ in range(most):
        head = read_at(file, at, min(head_length, tag.end - at))
        name, length = (head[:4], head[4:8]) if tag.is_wide else (head[:3], head[3:6])
        if len(head) < head_length or not name.isalnum():
            return
        size = synchsafe(length) if tag.version > 3 else int.from_bytes(length, "big")
        yield Frame(name.decode("ascii"), at, at + head_length, size)
        at += head_length + size


def texts(file: BinaryIO, tag: Tag | None, most: int) -> dict[str, str]:
    """The text frames, by FFmpeg's names for them, or by their own descriptions (TXXX)."""
    fields: dict[str, str] = {}
    for frame in () if tag is None or tag.is_opaque else frames(file, tag, most):
        if not (frame.name.startswith("T") or frame.name in _NAMES) or not 1 < frame.size <= MAX_TEXT_BYTES:
            continue
        name, text = _text(frame.name, read_at(file, frame.body, frame.size))
        if text:
            fields.setdefault(name, text)
    return fields


def _text(name: str, data: bytes) -> tuple[str, str]:
    encoding = _ENCODINGS[data[0]] if data[0] < len(_ENCODINGS) else "latin-1"
    whole = data[1:].decode(encoding, "replace")
    first, _, rest = whole.partition("\0")
    if name in ("TXXX", "TXX"):
        return first, rest.partition("\0")[0].removeprefix("\ufeff")
    return _NAMES.get(name, name), first
