"""Excessive metadata: tens of thousands of tags, pictures larger than any cover. FFmpeg keeps tags in a list that it
searches for each tag (100,000 take a minute), and pictures in memory unchanged.

They are counted here, by their headers only, before FFmpeg reads the file. The excess is made to look like padding by
patches that keep every length, so that the rest is read as usual. Invalid tags are left to FFmpeg.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from streams.analysis.probe import boxes, id3, matroska
from streams.analysis.probe.boxes import read_at
from streams.analysis.probe.ogg_page import fewer_comments
from streams.analysis.probe.thumbnail import MAX_COVER_BYTES
from streams.analysis.probe.view import Patch

MAX_TAGS = 2_000
"""FFmpeg reads so many tags in 30 ms, and ten times as many in three seconds (measured)."""
MAX_BOXES = 32
"""Maximum top-level boxes of an MP4: its `moov` is one of the first, or after one large `mdat`."""
MAX_METAS = 4
"""Maximum lists of tags in one file; there is one, or one of iTunes and one of QuickTime."""
MAX_ATTACHMENTS_BYTES = 67_108_864
"""Fonts and covers in Matroska; FFmpeg loads all of them."""
TOO_MANY = f"only the first {MAX_TAGS} of its tags are read"
NONE = "its tags are not read: there are too many"
TOO_LARGE = "a picture in it is not read: it is too large"
CHAPTERS = "its chapters are not read: there are too many"
ATTACHMENTS = "what is attached to it is not read: it is too large"
_COUNTED = {matroska.TAGS: NONE, matroska.CHAPTERS: CHAPTERS}
ASF_TAGS = bytes.fromhex("40a4d0d207e3d21197f000a0c95ea850")
_ID3_PICTURES = ("APIC", "PIC", "GEOB")


@dataclass(frozen=True, slots=True)
class Excess:
    """Patches that hide the excess from FFmpeg, and the warnings about it."""

    patches: tuple[Patch, ...] = ()
    warnings: tuple[str, ...] = ()


def excess(file: BinaryIO, size: int) -> Excess:
    """The excess in a file of `size` bytes."""
    found = list(_found(file, size))
    return Excess(tuple(patch for patch, _ in found), tuple(dict.fromkeys(warning for _, warning in found)))


_Found = Iterator[tuple[Patch, str]]


def _found(file: BinaryIO, size: int) -> _Found:
    head = read_at(file, 0, 16)
    if (tag := id3.tag_at(file, 0)) is not None:
        yield from _id3(file, 0)
        if read_at(file, tag.end, 4) == b"fLaC":
            yield from _flac(file, tag.end, size)
    match head[:4], head[4:8], head[8:12]:
        case (b"fLaC", _, _):
            yield from _flac(file, 0, size)
        case (b"OggS", _, _):
            for patch in fewer_comments(file, MAX_TAGS):
                yield patch, TOO_MANY
        case (boxes.MATROSKA, _, _):
            yield from _matroska(file, size)
        case (_, b"ftyp" | b"moov" | b"mdat" | b"free" | b"skip" | b"wide", _):
            yield from _mp4(file, size)
        case (b"FORM" | b"RIFF" | b"RF64" | b"BW64", _, b"AIFF" | b"AIFC" | b"WAVE" | b"AVI "):
            chunks = boxes.riff(file, 12, size, big=head.startswith(b"FORM"))
            for chunk in itertools.islice((one for one in chunks if one.kind.upper() == b"ID3 "), MAX_METAS):
                yield from _id3(file, chunk.body)
        case (b"DSD ", _, _):  # where its ID3 tag stands: DSF 1.01, 20 bytes in
            yield from _id3(file, int.from_bytes(read_at(file, 20, 8), "little"))
        case (b"\x30\x26\xb2\x75", _, _):
            yield from _asf(file, size)
    yield from _ape(file, size)


def _id3(file: BinaryIO, start: int) -> _Found:
    """ID3: a zero in place of a frame's header means padding up to the tag's end."""
    tag = id3.tag_at(file, start)
    if tag is None:
        return
    padding = Patch(tag.begin, bytes(4))
    if tag.is_opaque:
        if tag.end - start > 64 * MAX_TAGS:
            yield padding, TOO_MANY
        return
    for count, frame in enumerate(id3.frames(file, tag, MAX_TAGS + 1)):
        if count == MAX_TAGS:
            yield replace(padding, at=frame.at), TOO_MANY
        elif frame.name in _ID3_PICTURES and frame.size > MAX_COVER_BYTES:
            yield Patch(frame.at, b"XXXX"[: len(frame.name)]), TOO_LARGE


def _flac(file: BinaryIO, start: int, size: int) -> _Found:
    """FLAC metadata blocks (RFC 9639, 8): a bit for the last one, a type (4: comments, 1: padding) and 24 bits of
    length."""
    at = start + 4
    for _ in range(boxes.MAX_PARTS):
        head = read_at(file, at, 4)
        if len(head) < 4 or at >= size:
            return
        if head[0] & 0x7F == 4:
            vendor = int.from_bytes(read_at(file, at + 4, 4), "little")
            if int.from_bytes(read_at(file, at + 8 + vendor, 4), "little") > MAX_TAGS:
                yield Patch(at + 8 + vendor, MAX_TAGS.to_bytes(4, "little")), TOO_MANY
        if head[0] & 0x80:
            return
        at += 4 + int.from_bytes(head[1:], "big")


def _mp4(file: BinaryIO, size: int) -> _Found:
    """`ilst` in `meta` in `udta` in `moov`, as iTunes writes it, and in `moov` itself, as QuickTime does."""
    moov = next((box for box in boxes.mp4(file, 0, size, MAX_BOXES) if box.kind == b"moov"), None)
    if moov is None:
        return
    metas = 0
    for box in boxes.mp4(file, moov.body, moov.end or size):
        inner = [box] if box.kind == b"meta" else []
        if box.kind == b"udta":
            inner = list(boxes.mp4(file, box.body, box.end or size, MAX_BOXES))
        for meta in inner:
            if meta.kind == b"meta" and metas < MAX_METAS:
                metas += 1
                yield from _mp4_meta(file, meta, size)


def _mp4_meta(file: BinaryIO, meta: boxes.Part, size: int) -> _Found:
    """iTunes' `meta` has four bytes of version before the boxes, QuickTime's has none."""
    body = meta.body if read_at(file, meta.body + 4, 4) == b"hdlr" else meta.body + 4
    for ilst in boxes.mp4(file, body, meta.end or size, MAX_BOXES):
        if ilst.kind != b"ilst":
            continue
        items = list(boxes.mp4(file, ilst.body, ilst.end or size, MAX_TAGS + 1))
        if len(items) > MAX_TAGS:  # one item up to the end of the list, of a name that nobody knows
            last, end = items[-1], min(ilst.end or size, 0xFFFF_FFFF)
            yield Patch(last.at, max(end - last.at, 8).to_bytes(4, "big") + b"skip"), TOO_MANY
        for item in items:
            if item.kind == b"covr" and (item.end or size) - item.at > MAX_COVER_BYTES:
                yield Patch(item.at + 4, b"skip"), TOO_LARGE


def _matroska(file: BinaryIO, size: int) -> _Found:
    """A Void element of the same length replaces the excess."""
    for element in matroska.top(file, size):
        length = (element.end or size) - element.body
        if element.kind in _COUNTED and matroska.parts_in(file, element, size, MAX_TAGS) > MAX_TAGS:
            yield _void(element, length), _COUNTED[element.kind]
        elif element.kind == matroska.ATTACHMENTS and length > MAX_ATTACHMENTS_BYTES:
            yield _void(element, length), ATTACHMENTS


def _void(element: boxes.Part, length: int) -> Patch:
    """A Void element (RFC 8794, 11.3.2) has an id of one byte; its size takes the rest of the header, at most eight
    bytes."""
    room = min(element.body - element.at - 1, 8)
    whole = length + element.body - element.at - 1 - room
    return Patch(element.at, b"\xec" + (whole | 1 << 7 * room).to_bytes(room, "big"))


def _asf(file: BinaryIO, size: int) -> _Found:
    """The extended content description (ASF 1.20.03, 3.11) begins with a count of 16 bits."""
    for one in boxes.asf(file, size):
        if one.kind == ASF_TAGS and int.from_bytes(read_at(file, one.body, 2), "little") > MAX_TAGS:
            yield Patch(one.body, MAX_TAGS.to_bytes(2, "little")), TOO_MANY


def _ape(file: BinaryIO, size: int) -> _Found:
    """The footer of an APEv2 tag at the end, or before the 128 bytes of ID3v1: the number of items is at byte 16."""
    for at in (size - 32, size - 160):
        foot = read_at(file, at, 32)
        if foot.startswith(b"APETAGEX") and int.from_bytes(foot[16:20], "little") > MAX_TAGS:
            yield Patch(at + 16, MAX_TAGS.to_bytes(4, "little")), TOO_MANY
