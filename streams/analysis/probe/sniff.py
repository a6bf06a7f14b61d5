"""The kind of a file by its first bytes, independent of its name. Pure: it receives the bytes and opens nothing.

Magic numbers are from the formats' specifications; if several formats share one (`RIFF`, `FORM`, `ftyp`), what follows it
decides.
"""

from __future__ import annotations

import codecs
from typing import Literal

HEAD_BYTES = 4_096
"""How many bytes are examined. A file that is plain text for so long is regarded as text."""

Kind = Literal["text", "midi", "epub", "zip", "rar", "7z", "pdf", "picture", "video", "audio", "empty"]

_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"MThd", "midi"), (b"%PDF-", "pdf"), (b"Rar!\x1a\x07", "rar"), (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"\x89PNG\r\n\x1a\n", "picture"), (b"\xff\xd8\xff", "picture"), (b"GIF8", "picture"),
    (b"II*\0", "picture"), (b"MM\0*", "picture"), (b"8BPS\0\x01", "picture"),
    (b"\x1aE\xdf\xa3", "video"), (b"FLV\x01", "video"), (b"\0\0\x01\xba", "video"), (b"\0\0\x01\xb3", "video"),
    (b".RMF", "video"), (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video"),
    (b"ID3", "audio"), (b"fLaC", "audio"), (b"OggS", "audio"), (b"MAC ", "audio"), (b"wvpk", "audio"),
    (b"DSD ", "audio"), (b"TTA1", "audio"), (b"#!AMR", "audio"), (b"caff", "audio"),
)  # fmt: skip
_FORMS: tuple[tuple[int, bytes, Kind], ...] = (
    (8, b"WAVE", "audio"), (8, b"AVI ", "video"), (8, b"WEBP", "picture"), (8, b"AIFF", "audio"),
    (8, b"AIFC", "audio"), (4, b"ftypM4A", "audio"), (4, b"ftypM4B", "audio"), (4, b"ftypheic", "picture"),
    (4, b"ftypheix", "picture"), (4, b"ftypmif1", "picture"), (4, b"ftypavif", "picture"), (4, b"ftyp", "video"),
    (4, b"moov", "video"),
)  # fmt: skip
_ZIP = b"PK\x03\x04"
_EPUB = b"mimetypeapplication/epub+zip"
"""The first member of an EPUB is stored uncompressed, without an extra field (OCF 3.3, 4.3): so both are at byte 30."""
_SPACES = frozenset("\t\n\r\f")


def kind_of(head: bytes) -> Kind | None:
    """The kind of a file by its first HEAD_BYTES; None if it is unknown."""
    if not head:
        return "empty"
    if head.startswith(_ZIP):
        return "epub" if head[30 : 30 + len(_EPUB)] == _EPUB else "zip"
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    for at, form, kind in _FORMS:
        if head[at : at + len(form)] == form:
            return kind
    return "text" if is_text(head) else None


def is_text(head: bytes) -> bool:
    """Whether it is plain text in UTF-8, or in UTF-16 with a byte order mark, without control characters except line
    ends and tabs. A character that is truncated at the end is accepted."""
    if not head:
        return False
    name = "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = codecs.getincrementaldecoder(name)().decode(head[:HEAD_BYTES])
    except UnicodeDecodeError:
        return False
    return bool(text) and not any((c < " " and c not in _SPACES) or "\x7f" <= c < "\xa0" for c in text)
