"""Data of a Matroska file that FFmpeg does not pass on: its names for its codecs, and the target of its tags, without
which one tag overwrites another of the same name.

Element ids as in RFC 9559. Like FFmpeg, it reads only what is before the first cluster or is listed in the SeekHead.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from typing import BinaryIO

from streams.analysis.probe import boxes
from streams.analysis.probe.boxes import Part, read_at
from streams.analysis.probe.text import clean

SEGMENT, CLUSTER = b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"
TRACKS, TAGS, ATTACHMENTS = b"\x16\x54\xae\x6b", b"\x12\x54\xc3\x67", b"\x19\x41\xa4\x69"
CHAPTERS = b"\x10\x43\xa7\x70"
MAX_TOP = 100
"""Maximum top-level elements that are read; there are about ten."""
MAX_FIELDS = 100
MAX_TAGS_ELEMENTS = 4
MAX_SEEK_HEADS = 4
"""There may be several of both; usually there is one."""
MAX_NAME = 60
MAX_TEXT_BYTES = 4_096
_SEEK_HEAD, _SEEK_POSITION = b"\x11\x4d\x9b\x74", b"\x53\xac"
_TRACK, _CODEC = b"\xae", b"\x86"
_TAG, _TARGETS, _LEVEL, _OF_TRACK = b"\x73\x73", b"\x63\xc0", b"\x68\xca", b"\x63\xc5"
_SIMPLE, _NAME, _TEXT = b"\x67\xc8", b"\x45\xa3", b"\x44\x87"
_COLLECTION, _SEASON, _ALBUM, _SONG = 70, 60, 50, 30
_LEVELS = {_COLLECTION: "collection/", _SEASON: "season/", _ALBUM: "album/", _SONG: "track/"}
"""TargetTypeValue (RFC 9559, 5.1.8.1.1.1): what is tagged is a collection of seasons or volumes, one of these, a film, an
episode or an album, a song."""


def top(file: BinaryIO, size: int) -> Iterator[Part]:
    """The elements of its first segment; none if it is not Matroska."""
    if read_at(file, 0, 4) != boxes.MATROSKA:
        return
    segment = next((one for one in boxes.ebml(file, 0, size, 8) if one.kind == SEGMENT), None)
    if segment is None:
        return
    end = segment.end or size
    for at in _places(file, segment, size):
        yield from boxes.ebml(file, at, end, 1)


def codec_ids(file: BinaryIO) -> tuple[str | None, ...]:
    """The codec ids in the order of the tracks, which is that of FFmpeg's streams; empty if it is not Matroska."""
    size = file.seek(0, os.SEEK_END)
    tracks = next((element for element in top(file, size) if element.kind == TRACKS), None)
    if tracks is None:
        return ()
    found = boxes.ebml(file, tracks.body, tracks.end or size, MAX_FIELDS)
    return tuple(clean(_field(file, track, _CODEC, size)[:MAX_NAME]) for track in found if track.kind == _TRACK)


def tags_by_level(file: BinaryIO, most: int) -> dict[str, str]:
    """Tags by their names, prefixed by their target: `collection/title`, `season/part_number`. Tags of the middle level
    have no prefix if there are none for songs, because then the file is a single item."""
    size, fields = file.seek(0, os.SEEK_END), dict[str, str]()
    all_tags = (element for element in top(file, size) if element.kind == TAGS)
    for tags in itertools.islice(all_tags, MAX_TAGS_ELEMENTS):
        if parts_in(file, tags, size, most) > most:
            continue
        for tag in boxes.ebml(file, tags.body, tags.end or size, most):
            for name, text in _simple_tags(file, tag, size, most):
                fields.setdefault(name, text)
    if any(name.startswith(_LEVELS[_SONG]) for name in fields):
        return fields
    return {name.removeprefix(_LEVELS[_ALBUM]): text for name, text in fields.items()}


def parts_in(file: BinaryIO, element: Part, size: int, most: int) -> int:
    """How many parts an element has whose parts have parts: tags, chapters; the count stops soon after `most`."""
    count = 0
    for part in boxes.ebml(file, element.body, element.end or size, most):
        count += 1 + sum(1 for _ in boxes.ebml(file, part.body, part.end or size, most + 1))
        if count > most:
            break
    return count


def _simple_tags(file: BinaryIO, tag: Part, size: int, most: int) -> Iterator[tuple[str, str]]:
    level = _ALBUM
    for part in boxes.ebml(file, tag.body, tag.end or size, most):
        if part.kind == _TARGETS:
            if _has(file, part, _OF_TRACK, size):  # of a stream and not of the whole
                return
            level = int.from_bytes(_bytes(file, part, _LEVEL, size)[:2], "big") or _ALBUM
        elif part.kind == _SIMPLE and level in _LEVELS:
            name, text = _field(file, part, _NAME, size)[:MAX_NAME], _field(file, part, _TEXT, size)
            if name and text:
                yield _LEVELS[level] + name.casefold(), text


def _has(file: BinaryIO, part: Part, kind: bytes, size: int) -> bool:
    return any(_bytes(file, part, kind, size).strip(b"\0"))


def _field(file: BinaryIO, part: Part, kind: bytes, size: int) -> str:
    return _bytes(file, part, kind, size).rstrip(b"\0").decode("utf-8", "replace")


def _bytes(file: BinaryIO, part: Part, kind: bytes, size: int) -> bytes:
    for field in boxes.ebml(file, part.body, part.end or size, MAX_FIELDS):
        if field.kind == kind and field.end is not None:
            return read_at(file, field.body, min(field.end - field.body, MAX_TEXT_BYTES))
    return b""


def _places(file: BinaryIO, segment: Part, size: int) -> list[int]:
    found: set[int] = set()
    heads = 0
    for element in boxes.ebml(file, segment.body, segment.end or size, MAX_TOP):
        if element.kind == CLUSTER:
            break
        found.add(element.at)
        if element.kind == _SEEK_HEAD and heads < MAX_SEEK_HEADS:
            heads += 1
            for seek in boxes.ebml(file, element.body, element.end or size, MAX_TOP):
                place = _bytes(file, seek, _SEEK_POSITION, size)
                if 0 < len(place) <= 8:
                    found.add(segment.body + int.from_bytes(place, "big"))
    return sorted(found)[:MAX_TOP]
